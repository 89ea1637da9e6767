"""A proxy on this machine that loses connections, holds them back, and leads to another server when that is told."""

import asyncio
import contextlib

PIECE = 1 << 12


class Proxy:
    """`target` is a port. `count`: how many connections there were. While it `is_held`, nothing goes through."""

    def __init__(self, target):
        self.target = target
        self.count = 0
        self._open = set()
        self._free = asyncio.Event()
        self._free.set()
        self._left = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self._free.set()
        self.cut()

    def cut(self):
        """All connections are lost, on both sides."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    def cut_after(self, size):
        """The same as soon as so many bytes have come from the server, wherever in a frame that is."""
        self._left = size

    def hold(self):
        self._free.clear()

    def free(self):
        self._free.set()

    async def _join(self, reader, writer):
        self.count += 1
        with contextlib.suppress(OSError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target, limit=PIECE)
            self._open |= {writer, server_writer}
            ways = [self._carry(reader, server_writer, None), self._carry(server_reader, writer, self._allowed)]
            await asyncio.gather(*ways, return_exceptions=True)
            self._open -= {writer, server_writer}
        writer.close()

    async def _carry(self, reader, writer, allowed):
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._free.wait()
                if allowed:
                    piece = allowed(piece)
                writer.write(piece)
                if self._left == 0:
                    self._left = None
                    # What was written goes out before.
                    for other in self._open:
                        other.close()
                    self._open.clear()
                await writer.drain()
        writer.close()

    def _allowed(self, piece):
        if self._left is None:
            return piece
        piece = piece[: self._left]
        self._left -= len(piece)
        return piece
