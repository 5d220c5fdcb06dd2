"""PostgreSQL, the embedded broker and Freshet's roles as processes that end with this one, and small file systems that can be filled."""
import asyncio
import os
import random
import signal
import socket
import subprocess
import time

START_LIMIT_SECONDS = 120
MEBIBYTE, PAGE_BYTES = 1 << 20, os.sysconf("SC_PAGE_SIZE")


def free_port():
    """A port below those that the system hands to clients, free now."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def owned(*command, user=None):
    """The command as a child that is killed when this process ends. The signal is asked for last: a change of user clears it."""
    drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"] if user and os.getuid() == 0 else []
    return [*drop, "setpriv", "--pdeathsig=KILL", "--", *map(str, command)]


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


class SmallDisk:
    """A file system of its own, in memory and of bounded size; without the right to mount it is an ordinary folder and cannot be filled."""

    def __init__(self, path, mebibytes):
        self.path, self.mebibytes, self.can_fill = path, mebibytes, False
        os.makedirs(path, exist_ok=True)
        if os.getuid() == 0:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "freshet-hostile", path], capture_output=True, check=False)
            self.can_fill = done.returncode == 0

    def remount(self, size):
        return subprocess.run(["mount", "-o", f"remount,size={size}", self.path], capture_output=True, check=False).returncode == 0

    def used_bytes(self):
        state = os.statvfs(self.path)
        return (state.f_blocks - state.f_bfree) * state.f_frsize

    def free_bytes(self):
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def fill(self, files=()):
        """
        Takes away all free space, and the room in the last pages of `files`, which lie on it and are written to: their next line finds
        none. What is written meanwhile may need another try.
        """
        for _ in range(20):
            if self.remount(self.used_bytes()):
                break
            time.sleep(0.01)
        else:
            raise OSError(f"{self.path} could not be filled")
        for path in files:
            if not self.holds(path):
                raise OSError(f"{path} does not lie on {self.path}")
            with open(path, "ab", buffering=0) as file:
                # A line that comes in between makes the rest too long by itself: only what fits is written.
                while (rest := -os.fstat(file.fileno()).st_size % PAGE_BYTES) > 0:
                    file.write(b"\n" * rest)

    def holds(self, path):
        """Whether a file lies on this file system."""
        return os.stat(path).st_dev == os.stat(self.path).st_dev

    def empty(self):
        self.remount(f"{self.mebibytes}m")

    def close(self):
        if self.can_fill:
            subprocess.run(["umount", "-l", self.path], capture_output=True, check=False)


class PostgreSQL:
    """A private cluster on loopback with one user; started again where it ends by itself, as an operator's supervisor does."""

    def __init__(self, name, programs, folder, log, durable):
        self.name, self.programs, self.folder, self.log, self.durable = name, programs, folder, log, durable
        self.port, self.password, self.process = free_port(), os.urandom(16).hex(), None
        self.starts, self.wanted, self.keeper = 0, False, None

    def url(self, port=None):
        return f"postgresql://freshet:{self.password}@127.0.0.1:{port or self.port}/freshet"

    def create(self):
        data = f"{self.folder}/data"
        secret = f"{self.folder}/password"
        os.makedirs(self.folder, exist_ok=True)
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(self.password)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "postgres:", self.folder], check=True)
        subprocess.run(
            owned(f"{self.programs}/initdb", "-D", data, "-U", "freshet", f"--pwfile={secret}", "-A", "scram-sha-256",
                  "--encoding=UTF8", "--no-locale", user="postgres"),
            check=True, stdout=subprocess.DEVNULL, cwd="/")
        os.remove(secret)

    async def start(self):
        self.wanted = True
        await self.launch()
        await self.until_it_answers("postgres")
        if await self.sql("select 1 from pg_database where datname = 'freshet'", database="postgres") != "1":
            await self.sql("create database freshet", database="postgres")
        self.keeper = asyncio.create_task(self.keep())

    async def launch(self):
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 100,
            "shared_buffers": "128MB", "fsync": "on" if self.durable else "off", "max_wal_size": "256MB", "wal_compression": "on",
            "timezone": "UTC", "logging_collector": "off", "log_checkpoints": "off", "log_line_prefix": "%m [%p] ",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *owned(f"{self.programs}/postgres", "-D", f"{self.folder}/data", *options, user="postgres"),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        self.starts += 1

    async def keep(self):
        """Starts the server again where it ended by itself; it does where its disk is full."""
        while self.wanted:
            await self.process.wait()
            await asyncio.sleep(1)
            if self.wanted:
                await self.launch()

    async def until_it_answers(self, database="freshet", limit_seconds=START_LIMIT_SECONDS):
        deadline = time.time() + limit_seconds
        while not await self.answers(database):
            if time.time() > deadline:
                raise TimeoutError(f"PostgreSQL ({self.name}) did not answer within {limit_seconds} s; see {self.log}")
            await asyncio.sleep(0.2)

    async def answers(self, database="freshet", limit_seconds=2):
        try:
            return await self.sql("select 1", limit_seconds, database) == "1"
        except (RuntimeError, asyncio.TimeoutError):
            return False

    async def sql(self, statement, limit_seconds=600, database="freshet", to=None):
        """The result as psql prints it without ornament, or written to the file `to`. The last line only is without a line end."""
        environment = dict(
            os.environ, PGPASSWORD=self.password, PGAPPNAME="hostile", PGCONNECT_TIMEOUT="2", PGOPTIONS="-c timezone=UTC")
        with open(to or os.devnull, "wb") as file:
            process = await asyncio.create_subprocess_exec(
                *owned(f"{self.programs}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port,
                       "-U", "freshet", "-d", database, "-c", statement),
                env=environment, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
                stdout=file if to else asyncio.subprocess.PIPE)
            try:
                output, errors = await asyncio.wait_for(process.communicate(), limit_seconds)
            except BaseException:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                raise
        if process.returncode != 0:
            raise RuntimeError(errors.decode(errors="replace").strip()[:300])
        return (output or b"").decode().rstrip("\n")

    def freeze(self, yes):
        """Every process of the server stops where it stands, or goes on."""
        try:
            pids = [self.process.pid, *children_of(self.process.pid)]
        except OSError:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGSTOP if yes else signal.SIGCONT)
            except ProcessLookupError:
                pass

    async def stop(self):
        self.wanted = False
        if self.keeper is not None:
            self.keeper.cancel()
        if self.process is not None and self.process.returncode is None:
            self.freeze(False)
            await ended(self.process, signal.SIGINT, 30)


