"""A hostile run from its first directory to its last sentence. Status: 0 everything held, 1 something did not, or no run could be made."""
import argparse
import asyncio
import glob
import json
import os
import resource
import shutil
import subprocess
import sys
import time

from . import judge, page, stream
from .attacks import ATTACKS, Target
from .compare import compare, sent_and_stored
from .faults import Faults, set_clock, swap_model
from .plan import plan
from .proxy import Proxy
from .servers import PostgreSQL, Role, SmallDisk, ended, free_port, owned
from .watch import Watch
from .web import Client, why

PAST_EVENTS, CATCH_UP_LIMIT_SECONDS = 150_000, 240
# So short that histories are full when memory is marked: what grows afterwards is no state of users.
HISTORY_EVENTS = 50
SERVICE_DESCRIPTORS = (1024, 3072)  # soft and hard


def say(text):
    print(f"ops/soak: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class World:
    """Everything that a run consists of, and what is found out on the way."""

    def __init__(self, options):
        self.options, self.folder, self.output, self.program = options, options.folder, options.output, options.program
        self.port, self.broker_port, self.broker = free_port(), free_port(), None
        self.disk = SmallDisk(f"{self.folder}/disk", 512)
        self.database_disk = SmallDisk(f"{self.folder}/database", 6144)
        self.postgres = PostgreSQL("disturbed", options.postgres, self.database_disk.path, f"{self.output}/postgres.log", durable=True)
        self.undisturbed_postgres = PostgreSQL(
            "undisturbed", options.postgres, f"{self.folder}/undisturbed", f"{self.output}/postgres-undisturbed.log", durable=False)
        self.serve_proxy, self.ingest_proxy = Proxy(self.postgres.port), Proxy(self.postgres.port)
        self.clocks, self.roles, self.erasures, self.swaps, self.turn, self.wave = {}, {}, [], [], 0, 0
        self.stream, self.clients, self.swapping = None, None, asyncio.Lock()

    # Settings

    def environment(self, url, **more):
        """The settings of a command: nothing of the caller's own, so that two runs are alike."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FRESHET_")}
        return kept | {
            "FRESHET_DATABASE_URL": url, "FRESHET_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.broker_port}", "FRESHET_LOG_FORMAT": "json",
            "FRESHET_ARTIFACTS_PATH": f"{self.disk.path}/artifacts", "FRESHET_HTTP_PORT": str(self.port), "FRESHET_TRAIN_PRESET": "small",
            "FRESHET_TRAIN_EPOCHS": "1", "FRESHET_INGEST_HISTORY_LIMIT_EVENTS": str(HISTORY_EVENTS),
        } | more

    def with_clock(self, name):
        """Preloads libfaketime with a file of its own, so that this process alone has another wall clock; its steady clock stays."""
        library = next(iter(sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))), None)
        if library is None:
            return {}
        steady = f"{self.folder}/steady_timers.so"
        source = os.path.join(os.path.dirname(__file__), "steady_timers.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", steady, source], check=True)
        self.clocks[name] = f"{self.folder}/clock-{name}"
        set_clock(self.clocks[name], 0)
        return {
            "LD_PRELOAD": f"{steady} {library}", "FAKETIME_TIMESTAMP_FILE": self.clocks[name], "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
        }

    # Preparation

    async def prepare(self):
        for postgres in (self.postgres, self.undisturbed_postgres):
            postgres.create()
            await postgres.start()
        log = open(f"{self.output}/broker.log", "wb")
        self.broker = await asyncio.create_subprocess_exec(
            *owned(self.program, "broker", "--port", self.broker_port, "--partitions", 64, "--topic", "undisturbed.dead-letters:4"),
            stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL)
        await self.serve_proxy.start()
        await self.ingest_proxy.start()
        await self.command("migrate", self.postgres.url())
        await self.command("migrate", self.undisturbed_postgres.url())
        logs = f"{self.disk.path}/logs"
        os.makedirs(logs, exist_ok=True)
        self.roles = {
            "ingest": Role(
                "ingest", [self.program, "ingest"],
                self.environment(self.postgres.url(self.ingest_proxy.port), **self.with_clock("ingest")), f"{logs}/ingest"),
            "undisturbed": Role(
                "undisturbed", [self.program, "ingest"],
                self.environment(
                    self.undisturbed_postgres.url(), FRESHET_KAFKA_GROUP="undisturbed",
                    FRESHET_TOPICS_DEAD_LETTERS="undisturbed.dead-letters"),
                f"{self.folder}/undisturbed.log"),
            "serve": Role(
                "serve", [self.program, "serve"], self.environment(self.postgres.url(self.serve_proxy.port), **self.with_clock("serve")),
                f"{logs}/serve", before=["prlimit", f"--nofile={SERVICE_DESCRIPTORS[0]}:{SERVICE_DESCRIPTORS[1]}"]),
        }
        await self.roles["ingest"].start()
        await self.roles["undisturbed"].start()
        await self.past()
        for seed in (1, 2):
            await self.command("train", self.postgres.url(), "--set", f"seed={seed}")
        await self.roles["serve"].start()
        client, deadline = Client(self.port), time.time() + 60
        while True:
            try:
                if (await client.ask("GET", "/readyz", limit_seconds=2)).status == 200:
                    break
            except Exception as error:
                if time.time() > deadline:
                    raise TimeoutError(f"the service did not become ready: {why(error)}") from error
            await asyncio.sleep(0.3)
        client.close()

    async def command(self, name, url, *arguments):
        """Runs one of Freshet's commands to its end. A training that the gate refuses has done its work, whatever its status says."""
        path = f"{self.output}/{name}.log"
        with open(path, "ab") as log:
            process = await asyncio.create_subprocess_exec(
                *owned(self.program, name, *arguments), env=self.environment(url), stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL)
            status = await asyncio.wait_for(process.wait(), 600)
        if status not in ((0, 3) if name == "train" else (0,)):
            raise RuntimeError(f"freshet {name} ended with status {status}; see {path}")

    async def past(self):
        """Items, users and the events of three days, in the topics that both consumers read."""
        now, seed, wave_users = time.time(), self.options.seed, self.options.deletions
        records = {
            "items": [stream.item(seed, number, 0, now - 300_000) for number in range(stream.ITEMS)],
            "users": [stream.person(seed, number, 0, now - 300_000) for number in range(stream.USERS)],
            "events": [
                stream.event(seed, number, now - 260_000 + 259_000 * number / PAST_EVENTS, stream.user_of(seed, number, 0, wave_users))
                for number in range(PAST_EVENTS)],
        }
        for topic, lines in records.items():
            path = f"{self.folder}/{topic}.jsonl"
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
            await self.command("produce", self.postgres.url(), "--topic", topic, path)
        deadline = time.time() + CATCH_UP_LIMIT_SECONDS
        for postgres in (self.postgres, self.undisturbed_postgres):
            while int(await postgres.sql("select count(*) from interactions")) < PAST_EVENTS:
                if time.time() > deadline:
                    raise TimeoutError(f"the past was not stored in the {postgres.name} database")
                await asyncio.sleep(0.5)

    async def traffic(self):
        options = self.options
        shared = {"output": self.output, "port": self.port, "seed": options.seed}
        self.stream = await self.python("stream", shared | {
            "program": self.program, "first": PAST_EVENTS, "events_per_second": options.events, "wave_users": options.deletions})
        self.clients = await self.python("clients", shared | {"requests_per_second": options.requests})

    async def python(self, module, options):
        log = open(f"{self.output}/{module}.log", "wb")
        return await asyncio.create_subprocess_exec(
            *owned(sys.executable, "-B", "-m", f"hostile.{module}", json.dumps(options)), env=self.environment(self.postgres.url()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log)

    # What disturbances use

    async def leave(self):
        """The users of the wave at hand make no events any more; their ids."""
        self.stream.stdin.write(json.dumps({"leave": self.wave}).encode() + b"\n")
        await asyncio.wait_for(self.stream.stdout.readline(), 30)
        users = [f"g{self.wave}-{number}" for number in range(self.options.deletions)]
        self.wave += 1
        return users

    async def swap(self):
        async with self.swapping:
            words = await swap_model(self.port, self.turn)
            if not words.startswith("no swap"):
                self.turn += 1
            self.swaps.append((time.time(), words))
            return words

    async def swap_models(self, interval_seconds):
        while True:
            await asyncio.sleep(interval_seconds)
            await self.swap()

    # The run

    async def disturb(self, disturbance):
        kind = disturbance.kind
        disturbance.began = time.time()
        try:
            if kind.name in ATTACKS:
                target = Target(self.port, disturbance.seconds, disturbance.round, SERVICE_DESCRIPTORS)
                # A service that answers nobody holds its attackers, too.
                await asyncio.wait_for(ATTACKS[kind.name](target), disturbance.seconds + 75)
                disturbance.note = target.words()
            else:
                disturbance.note = await Faults(self).of(kind.name)(disturbance)
        except Exception as error:
            disturbance.note = f"{disturbance.note} (cut short: {why(error)})".strip()
        disturbance.ended = time.time()
        with open(f"{self.output}/disturbances.tsv", "a", encoding="utf-8") as file:
            file.write(f"{disturbance.began:.1f}\t{disturbance.ended:.1f}\t{kind.name}\t{disturbance.note}\n")

    async def caught_up(self):
        """Waits until both consumers have read the same, and stand still; the seconds that took, or None."""
        began, before, since = time.time(), None, time.time()
        statement = "select topic, partition, next_offset from stream_offsets where partition >= 0 and next_offset > 0 order by 1, 2"
        while time.time() - began < CATCH_UP_LIMIT_SECONDS:
            try:
                both = [await postgres.sql(statement, 60) for postgres in (self.postgres, self.undisturbed_postgres)]
            except (RuntimeError, asyncio.TimeoutError):
                both = [None, time.time()]
            if both != before:
                before, since = both, time.time()
            if both[0] == both[1] and time.time() - since >= 5:
                return time.time() - began - 5
            await asyncio.sleep(1)
        return None

    async def end_traffic(self):
        """Ends honest clients and the stream, and gives what both say of themselves."""
        told = {}
        for name, process, word in (("clients", self.clients, b"\n"), ("stream", self.stream, b'{"end": true}\n')):
            try:
                process.stdin.write(word)
                process.stdin.close()
                output = await asyncio.wait_for(process.stdout.read(), 300)
                told[name] = json.loads(output.decode().strip().split("\n")[-1])
            except Exception as error:
                told[name] = {"failed": why(error)}
        return told

    async def stop(self):
        """Ends everything; the statuses with which the roles ended when they were asked to."""
        statuses = {}
        self.postgres.freeze(False)
        for name in ("serve", "ingest", "undisturbed"):
            if name in self.roles:
                statuses[name] = await self.roles[name].stop()
        for process in (self.stream, self.clients, self.broker):
            if process is not None and process.returncode is None:
                await ended(process, 15, 10)
        for postgres in (self.postgres, self.undisturbed_postgres):
            await postgres.stop()
        return statuses


async def hostile(options):
    world = World(options)
    disturbances, mark, calm, total = plan(options.minutes, options.seed, options.only)
    seen = {}
    try:
        say("servers, a past, two trainings")
        await world.prepare()
        watch = Watch(world.output, list(world.roles.values()), world.port, world.postgres)
        watch.on_silence = world.roles["serve"].replace
        await world.traffic()
        watch.start()
        start = time.time()
        say(f"{len(disturbances)} disturbances in {options.minutes} minutes; memory is marked after {mark:.0f} s; see {world.output}")
        swaps = asyncio.create_task(world.swap_models(60 if options.minutes >= 20 else 20))
        marked, late = None, False
        for disturbance in disturbances:
            if disturbance.begin >= mark and marked is None:
                # One that lasted longer than planned moves the mark: the calm before it does not get shorter.
                await asyncio.sleep(max(start + mark - time.time(), calm if late else 0))
                marked = time.time()
            await asyncio.sleep(max(0, start + disturbance.begin - time.time()))
            late = time.time() > start + disturbance.begin + 1
            if time.time() > start + total - calm:
                break
            await world.disturb(disturbance)
            say(f"{disturbance.kind.name}: {disturbance.note}")
        marked = marked or start + mark
        await asyncio.sleep(max(start + total - time.time(), calm))
        finish = time.time()
        swaps.cancel()
        say("the disturbances are over; the stream ends")
        told = await world.end_traffic()
        caught_up = await world.caught_up()
        say("comparing the tables")
        seen = {
            "start": start, "mark": marked, "finish": finish, "told": told, "caught_up": caught_up,
            "watch_failed": await watch.stop(), "tables": await compare(world.postgres, world.undisturbed_postgres, world.folder),
        }
        by_code = "select string_agg(code || ' ' || n, ', ') from (select code, count(*) n from dead_letters group by code order by code) c"
        seen["dead_letters"] = "; ".join(
            [f"{postgres.name}: {await postgres.sql(by_code) or 'none'}" for postgres in (world.postgres, world.undisturbed_postgres)])
        if "end" in told["stream"]:
            seen["sent"] = await sent_and_stored(
                world.postgres, options.seed, told["stream"]["end"], options.deletions, told["stream"]["waves"], world.folder)
        await asyncio.sleep(1)
        seen["statuses"] = await world.stop()
    finally:
        await world.stop()
        if os.path.exists(f"{world.folder}/undisturbed.log"):
            shutil.copy(f"{world.folder}/undisturbed.log", f"{world.output}/undisturbed-raw.log")
        for disk in (world.disk, world.database_disk):
            disk.close()
    made = {each.kind.name for each in disturbances if each.began}
    seen["missed"] = list(dict.fromkeys(each.kind.name for each in disturbances if each.kind.name not in made))
    disturbances = [each for each in disturbances if each.began]
    rows, text = judge.judge(world, watch, disturbances, seen)
    with open(f"{world.output}/report.txt", "w", encoding="utf-8") as file:
        file.write(text)
    page.write(f"{world.output}/report.html", world, watch, disturbances, seen, rows, text)
    print(text)
    return 0 if all(row.held for row in rows) else 1


def main():
    parser = argparse.ArgumentParser(prog="ops/soak hostile")
    for name, kind, default in (
            ("minutes", float, 60), ("seed", int, 1), ("events", int, 300), ("requests", int, 50), ("deletions", int, 400),
            ("only", str, None), ("output", str, None), ("folder", str, None), ("program", str, None), ("postgres", str, None)):
        parser.add_argument(f"--{name}", type=kind, default=default)
    options = parser.parse_args()
    options.only = options.only.split(",") if options.only else None
    os.chdir(options.folder)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        sys.exit(asyncio.run(hostile(options)))
    except (RuntimeError, asyncio.TimeoutError, OSError, subprocess.SubprocessError) as error:
        say(f"the run could not be made: {why(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
