"""HTTP/1.1 with kept connections: enough of it for clients that keep to the rules."""
import asyncio
import json


class Answer:
    """A status, headers by lower-case name, and the whole body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Closed(Exception):
    """The server closed a kept connection before it answered anything: a client asks again on a new one."""


class Connection:
    """One connection, one request at a time."""

    def __init__(self, port):
        self.port, self.reader, self.writer, self.used = port, None, None, False

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()

    async def ask(self, method, path, body=None, headers=()):
        """Sends a request and reads its answer. Raises `Closed` where a kept connection ended before the first byte."""
        head = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *(f"{name}: {value}" for name, value in headers)]
        if body is not None:
            head += [f"Content-Length: {len(body)}"]
        kept, self.used = self.used, True
        try:
            self.writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + (body or b""))
            await self.writer.drain()
            first = await self.reader.readline()
        except (ConnectionError, OSError) as error:
            if kept:
                raise Closed() from error
            raise
        if not first:
            if kept:
                raise Closed()
            raise ConnectionError("closed without an answer")
        return await self.read_answer(first)

    async def read_answer(self, first):
        status = int(first.split(b" ", 2)[1])
        headers = {}
        while (line := await self.reader.readline()) not in (b"\r\n", b"\n"):
            if not line:
                raise ConnectionError("closed within the head of an answer")
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int((await self.reader.readline()).split(b";")[0], 16):
                parts.append(await self.reader.readexactly(size))
                await self.reader.readline()
            await self.reader.readline()
            body = b"".join(parts)
        else:
            body = b""
        return Answer(status, headers, body)


class Client:
    """Keeps connections, at most `max_idle_connections`, and asks again once where a kept one was closed meanwhile."""

    def __init__(self, port, max_idle_connections=32):
        self.port, self.idle, self.max_idle_connections, self.repeated = port, [], max_idle_connections, 0

    async def ask(self, method, path, body=None, headers=(), limit_seconds=10):
        return await asyncio.wait_for(self.ask_within(method, path, body, headers), limit_seconds)

    async def ask_within(self, method, path, body, headers):
        connection = self.idle.pop() if self.idle else None
        if connection is not None:
            try:
                return await self.ask_on(connection, method, path, body, headers)
            except Closed:
                self.repeated += 1
        connection = Connection(self.port)
        await connection.open()
        return await self.ask_on(connection, method, path, body, headers)

    async def ask_on(self, connection, method, path, body, headers):
        try:
            answer = await connection.ask(method, path, body, headers)
        except BaseException:
            connection.close()
            raise
        if answer.headers.get("connection", "").lower() == "close" or len(self.idle) >= self.max_idle_connections:
            connection.close()
        else:
            self.idle.append(connection)
        return answer

    def close(self):
        for connection in self.idle:
            connection.close()
        self.idle = []


def why(error):
    """An exception as a few words."""
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}".strip(": ")[:120]
