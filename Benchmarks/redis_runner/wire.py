"""A WebSocket client and a Redis client that do just enough."""

from __future__ import annotations

import os
import socket

from runner.servers import Failure

PATIENCE_SECONDS = 30
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Commands:
    """A WebSocket over which a measured server is told what to do. What it sends is not read."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.socket.sendall(request.encode())
        response = b""
        while b"\r\n\r\n" not in response:
            received = self.socket.recv(4096)
            if not received:
                raise Failure(f"port {port} ended the handshake for {path}")
            response += received
        if not response.startswith(b"HTTP/1.1 101"):
            raise Failure(f"port {port} refused {path}: {response.splitlines()[0].decode()}")

    def send(self, text: str) -> None:
        self.socket.sendall(text_frame(text.encode()))

    def close(self) -> None:
        self.socket.close()


def text_frame(payload: bytes) -> bytes:
    """A client's frame, masked."""
    if len(payload) > 125:
        raise ValueError("a command has up to 125 bytes")
    mask = os.urandom(4)
    return bytes([0x81, 0x80 | len(payload)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


class Redis:
    """Commands with simple answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self.file = self.socket.makefile("rb")

    def ask(self, *words: str) -> str:
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self.socket.sendall((f"*{len(words)}\r\n" + "".join(parts)).encode())
        line = self.file.readline().decode().rstrip("\r\n")
        if line.startswith("$"):
            return self.file.read(int(line[1:]) + 2)[:-2].decode()
        if line.startswith("-") or not line:
            raise Failure(f"Redis answers {words[0]} with {line!r}")
        return line[1:]

    def number_of_channels(self) -> int:
        """To which anybody is subscribed."""
        lines = self.ask("INFO", "stats").splitlines()
        return next(int(line.partition(":")[2]) for line in lines if line.startswith("pubsub_channels:"))

    def close(self) -> None:
        self.file.close()
        self.socket.close()
