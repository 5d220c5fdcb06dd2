"""
A process that makes records at a fixed rate, four of five events over Kafka (`freshet produce`) and one of five over HTTP, and gives
up none of them. Record number N is a function of the seed and N, but for its time. Commands come as JSON lines on standard input:
`{"leave": W}` ends the events of wave W's users, `{"end": true}` ends the stream; each is answered by a JSON line.
"""
import asyncio
import datetime
import json
import random
import resource
import sys
import time

from .web import Client, why

USERS, ITEMS, CATEGORIES, BATCH_EVENTS = 2000, 6000, 12, 10
MALFORMED = ['{"type":"click","user_id":"u1"', '{"type":"dance","user_id":"u1","item_id":"i1"}', '{"type":"click","item_id":"i1"}', "[]"]


def chance_of(seed, number):
    return random.Random(seed * 1_000_003 + number)


def timestamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_of(seed, number, wave, wave_users):
    """One of ten events is of a user that will be deleted with its wave."""
    chance = chance_of(seed, number)
    if chance.random() < 0.1:
        return f"g{wave}-{chance.randrange(wave_users)}"
    return f"u{int(chance.random() ** 1.3 * USERS)}"


def event(seed, number, seconds, user):
    """Users like two categories each, so that a training finds something."""
    chance = chance_of(seed, number + 500_000_000)
    taste = sum(user.encode()) % CATEGORIES
    item = chance.randrange(ITEMS)
    if chance.random() < 0.8:
        item += (taste + chance.randrange(2)) % CATEGORIES - item % CATEGORIES
    kind = chance.choices(["impression", "click", "add_to_cart", "purchase"], [30, 50, 12, 8])[0]
    record = {"event_id": f"e{number}", "type": kind, "user_id": user, "item_id": f"i{item}", "timestamp": timestamp(seconds)}
    if kind == "purchase":
        value = round(5 + chance.random() * 95, 2)
        record |= {"value": value, "currency": chance.choice(["EUR", "EUR", "USD"]), "quantity": chance.randint(1, 3)}
    if chance.random() < 0.5:
        record["context"] = {"device": chance.choice(["phone", "desktop"]), "country": chance.choice(["DE", "FR", "VN"])}
    return record


def item(seed, number, version, seconds):
    chance = chance_of(seed, number + 700_000_000 + version)
    words = ["trail", "city", "winter", "summer", "light", "warm", "blue", "green", "wool", "grip"]
    return {
        "item_id": f"i{number}", "title": f"{chance.choice(words)} {chance.choice(words)} thing {number}",
        "categories": [f"c{number % CATEGORIES}"],
        "tags": chance.sample(words, 2), "price": round(10 + chance.random() * 90, 2), "currency": "EUR", "updated_at": timestamp(seconds),
        "attributes": {"brand": f"b{number % 17}"}, "published_at": timestamp(1_790_000_000),
    }


def person(seed, number, version, seconds):
    chance = chance_of(seed, number + 900_000_000 + version)
    attributes = {"age": str(chance.randrange(18, 80)), "country": chance.choice(["DE", "FR", "VN"])}
    return {"user_id": f"u{number}", "attributes": attributes, "updated_at": timestamp(seconds)}


