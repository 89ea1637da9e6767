"""
Clients that are programs of their own: a message goes in through standard input, its echo comes out of standard output.

    in:   kind ('t' or 'b'), number of fragments, and for each its length and its bytes
    out:  kind, length, bytes

Numbers are unsigned, 32 bits, big-endian. The end of the input closes the connection with code 1000; the program then
ends, with exit code 0 where the server closed too.
"""

import asyncio
import os
import struct

from support.deadline import DEADLINE
from support.programs import ROOT

BUILT = ROOT / "build" / "clients"
SOURCES = ROOT / "Tests" / "Integration" / "clients"

PROGRAMS = {
    "go-gorilla": [BUILT / "go-gorilla"],
    "go-nhooyr": [BUILT / "go-nhooyr"],
    "libwebsockets": [BUILT / "libwebsockets"],
    "node-ws": ["node", SOURCES / "node-ws" / "main.js"],
}

# Where Debian's packages for node are; node's other builds do not look there by themselves.
ENVIRONMENT = {"NODE_PATH": "/usr/share/nodejs"}


# Where OpenSSL and Go, and node, read which authorities they trust.
TRUST = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


def address_of(port, authority, scheme="ws"):
    """Of /echo; within TLS where there is an authority to trust."""
    return f"{scheme}s://localhost:{port}/echo" if authority else f"{scheme}://127.0.0.1:{port}/echo"


class PipeClient:
    def __init__(self, program, port, is_fragmenting, offer, authority=None):
        mode = "fragmented" if is_fragmenting else "whole"
        self._command = [*PROGRAMS[program], address_of(port, authority), mode, offer]
        self._trust = {name: str(authority) for name in TRUST} if authority else {}

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
            env={**ENVIRONMENT, **os.environ, **self._trust},
        )
        return self

    async def __aexit__(self, kind, *_):
        if kind is not None:
            self._process.kill()
        await asyncio.wait_for(self._process.wait(), DEADLINE)

    async def echo(self, is_text, fragments):
        """Sends a message; returns the kind and the bytes of the one that comes back."""
        head = struct.pack("!cI", b"t" if is_text else b"b", len(fragments))
        self._process.stdin.write(head + b"".join(struct.pack("!I", len(each)) + each for each in fragments))
        await self._process.stdin.drain()
        kind, length = struct.unpack("!cI", await self._process.stdout.readexactly(5))
        return kind == b"t", await self._process.stdout.readexactly(length)

    async def close(self):
        self._process.stdin.close()
        assert await self._process.wait() == 0
