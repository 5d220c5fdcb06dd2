"""What is done to the service's surroundings: database, broker, disks, clock, models and users. Each returns what was done, in words."""
import asyncio
import os
import signal
import time

from .web import Client, why


class Faults:
    """The disturbances that need the harness's own servers. `world` is the run; see run.py."""

    def __init__(self, world):
        self.world = world

    def of(self, name):
        return {
            "backends-killed": self.backends_killed, "connections-cut": self.connections_cut, "service-silent": self.service_silent,
            "ingest-silent": self.ingest_silent, "postgres-frozen": self.postgres_frozen, "broker-frozen": self.broker_frozen,
            "disk-full": self.disk_full, "database-disk-full": self.database_disk_full, "clock-of-ingest": self.clock_of_ingest,
            "clock-of-service": self.clock_of_service, "mass-deletion": self.mass_deletion,
        }.get(name)

    def proxy(self, disturbance):
        """The service's way to the database in odd rounds, ingest's in even ones."""
        return ("serve", self.world.serve_proxy) if disturbance.round % 2 else ("ingest", self.world.ingest_proxy)

    async def backends_killed(self, disturbance):
        killed, deadline = 0, time.time() + disturbance.seconds
        while time.time() < deadline:
            try:
                killed += int(await self.world.postgres.sql(
                    "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity where backend_type = 'client backend'"
                    " and datname = 'freshet' and application_name <> 'hostile' order by random() limit 1) one", 5))
            except (RuntimeError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(0.5)
        return f"{killed} backends ended"

    async def connections_cut(self, disturbance):
        name, proxy = self.proxy(disturbance)
        before, deadline = proxy.cut_connections, time.time() + disturbance.seconds
        while time.time() < deadline:
            proxy.cut()
            await asyncio.sleep(min(3, max(0.1, deadline - time.time())))
        return f"{proxy.cut_connections - before} connections of {name} cut"

    async def silent(self, name, proxy, disturbance):
        connections = len(proxy.pairs)
        proxy.silence(True)
        try:
            await asyncio.sleep(disturbance.seconds)
        finally:
            proxy.silence(False)
        return f"{connections} connections of {name} silent"

    async def service_silent(self, disturbance):
        return await self.silent("serve", self.world.serve_proxy, disturbance)

    async def ingest_silent(self, disturbance):
        return await self.silent("ingest", self.world.ingest_proxy, disturbance)

    async def postgres_frozen(self, disturbance):
        self.world.postgres.freeze(True)
        try:
            await asyncio.sleep(disturbance.seconds)
        finally:
            self.world.postgres.freeze(False)
        return "SIGSTOP, SIGCONT"

    async def broker_frozen(self, disturbance):
        os.kill(self.world.broker.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(disturbance.seconds)
        finally:
            os.kill(self.world.broker.pid, signal.SIGCONT)
        return "SIGSTOP, SIGCONT"

    async def disk_full(self, disturbance):
        disk = self.world.disk
        if not disk.can_fill:
            return "left out: mounting a small file system needs root"
        disk.fill([role.log for role in self.world.roles.values() if disk.holds(role.log)])
        try:
            # A swap within the full disk: the model's files are there, its kept index may not be written. It is a line of the log.
            await asyncio.sleep(disturbance.seconds / 3)
            within = await self.world.swap()
            await asyncio.sleep(disturbance.seconds * 2 / 3)
        finally:
            disk.empty()
        # The next line that can be written says how many could not.
        after = await self.world.swap()
        await asyncio.sleep(2)
        return f"the disk of the logs and the artifacts full; within it {within}; afterwards {after}"

    async def database_disk_full(self, disturbance):
        disk, starts = self.world.database_disk, self.world.postgres.starts
        if not disk.can_fill:
            return "left out: mounting a small file system needs root"
        disk.fill()
        try:
            await asyncio.sleep(disturbance.seconds)
        finally:
            disk.empty()
        await self.world.postgres.until_it_answers()
        return f"PostgreSQL was started again {self.world.postgres.starts - starts} times"

    async def clock(self, name, steps, disturbance):
        path = self.world.clocks.get(name)
        if path is None:
            return "left out: libfaketime is not there"
        try:
            for step in steps:
                set_clock(path, step)
                await asyncio.sleep(disturbance.seconds / len(steps))
        finally:
            set_clock(path, 0)
        # The library looks at its file once a second: the next disturbance finds the right time again.
        await asyncio.sleep(1.5)
        return f"the clock of {name} by {', '.join(f'{step:+d} s' for step in steps)}"

    async def clock_of_ingest(self, disturbance):
        # A little more than the five minutes that an event may lie in the future.
        return await self.clock("ingest", [-330, 330, -3600, 3600], disturbance)

    async def clock_of_service(self, disturbance):
        # Exactly five minutes: what the service stamps then is at the bound, and taken by both readers.
        return await self.clock("serve", [300, -300, 3600, -3600], disturbance)

    async def mass_deletion(self, disturbance):
        world = self.world
        users = await world.leave()
        client, began, taken, refused = Client(world.port), time.time(), 0, {}

        async def delete(user):
            nonlocal taken
            for attempt in range(20):
                try:
                    answer = await client.ask("DELETE", f"/v1/users/{user}")
                    if answer.status == 202:
                        taken += 1
                        return
                    reason = str(answer.status)
                except Exception as error:
                    reason = why(error)
                refused[reason] = refused.get(reason, 0) + 1
                await asyncio.sleep(0.5 + attempt / 2)

        await asyncio.gather(*(delete(user) for user in users))
        client.close()
        sent = time.time()
        left, names = len(users), ",".join(f"'{user}'" for user in users)
        while left and time.time() < began + max(disturbance.seconds, 120):
            await asyncio.sleep(0.5)
            try:
                # The ledger has the user, and no row of features is left: the erasure is done.
                left = int(await world.postgres.sql(
                    f"select {len(users)} - count(*) from erasures e where user_id in ({names})"
                    " and not exists (select from user_features f where f.user_id = e.user_id)", 60))
            except (RuntimeError, asyncio.TimeoutError):
                pass
        took = time.time() - sent
        world.erasures.append({"users": len(users), "taken": taken, "left": left, "seconds": round(took, 1), "refused": refused})
        await asyncio.sleep(max(0, disturbance.seconds - (time.time() - began)))
        return f"{taken} of {len(users)} deletions taken" + (
            f", erased {took:.1f} s after the last one" if not left else f", {left} not erased {took:.0f} s after the last one")


def set_clock(path, step):
    """Steps the clock of the process that looks at the file; written whole or not at all."""
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(f"{step:+d}\n")
    os.replace(f"{path}.new", path)


async def swap_model(port, turn):
    """Another model: the one that is not promoted in even turns, a rollback in odd ones; what was answered, in words."""
    client = Client(port)
    try:
        if turn % 2:
            return f"rollback: {(await client.ask('POST', '/v1/models/rollback', b'', limit_seconds=15)).status}"
        listed = (await client.ask("GET", "/v1/models?preview=true", limit_seconds=15)).json()
        version = max((model["version"] for model in listed["models"] if not model["promoted"]), default=None)
        if version is None:
            return "no swap: there is one model only"
        path = f"/v1/models/{version}/promote"
        answer = await client.ask("POST", path, b"", limit_seconds=15)
        if 400 <= answer.status < 500:
            # One that the gate refused is promoted with consent only.
            forced = await client.ask("POST", f"{path}?force=true", b"", limit_seconds=15)
            return f"promotion of {version}: {answer.status}, with force: {forced.status}"
        return f"promotion of {version}: {answer.status}"
    except Exception as error:
        return f"no swap: {why(error)}"
    finally:
        client.close()