class Stream:
    def __init__(self, options):
        self.options, self.seed = options, options["seed"]
        self.client = Client(options["port"], max_idle_connections=8)
        self.number, self.wave, self.gone, self.ending = options["first"], 0, {}, False
        self.posts, self.refusals = asyncio.Queue(maxsize=20_000), open(options["output"] + "/posts.tsv", "w", encoding="utf-8")
        self.refusals.write("time\tstatus\twhat\n")
        self.producers, self.sent, self.posted = {}, 0, 0

    async def producer(self, topic):
        log = open(f"{self.options['output']}/produce-{topic}.log", "wb")
        self.producers[topic] = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig=KILL", "--", self.options["program"], "produce", "--topic", topic, "-",
            stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log)

    async def produce(self, topic, records):
        pipe = self.producers[topic].stdin
        for record in records:
            pipe.write((record if isinstance(record, str) else json.dumps(record, separators=(",", ":"))).encode() + b"\n")
        await pipe.drain()

    async def make(self):
        """Ticks of a twentieth of a second; what a slow broker held up is made up for, at most a second of it at once."""
        rate, due, last_slow = self.options["events_per_second"], 0.0, time.time()
        batch, version, before = [], 0, time.time()
        while not self.ending:
            await asyncio.sleep(0.05)
            now = time.time()
            due = min(rate, due + (now - before) * rate)
            before = now
            over_kafka = []
            while due >= 1:
                due -= 1
                record = event(self.seed, self.number, now, user_of(self.seed, self.number, self.wave, self.options["wave_users"]))
                self.number += 1
                if self.number % 5:
                    over_kafka.append(record)
                    if self.number % 101 == 0:
                        over_kafka.append(record)  # delivered twice
                    if self.number % 503 == 0:
                        over_kafka.append(MALFORMED[self.number % len(MALFORMED)])
                else:
                    batch.append(record)
            await self.produce("events", over_kafka)
            if len(batch) >= BATCH_EVENTS:
                await self.posts.put((self.number, batch))
                batch = []
            if now - last_slow >= 1:
                last_slow, version = now, version + 1
                chance = chance_of(self.seed, version + 300_000_000)
                await self.produce("items", [item(self.seed, chance.randrange(ITEMS), version, now) for _ in range(2)])
                await self.produce("users", [person(self.seed, chance.randrange(USERS), version, now) for _ in range(2)])
        if batch:
            await self.posts.put((self.number, batch))

    async def post(self):
        """Sends a batch until it is taken: the key makes a repetition count once, and so do the ids of its events."""
        while True:
            number, batch = await self.posts.get()
            body = json.dumps(batch).encode()
            attempt, key = 0, f"batch-{self.seed}-{number}"
            while True:
                began, headers = time.time(), [("Idempotency-Key", key), ("Content-Type", "application/json")]
                try:
                    answer = await self.client.ask("POST", "/v1/events", body, headers)
                    status, what = answer.status, answer.body[:100].decode(errors="replace").replace("\n", " ").replace("\t", " ")
                    if status == 202 and answer.json().get("accepted") == len(batch):
                        break
                except Exception as error:
                    status, what = 0, why(error)
                if status == 202:
                    key = f"batch-{self.seed}-{number}-{attempt}"  # the same key would be given the same answer again
                self.refusals.write(f"{began:.3f}\t{status}\t{what}\n")
                self.refusals.flush()
                attempt += 1
                await asyncio.sleep(min(5, 0.5 * attempt))
            self.posted += len(batch)
            self.posts.task_done()

    async def listen(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            command = json.loads(line)
            if "leave" in command:
                gone, self.wave = self.wave, command["leave"] + 1
                self.gone[gone] = self.number
                await asyncio.sleep(1)  # what was made before has its time before the deletion's
                print(json.dumps({"gone": gone, "first_of_the_next": self.number}), flush=True)
            if command.get("end"):
                break
        self.ending = True

    async def run(self):
        for topic in ("events", "items", "users"):
            await self.producer(topic)
        making = asyncio.create_task(self.make())
        posting = [asyncio.create_task(self.post()) for _ in range(4)]
        await self.listen()
        await making
        unsent = 0
        try:
            await asyncio.wait_for(self.posts.join(), 120)
        except asyncio.TimeoutError:
            unsent = self.posts.qsize()
        for each in posting:
            each.cancel()
        statuses = {}
        for topic, process in self.producers.items():
            process.stdin.close()
            statuses[topic] = await asyncio.wait_for(process.wait(), 120)
        print(json.dumps({
            "first": self.options["first"], "end": self.number, "posted": self.posted, "unsent_batches": unsent, "producers": statuses,
            "waves": self.gone, "repeated": self.client.repeated,
        }), flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    asyncio.run(Stream(json.loads(sys.argv[1])).run())