async def ended(process, by, limit_seconds):
    """Asks a process to end, kills it after the limit, and gives its status."""
    if process.returncode is None:
        process.send_signal(by)
        try:
            await asyncio.wait_for(process.wait(), limit_seconds)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
    return process.returncode


class Role:
    """One of Freshet's processes that must never end; where it does, that is written down and it is started again."""

    def __init__(self, name, command, environment, log, before=()):
        self.name, self.command, self.environment, self.log, self.before = name, list(command), environment, log, list(before)
        self.process, self.pid, self.ends, self.wanted, self.keeper = None, None, [], False, None

    async def start(self):
        self.wanted = True
        await self.launch()
        self.keeper = asyncio.create_task(self.keep())

    async def launch(self):
        with open(self.log, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *owned(*self.before, *self.command), env=self.environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid

    async def keep(self):
        while self.wanted:
            status = await self.process.wait()
            if not self.wanted:
                return
            self.ends.append((time.time(), self.pid, status))
            await asyncio.sleep(2)
            await self.launch()

    async def replace(self, reason):
        """Kills a process that will not answer any more, and counts it as one that ended."""
        self.ends.append((time.time(), self.pid, reason))
        self.keeper.cancel()
        await ended(self.process, signal.SIGKILL, 5)
        await self.launch()
        self.keeper = asyncio.create_task(self.keep())

    async def stop(self, limit_seconds=45):
        self.wanted = False
        if self.keeper is not None:
            self.keeper.cancel()
        return None if self.process is None else await ended(self.process, signal.SIGTERM, limit_seconds)
