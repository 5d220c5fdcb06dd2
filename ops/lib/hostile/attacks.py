"""What is done to the service over HTTP. Each attack lasts until its time is over and returns what the service answered, in words."""
import asyncio
import collections
import json
import socket
import time

from .web import Connection, why

MEBIBYTE = 1 << 20


class Target:
    """The service that is attacked, a clock that says when to end, and a count of answers by status."""

    def __init__(self, port, seconds, round_number, descriptors):
        self.port, self.deadline, self.round, self.descriptors = port, time.time() + seconds, round_number, descriptors
        self.answers, self.slowest = collections.Counter(), 0.0

    def is_over(self):
        return time.time() >= self.deadline

    def left(self):
        return max(0.0, self.deadline - time.time())

    def words(self):
        counts = ", ".join(f"{name}: {count}" for name, count in sorted(self.answers.items(), key=lambda each: str(each[0])))
        return f"{counts or 'nothing answered'}" + (f"; slowest answer {self.slowest:.1f} s" if self.slowest else "")

    async def ask(self, method, path, body=None, headers=(), limit_seconds=60):
        connection, began = Connection(self.port), time.time()
        try:
            await asyncio.wait_for(connection.open(), 10)
            answer = await asyncio.wait_for(connection.ask(method, path, body, headers), limit_seconds)
            self.answers[answer.status] += 1
        except Exception as error:  # whatever happens to an attacker is only counted
            self.answers[why(error).split(":")[0]] += 1
        finally:
            connection.close()
        self.slowest = max(self.slowest, time.time() - began)

    async def send_raw(self, data, limit_seconds=15):
        """Sends bytes that may be no request, and counts the status of what comes back."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), 10)
        except Exception as error:
            self.answers[why(error).split(":")[0]] += 1
            return
        try:
            writer.write(data)
            first = await asyncio.wait_for(reader.readline(), limit_seconds)
            self.answers[int(first.split()[1]) if first.startswith(b"HTTP/") else "closed"] += 1
        except Exception as error:
            self.answers[why(error).split(":")[0]] += 1
        finally:
            writer.transport.abort()


async def held(target, connections, drip, beginning, receive_bytes=None):
    """
    Opens connections, sends `beginning`, then what `drip` gives, once a second, until the time is over; what the service closes is
    opened again. `drip` of None sends nothing more. Never reads what is answered, but for noticing that a connection was closed.
    """

    async def one(place):
        await asyncio.sleep(place / connections * min(3, target.left()))
        while not target.is_over():
            sock = socket.socket()
            sock.setblocking(False)
            if receive_bytes:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            loop = asyncio.get_running_loop()
            try:
                await asyncio.wait_for(loop.sock_connect(sock, ("127.0.0.1", target.port)), 10)
                target.answers["opened"] += 1
                await asyncio.wait_for(loop.sock_sendall(sock, beginning), 10)
                while not target.is_over():
                    await asyncio.sleep(min(1, target.left()))
                    if drip is not None:
                        await asyncio.wait_for(loop.sock_sendall(sock, drip), 10)
                    elif sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1:  # no longer established
                        raise ConnectionResetError()
            except asyncio.TimeoutError:
                target.answers["stuck"] += 1
            except OSError as error:
                target.answers["no descriptor here" if error.errno == 24 else "closed by the service"] += 1
                await asyncio.sleep(1)
            finally:
                sock.close()

    await asyncio.gather(*(one(place) for place in range(connections)))


async def slow_heads(target):
    head = f"GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n".encode()
    await held(target, 1200, b"X-More: again\r\n", head)


async def slow_bodies(target):
    length = ("Content-Length: 100000", "Transfer-Encoding: chunked")[target.round % 2]
    head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n{length}\r\n\r\n".encode()
    await held(target, 1200, b" " if "Length" in length else b"1\r\n \r\n", head)


async def deaf_readers(target):
    asked = f"GET /v1/recommendations?user_id=u1&n=100&details=true&preview=true HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n\r\n"
    await held(target, 60, None, asked.encode() * 50, receive_bytes=4096)


async def idle_flood(target):
    # Beyond the soft limit of descriptors in odd rounds, beyond the hard one in even rounds.
    soft, hard = target.descriptors
    await held(target, soft + 500 if target.round % 2 else hard + 200, None, b"")


async def short_connections(target):
    request = f"GET /v1/recommendations?user_id=u2&preview=true HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n\r\n".encode()

    async def one():
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", target.port), 5)
            writer.write(request)
            await asyncio.sleep(0.01)
            writer.transport.abort()
            target.answers["asked and gone"] += 1
        except Exception as error:
            target.answers[why(error).split(":")[0]] += 1

    under_way = set()
    while not target.is_over():
        for _ in range(20):
            if len(under_way) < 500:
                under_way.add(asyncio.create_task(one()))
        await asyncio.sleep(0.05)
        under_way = {each for each in under_way if not each.done()}
    await asyncio.gather(*under_way)


async def repeatedly(target, one, at_once):
    """`at_once` callers, each of whom asks again as soon as it is answered, until the time is over."""

    async def caller(place):
        number = place
        while not target.is_over():
            await one(number)
            number += at_once

    await asyncio.gather(*(caller(place) for place in range(at_once)))


async def newline_flood(target):
    size = 4 * MEBIBYTE
    bodies = [
        b"{}\n{}" + b"\n" * size, b"\n" * size, b" " * size, b"{}\n" * (size // 3), b"[" + b"{}," * (size // 3) + b"{}]",
        b"\r\n" * (size // 2), b"[" + b" \n" * (size // 2) + b"]", b"{}" + b"\n \t" * (size // 3),
    ]
    doors = ["/v1/events", "/v1/events", "/v1/events", "/feedback", "/api/feedback"]

    async def one(number):
        await target.ask("POST", doors[number % len(doors)], bodies[number % len(bodies)], [("Content-Type", "application/x-ndjson")])

    await repeatedly(target, one, 4)


async def deep_nesting(target):
    depth = 100_000
    lists, objects = b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth
    wide = json.dumps({"attributes": {f"a{number}": {"b": ["c" * 5] * 20} for number in range(120)}}).encode()
    requests = [
        ("POST", "/v1/events", lists), ("POST", "/v1/events", objects), ("POST", "/v1/recommendations", lists),
        ("POST", "/v1/recommendations", b'{"user_id":"u1","context":' + objects + b"}"),
        ("PUT", "/v1/items/deep", b'{"attributes":' + objects + b"}"), ("PUT", "/v1/items/wide", wide),
        ("PUT", "/v1/items/deep", b'{"title":"deep","attributes":{"a":' + lists + b"}}"),
        ("PUT", "/v1/users/deep", b'{"attributes":' + lists + b"}"), ("POST", "/v1/events", b"[" * (4 * MEBIBYTE)),
    ]

    async def one(number):
        await target.ask(*requests[number % len(requests)])
        await asyncio.sleep(0.05)

    await repeatedly(target, one, 3)


async def long_titles(target):
    """Titles near the longest that a record may have (64 KB), always of the same 30 items, so that the catalogue does not grow."""
    items = [f"long{number}" for number in range(30)]
    for number, item in enumerate(items):
        body = {"title": f"{item} " + "Überlänge " * 5300, "categories": ["c1"], "price": 10 + target.round, "currency": "EUR"}
        await target.ask("PUT", f"/v1/items/{item}", json.dumps(body, ensure_ascii=number % 2 == 0).encode())
    lists = json.dumps({"user_id": "u3", "items": items, "n": 30, "details": True}).encode()

    async def one(number):
        if number % 3 == 0:
            await target.ask("POST", "/v1/recommendations", lists)
        elif number % 3 == 1:
            await target.ask("GET", f"/v1/items/{items[number % 30]}/similar?n=50&details=true&preview=true")
        else:
            await target.ask("GET", f"/v1/items/{items[number % 30]}?preview=true")
        await asyncio.sleep(0.1)

    await repeatedly(target, one, 3)


async def broken_requests(target):
    host = f"Host: 127.0.0.1:{target.port}\r\n".encode()
    post = b"POST /v1/events HTTP/1.1\r\n" + host
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
    get, end = b"GET /v1/recommendations?", b" HTTP/1.1\r\n" + host + b"\r\n"
    requests = [
        *(chunked + each for each in (
            b"zz\r\n{}\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n{}", b"2\r\n{}XX0\r\n\r\n", b"\r\n\r\n",
            b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n")),
        *(post + each for each in (
            b"Content-Length: -1\r\n\r\n", b"Content-Length: 99999999999999999999\r\n\r\n",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")),
        get + b"user_id=" + b"u" * 100_000 + end, get + b"exclude=i1&" * 9000 + end, get + b"user_id=%ff%00%zz" + end,
        b"GET " + b"/.." * 3000 + end, b"GET /v1/stats HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        b"GET /v1/stats HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"\x16\x03\x01\x02\x00\x01\x00" * 40,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 5000,
    ]

    async def one(number):
        await target.send_raw(requests[number % len(requests)], limit_seconds=5)
        await asyncio.sleep(0.02)

    await repeatedly(target, one, 8)


ATTACKS = {
    "slow-heads": slow_heads, "slow-bodies": slow_bodies, "deaf-readers": deaf_readers, "idle-flood": idle_flood,
    "short-connections": short_connections, "newline-flood": newline_flood, "deep-nesting": deep_nesting, "long-titles": long_titles,
    "broken-requests": broken_requests,
}
