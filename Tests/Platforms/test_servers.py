"""Servers that were built for other C libraries and processors, and can run here, echo what a client sends."""

import base64
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
WAIT = 120  # seconds, only so that nothing hangs for ever
MESSAGES = [b"", b"Hello", "Привет ".encode() * 100, b"x" * 70000]

# The folder in the build, and the emulator.
SERVERS = [
    ("x86_64-linux-musl", []),
    ("aarch64-linux-musl", ["qemu-aarch64"]),
    ("aarch64-linux-gnu", ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]),
]


def text_frame(payload: bytes) -> bytes:
    """A client's: masked."""
    key = os.urandom(4)
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x81, 0x80 | length)
    elif length < 65536:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, length)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


class Client:
    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        self.stream = self.socket.makefile("rb")

    def upgrade(self) -> int:
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.socket.sendall(request.encode())
        status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass
        return status

    def receive(self) -> tuple[int, bytes]:
        first, second = self.stream.read(2)
        length = second
        if second == 126:
            (length,) = struct.unpack("!H", self.stream.read(2))
        elif second == 127:
            (length,) = struct.unpack("!Q", self.stream.read(8))
        return first & 0x0F, self.stream.read(length)

    def close(self):
        self.stream.close()
        self.socket.close()


class Servers(unittest.TestCase):
    def test_they_echo_and_end(self):
        for folder, emulator in SERVERS:
            with self.subTest(folder):
                program = BUILD / "platforms" / folder / "echo-server"
                command = [*emulator, str(program), "0"]
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
                    try:
                        self.expect_echoes(server)
                        server.send_signal(signal.SIGTERM)
                        self.assertEqual(server.wait(WAIT), 0)
                    finally:
                        if server.poll() is None:
                            server.kill()

    def expect_echoes(self, server: subprocess.Popen[str]):
        line = server.stdout.readline()
        found = re.search(r":(\d+)/", line)
        self.assertIsNotNone(found, line)
        client = Client(int(found[1]))
        self.assertEqual(client.upgrade(), 101)
        for message in MESSAGES:
            client.socket.sendall(text_frame(message))
            self.assertEqual(client.receive(), (1, message))
        client.close()


if __name__ == "__main__":
    unittest.main()
