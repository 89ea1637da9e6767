"""A client of Redis of a test's own: the protocol RESP2, over one connection."""

import socket
from dataclasses import dataclass

from support.deadline import DEADLINE


@dataclass(frozen=True)
class Refusal:
    """An error, as Redis answered it."""

    text: str


class RefusedError(Exception):
    """A command was answered by an error."""


def encode(*words):
    """A command: an array of strings."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class RespClient:
    """`address`: a port on this machine, or the path of a unix socket."""

    def __init__(self, address, password=None, deadline=DEADLINE):
        is_port = isinstance(address, int)
        self.socket = socket.socket(socket.AF_INET if is_port else socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(deadline)
        try:
            self.socket.connect(("127.0.0.1", address) if is_port else str(address))
            self._stream = self.socket.makefile("rb")
            if password is not None:
                self.call("AUTH", password)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stream.close()
        self.socket.close()

    def send(self, *words):
        self.socket.sendall(encode(*words))

    def read(self):
        """The next reply: bytes, a number, a list of replies, None, or a Refusal."""
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"the connection ended within a reply: {line!r}")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return Refusal(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        assert kind == b"$", line
        if rest == b"-1":
            return None
        text = self._stream.read(int(rest) + 2)
        if len(text) < int(rest) + 2:
            raise EOFError("the connection ended within a string")
        return text[:-2]

    def call(self, *words):
        """Sends a command and returns its reply, which must be no error."""
        self.send(*words)
        reply = self.read()
        if isinstance(reply, Refusal):
            raise RefusedError(f"{words[0]}: {reply.text}")
        return reply
