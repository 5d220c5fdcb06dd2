"""Memory, log lines, /readyz, /v1/stats and /metrics over time, each stamped with this process's clock, which nobody steps."""
import asyncio
import json
import os
import re
import time

from .web import Client, why

MEMORY_INTERVAL_SECONDS, KEPT_LINES, SILENT_LIMIT_SECONDS = 5, 400_000, 60


def memory(pid):
    """RssAnon in KiB, threads and descriptors of a process; nothing where it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        return int(fields["RssAnon"].split()[0]), int(fields["Threads"]), len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, KeyError, ValueError):
        return None


class Watch:
    """What is seen of a run from outside."""

    def __init__(self, output, roles, port, postgres):
        self.output, self.roles, self.port, self.postgres = output, roles, port, postgres
        self.memory, self.lines, self.readiness, self.statistics, self.metrics, self.unreachable = [], [], [], [], [], []
        self.dropped_lines, self.on_silence, self.tasks = 0, None, []

    def start(self):
        self.tasks = [
            asyncio.create_task(each) for each in (
                self.look_at_memory(), self.ask_readiness(), self.ask_figures(), self.ask_database(),
                *(self.follow(role) for role in self.roles))
        ]

    async def stop(self):
        await asyncio.sleep(1)
        failed = [task.exception() for task in self.tasks if task.done() and not task.cancelled()]
        for task in self.tasks:
            task.cancel()
        return [why(error) for error in failed if error]

    async def look_at_memory(self):
        with open(f"{self.output}/memory.tsv", "w", encoding="ascii", buffering=1) as file:
            file.write("time\trole\tpid\trss_anon_kib\tthreads\tdescriptors\n")
            while True:
                now = time.time()
                for role in self.roles:
                    if seen := memory(role.pid):
                        self.memory.append((now, role.name, role.pid, *seen))
                        file.write(f"{now:.1f}\t{role.name}\t{role.pid}\t" + "\t".join(map(str, seen)) + "\n")
                await asyncio.sleep(max(0, MEMORY_INTERVAL_SECONDS - (time.time() - now)))

    async def follow(self, role):
        """Reads a role's log as it grows and keeps it in the output folder, since the small disk goes with the run."""
        place, rest = 0, b""
        with open(f"{self.output}/{role.name}.log", "w", encoding="utf-8", buffering=1) as copy:
            while True:
                try:
                    with open(role.log, "rb") as file:
                        file.seek(place)
                        data = file.read(8 << 20)
                    place += len(data)
                    *whole, rest = (rest + data).split(b"\n")
                except OSError:
                    whole = []
                for line in whole:
                    self.take(role.name, line.decode(errors="replace"), copy)
                await asyncio.sleep(0.5)

    def take(self, role, text, copy):
        if not text:
            return  # by which a full disk's last page was filled
        now = time.time()
        copy.write(f"{now:.1f} {text}\n")
        try:
            record = json.loads(text)
            level, message = record.pop("level"), record.pop("message")
            record.pop("time", None)
            record.pop("role", None)
            told = " ".join(f"{name}={value}" for name, value in record.items())
        except (ValueError, KeyError, TypeError):
            level, message, told = "other", text, ""
        if len(self.lines) < KEPT_LINES:
            self.lines.append((now, role, level, f"{message} {told}".strip()))
        else:
            self.dropped_lines += 1

    async def ask_readiness(self):
        client, silent_since, before = Client(self.port), None, None
        with open(f"{self.output}/readyz.tsv", "w", encoding="utf-8", buffering=1) as file:
            while True:
                began = time.time()
                try:
                    answer = await client.ask("GET", "/readyz", limit_seconds=5)
                    status, body = answer.status, answer.body.decode(errors="replace")
                except Exception as error:
                    status, body = 0, why(error)
                self.readiness.append((began, status, body))
                if (status, body) != before:
                    file.write(f"{began:.1f}\t{status}\t{body.strip()}\n")
                    before = (status, body)
                silent_since = None if status else silent_since or began
                if silent_since and time.time() - silent_since > SILENT_LIMIT_SECONDS and self.on_silence:
                    silent_since = None
                    await self.on_silence(f"killed by the harness: it had answered nothing for {SILENT_LIMIT_SECONDS} s")
                await asyncio.sleep(max(0.05, 1 - (time.time() - began)))

    async def ask_figures(self):
        client, written = Client(self.port), 0
        with open(f"{self.output}/stats.jsonl", "w", encoding="utf-8", buffering=1) as file:
            while True:
                began = time.time()
                try:
                    statistics = (await client.ask("GET", "/v1/stats?preview=true", limit_seconds=5)).body.decode(errors="replace")
                    self.statistics.append((began, strings(statistics)))
                    if began >= written + 30:
                        file.write(f'{{"at":{began:.1f},"stats":{statistics.strip()}}}\n')
                        written = began
                    self.metrics.append((began, read_metrics((await client.ask("GET", "/metrics", limit_seconds=5)).body.decode())))
                except Exception:
                    pass  # honest clients count what is not answered
                await asyncio.sleep(max(0.05, 5 - (time.time() - began)))

    async def ask_database(self):
        """Seconds in which PostgreSQL itself did not answer, asked without a role's proxy."""
        while True:
            began = time.time()
            if not await self.postgres.answers():
                self.unreachable.append((began, time.time()))
            await asyncio.sleep(max(0.1, 1 - (time.time() - began)))

    def lost_lines(self, role, begin, end):
        """What a role's log says between two moments of lines that it could not write: their number, and the first sentence."""
        found = [
            (int(match[1]), text) for moment, name, _, text in self.lines
            if name == role and begin <= moment <= end and (match := re.match(r"(\d+) lines? before this one could not be written", text))]
        return sum(count for count, _ in found), next((text for _, text in found), "")

    def value(self, metric, moment):
        """A metric as it was last read before a moment, 0 where it was not."""
        return next((values.get(metric, 0.0) for at, values in reversed(self.metrics) if at <= moment), 0.0)

    def sentences(self, begin, end, unlike=frozenset()):
        """Notices and louder of the service and ingest between two moments, alike but for numbers once, with a count; the loudest first."""
        rank = {"critical": 0, "error": 1, "warning": 2, "other": 3, "notice": 4}
        found = {}
        for moment, role, level, text in self.lines:
            if begin <= moment <= end and role != "undisturbed" and level in rank:
                form = (role, level, without_numbers(text))
                if form not in unlike:
                    first, count = found.get(form, (text, 0))
                    found[form] = (first, count + 1)
        order = sorted(found.items(), key=lambda each: rank[each[0][1]])
        return [(form, f"{form[0]} {form[1]}: {text}", count) for form, (text, count) in order]

    def moved(self, begin, end):
        """Metrics whose value is another at the end than at the beginning, with both; those that did not exist count as 0."""
        before = next((values for moment, values in reversed(self.metrics) if moment <= begin), {})
        after = next((values for moment, values in self.metrics if moment >= end), self.metrics[-1][1] if self.metrics else {})
        during = [values for moment, values in self.metrics if begin < moment < end]
        moved = {}
        for name in {name for values in (before, after, *during) for name in values}:
            values = [each.get(name, 0.0) for each in (before, *during, after)]
            if max(values) != min(values):
                moved[name] = (values[0], max(values))
        return moved


def strings(text):
    """Every string in a JSON text that reads like words."""
    found, waiting = set(), []
    try:
        waiting = [json.loads(text)]
    except ValueError:
        pass
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and " " in value and len(value) < 1000:
            found.add(re.sub(r"\d+", "N", value))
    return found


def without_numbers(text):
    return re.sub(r"\d+(\.\d+)?", "N", text)[:200]


def read_metrics(text):
    values = {}
    for line in text.splitlines():
        if line and not line.startswith("#") and "_bucket{" not in line:
            name, _, value = line.rpartition(" ")
            try:
                values[name] = float(value)
            except ValueError:
                pass
    return values
