"""What stands between a role and PostgreSQL: passes bytes on, cuts all connections, refuses new ones, or falls silent as a network does."""
import asyncio
import ctypes
import socket
import struct

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27


def deafen(sock):
    """Whatever comes for the socket is dropped by the kernel before TCP sees it: no acknowledgement, no answer to a keep-alive."""
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(drop)))


class Proxy:
    """One listening port in front of another port of this machine."""

    def __init__(self, target_port):
        self.target_port, self.pairs, self.server, self.port = target_port, set(), None, None
        self.deaf, self.refusing, self.passing = False, False, asyncio.Event()
        self.passing.set()
        self.cut_connections = 0

    async def start(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0, backlog=256)
        self.port = self.server.sockets[0].getsockname()[1]

    def listeners(self):
        return [listener._sock for listener in self.server.sockets]  # asyncio wraps them and hides setsockopt's bytes

    async def accept(self, reader, writer):
        if self.refusing:
            return writer.transport.abort()
        try:
            upward, downward = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            return writer.transport.abort()
        pair = (writer, downward)
        self.pairs.add(pair)
        try:
            await asyncio.gather(self.carry(reader, downward), self.carry(upward, writer))
        except OSError:
            pass
        finally:
            self.pairs.discard(pair)
            for each in pair:
                each.transport.abort()

    async def carry(self, reader, writer):
        while data := await reader.read(1 << 16):
            await self.passing.wait()
            writer.write(data)
            await writer.drain()
        # One side has ended: so does the other, as a server that is gone ends both.
        raise ConnectionResetError()

    def cut(self):
        """All connections end at once; new ones are taken."""
        for pair in list(self.pairs):
            self.cut_connections += 1
            for each in pair:
                each.transport.abort()

    def refuse(self, yes):
        """No new connection is taken while this is on, and those there are end."""
        self.refusing = yes
        if yes:
            self.cut()

    def silence(self, yes):
        """Nothing passes and nothing is acknowledged, in either direction, for old connections and new ones; nothing is closed."""
        self.deaf = yes
        sockets = [pair[0].get_extra_info("socket")._sock for pair in self.pairs] + self.listeners()
        for sock in sockets:
            try:
                if yes:
                    deafen(sock)
                else:
                    sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
            except OSError:
                pass  # a connection that has just ended
        if yes:
            self.passing.clear()
        else:
            self.passing.set()
