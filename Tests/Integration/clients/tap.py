"""A relay between a client and a server that records the offer, the agreement, and the frames."""

import asyncio
import re

from support import frames
from support.deadline import DEADLINE

CHUNK = 1 << 18


class Direction:
    """Reads what one side sends: the extensions in its HTTP head, then the headers of its frames."""

    def __init__(self):
        self.extensions = None
        self.messages = 0
        self.compressed_messages = 0
        self.continuations = 0
        self.bytes = 0
        self.close_payload = None
        self._head_has_ended = False
        self._pending = bytearray()
        self._payload_left = 0

    def feed(self, data):
        if not self._head_has_ended:
            self._pending += data
            end = self._pending.find(b"\r\n\r\n")
            if end < 0:
                return
            self._read_head(bytes(self._pending[:end]))
            data = bytes(self._pending[end + 4 :])
            self._pending.clear()
        self.bytes += len(data)
        position = 0
        while position < len(data):
            take = self._take_payload if self._payload_left else self._take_header_byte
            position += take(data, position)

    def _read_head(self, head):
        self._head_has_ended = True
        values = re.findall(rb"(?im)^sec-websocket-extensions:[ \t]*([^\r]*)", head)
        assert len(values) <= 1, values
        self.extensions = values[0].decode() if values else None

    def _take_payload(self, data, position):
        taken = min(self._payload_left, len(data) - position)
        self._payload_left -= taken
        if self.close_payload is not None:
            self.close_payload += data[position : position + taken]
        return taken

    def _take_header_byte(self, data, position):
        self._pending.append(data[position])
        if len(self._pending) >= 2 and len(self._pending) == self._header_length():
            self._count_frame(self._pending)
            self._pending.clear()
        return 1

    def _extended_length(self):
        return {126: 2, 127: 8}.get(self._pending[1] & 0x7F, 0)

    def _header_length(self):
        return 2 + self._extended_length() + (4 if self._pending[1] & 0x80 else 0)

    def _count_frame(self, header):
        extended = self._extended_length()
        self._payload_left = int.from_bytes(header[2 : 2 + extended], "big") if extended else header[1] & 0x7F
        opcode = header[0] & 0x0F
        if opcode in (frames.TEXT, frames.BINARY):
            self.messages += 1
            self.compressed_messages += bool(header[0] & 0x40)
        elif opcode == frames.CONTINUATION:
            self.continuations += 1
        elif opcode == frames.CLOSE:
            self.close_payload = b""


class Tap:
    """`async with Tap(port) as tap` listens on tap.port for one client, and relays it to the server's port."""

    def __init__(self, server_port):
        self._server_port = server_port
        self.from_client = Direction()
        self.from_server = Direction()

    async def __aenter__(self):
        self._ended = asyncio.get_running_loop().create_future()
        self._listener = await asyncio.start_server(self._relay, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind, *_):
        self._listener.close()
        if kind is None:
            await asyncio.wait_for(self._ended, DEADLINE)

    async def _relay(self, client_reader, client_writer):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server_port, limit=CHUNK)
        try:
            await asyncio.gather(
                self._copy(client_reader, writer, self.from_client),
                self._copy(reader, client_writer, self.from_server),
            )
            self._ended.set_result(None)
        except Exception as error:
            self._ended.set_exception(error)
        finally:
            writer.close()
            client_writer.close()

    @staticmethod
    async def _copy(reader, writer, direction):
        """Until the end of the stream, or until one of the two is gone: a client may leave after the close frames."""
        try:
            while data := await reader.read(CHUNK):
                direction.feed(data)
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()
