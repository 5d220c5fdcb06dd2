"""
A process of honest clients: questions at a fixed rate, whether or not earlier ones are answered, each written to answers.tsv with
the moment when it was asked. Right is status 200 with what the question asks for; anything else, and no answer within ten seconds, is an
error.
"""
import asyncio
import json
import random
import sys
import time

from .stream import ITEMS, USERS
from .web import Client, why

LIMIT_SECONDS, MAX_UNDER_WAY = 10, 1000


def question(chance):
    draw = chance.random()
    if draw < 0.4:
        extra = chance.choice(["", "&n=20", "&category=c3", "&context.device=phone", "&exclude=i1&exclude=i2"])
        return "recommendations", f"/v1/recommendations?user_id=u{int(chance.random() ** 1.3 * USERS)}{extra}"
    if draw < 0.6:
        return "similar", f"/v1/items/i{chance.randrange(ITEMS)}/similar?n=10"
    if draw < 0.8:
        return "users", f"/v1/users/u{int(chance.random() ** 1.3 * USERS)}"
    if draw < 0.9:
        return "items", f"/v1/items/i{chance.randrange(ITEMS)}"
    return "stats", "/v1/stats"


def wrong(kind, answer):
    """What is wrong with an answer, or nothing."""
    if kind == "users" and answer.status == 404:
        return ""  # nothing is known of this user yet
    if answer.status != 200:
        return f"{answer.status} {answer.body[:90].decode(errors='replace')}".replace("\n", " ").replace("\t", " ")
    value = answer.json()
    if kind in ("recommendations", "similar") and not value.get("items"):
        return "an answer without items"
    return ""


async def main(options):
    chance, client = random.Random(options["seed"]), Client(options["port"], max_idle_connections=64)
    answers = open(options["output"] + "/answers.tsv", "w", encoding="utf-8", buffering=1)
    answers.write("time\tkind\tmilliseconds\twrong\n")
    under_way, ending = set(), asyncio.Event()

    async def ask():
        kind, path = question(chance)
        began = time.time()
        try:
            problem = wrong(kind, await client.ask("GET", path, limit_seconds=LIMIT_SECONDS))
        except Exception as error:
            problem = why(error)
        answers.write(f"{began:.3f}\t{kind}\t{(time.time() - began) * 1000:.1f}\t{problem}\n")

    async def listen():
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.readline()
        ending.set()

    listening = asyncio.create_task(listen())
    interval, due = 1 / options["requests_per_second"], time.time()
    while not ending.is_set():
        due = max(due + interval, time.time() - 1)
        await asyncio.sleep(max(0, due - time.time()))
        if len(under_way) < MAX_UNDER_WAY:
            task = asyncio.create_task(ask())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        else:
            answers.write(f"{time.time():.3f}\tunasked\t0\t{MAX_UNDER_WAY} questions wait for an answer already\n")
    await asyncio.gather(*under_way)
    listening.cancel()
    print(json.dumps({"repeated": client.repeated}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
