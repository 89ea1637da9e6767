"""
A client of plain sockets, for what well-behaved clients cannot be made to send. To a port of TLS (support/secure.py) it
speaks TLS.
"""

import select
import socket
import struct
from dataclasses import dataclass

from support import frames
from support.deadline import DEADLINE
from support.secure import SecurePort

# The key of RFC 6455 §1.3, and the answer to it.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

UPGRADE_HEADERS = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def request(method="GET", path="/", headers=(("Host", "localhost"),), version="HTTP/1.1"):
    """A request head. `headers` is a dictionary or pairs; a value of None leaves the header out."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lines = [f"{name}: {value}\r\n" for name, value in pairs if value is not None]
    return f"{method} {path} {version}\r\n{''.join(lines)}\r\n".encode("latin-1")


def upgrade_request(path="/echo", **changes):
    """An upgrade request, with some of its headers changed: sec_websocket_key=None leaves that one out."""
    changed = {name.replace("_", "-").lower(): value for name, value in changes.items()}
    headers = {name: changed.pop(name.lower(), value) for name, value in UPGRADE_HEADERS.items()}
    return request(path=path, headers={**headers, **changed})


@dataclass(frozen=True)
class Response:
    status: int
    headers: tuple
    body: bytes

    def header(self, name):
        """The value of a header that must be there at most once; None where it is not."""
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(values) <= 1, self.headers
        return values[0] if values else None


class RawConnection:
    def __init__(self, port, *, host="127.0.0.1", receive_buffer=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if isinstance(port, SecurePort):
            self.socket = port.secure(self.socket)
        self._received = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_frame(self, opcode, payload=b"", **options):
        self.send(frames.encode(opcode, payload, **options))

    def _receive_more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError(f"the stream ended after {bytes(self._received[:200])!r}")
        self._received += data

    def read_exactly(self, count):
        while len(self._received) < count:
            self._receive_more()
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def read_response(self, *, has_body=True):
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            self._receive_more()
        status_line, *lines = self.read_exactly(end + 4)[:-4].decode("latin-1").split("\r\n")
        headers = tuple(tuple(part.strip() for part in line.split(":", 1)) for line in lines)
        assert status_line.startswith("HTTP/1.1 "), status_line
        response = Response(int(status_line.split()[1]), headers, b"")
        length = response.header("Content-Length")
        if not has_body or length is None:
            return response
        return Response(response.status, headers, self.read_exactly(int(length)))

    def read_frame(self):
        return frames.decode(self.read_exactly)

    def has_more(self, seconds):
        """Whether something is there to be read, or comes within that time, be it the end."""
        return bool(self._received) or bool(select.select([self.socket], [], [], seconds)[0])

    def read_close(self):
        """Reads a close frame and returns its code and reason."""
        return frames.close_code(self.read_frame())

    def expect_end_of_stream(self):
        """The server has sent everything, and ends the stream without a reset, which could discard bytes."""
        assert not self._received, bytes(self._received)
        data = self.socket.recv(1)
        assert data == b"", f"the server went on sending: {data!r}"

    def reset(self):
        """Ends the connection as a crash would: with RST, not FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        getattr(self.socket, "abandon", self.socket.close)()


def open_websocket(port, path="/echo", **options):
    """A connection after its opening handshake."""
    connection = RawConnection(port, **options)
    connection.send(upgrade_request(path))
    response = connection.read_response()
    assert (response.status, response.header("Sec-WebSocket-Accept")) == (101, ACCEPT), response
    return connection
