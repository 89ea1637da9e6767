"""
The WebSocket clients that we did not write, behind one face. With an authority, a file of certificates, they connect by
TLS, and trust servers that it vouches for.
"""

import asyncio
import base64
import contextlib
import json
import os
import ssl
from pathlib import Path

import aiohttp
import websockets

from support.deadline import DEADLINE


def address_of(port, path, authority, scheme="ws"):
    return f"{scheme}{'s' if authority else ''}://localhost:{port}{path}"


def tls_by(authority):
    return ssl.create_default_context(cafile=authority) if authority else None


class WebsocketsClient:
    """PyPI websockets. With a source, an address of this machine, it comes from there."""

    async def __aenter__(self):
        self._connection = await websockets.connect(
            self._address,
            additional_headers=self._headers,
            ssl=self._tls,
            compression=None,
            max_size=None,
            ping_interval=None,
            open_timeout=DEADLINE,
            proxy=None,
            **self._from,
        )
        return self

    async def __aexit__(self, *_):
        self._connection.transport.abort()

    def __init__(self, port, path, headers=None, authority=None, source=None):
        self._address = address_of(port, path, authority)
        self._from = {"host": "127.0.0.1", "local_addr": (source, 0)} if source else {}
        self._headers = headers
        self._tls = tls_by(authority)

    async def send(self, message):
        await self._connection.send(message)

    async def send_fragments(self, fragments):
        await self._connection.send(iter(fragments))

    async def receive(self):
        return await asyncio.wait_for(self._connection.recv(), DEADLINE)

    async def ping(self, payload):
        """Returns once the pong with this payload has come."""
        await asyncio.wait_for(await self._connection.ping(payload), DEADLINE)

    async def close(self, code, reason):
        """Closes from this side; returns the code that the server answered with."""
        await asyncio.wait_for(self._connection.close(code, reason), DEADLINE)
        return self._connection.close_code

    async def closed(self):
        """Waits until the server closes; returns its code and reason."""
        await asyncio.wait_for(self._connection.wait_closed(), DEADLINE)
        return self._connection.close_code, self._connection.close_reason

    async def end(self):
        """Takes the messages that still come, until the server closes; returns its code and reason."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.receive()
        return self._connection.close_code, self._connection.close_reason


class AiohttpClient:
    """PyPI aiohttp. It sends no fragments."""

    def __init__(self, port, path, headers=None, authority=None):
        self._address = address_of(port, path, authority, "http")
        self._headers = headers
        self._tls = tls_by(authority) or True

    async def __aenter__(self):
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE))
        self._connection = await self._session.ws_connect(
            self._address, headers=self._headers, max_msg_size=0, autoping=False, ssl=self._tls
        )
        return self

    async def __aexit__(self, *_):
        await self._session.close()

    async def send(self, message):
        await (self._connection.send_str if isinstance(message, str) else self._connection.send_bytes)(message)

    async def _next(self):
        """The next message; pings are answered here, so that pongs can be seen here too."""
        message = await self._connection.receive(timeout=DEADLINE)
        while message.type == aiohttp.WSMsgType.PING:
            await self._connection.pong(message.data)
            message = await self._connection.receive(timeout=DEADLINE)
        return message

    async def receive(self):
        message = await self._next()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        return message.data

    async def ping(self, payload):
        await self._connection.ping(payload)
        message = await self._next()
        assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, payload)

    async def close(self, code, reason):
        await asyncio.wait_for(self._connection.close(code=code, message=reason.encode()), DEADLINE)
        return self._connection.close_code

    async def closed(self):
        message = await self._next()
        assert message.type == aiohttp.WSMsgType.CLOSE, message
        return message.data, message.extra

    async def end(self):
        message = await self._next()
        while message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            message = await self._next()
        assert message.type == aiohttp.WSMsgType.CLOSE, message
        return message.data, message.extra


class NodeClient:
    """Debian's node-ws, in a process of its own (node_client.js)."""

    def __init__(self, port, path, headers=None, authority=None):
        self._address = address_of(port, path, authority)
        self._headers = headers or {}
        self._trust = {"NODE_EXTRA_CA_CERTS": str(authority)} if authority else {}

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            "node",
            Path(__file__).with_name("node_client.js"),
            self._address,
            json.dumps(self._headers),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
            # Where Debian's packages for node are; node's other builds do not look there by themselves.
            env={"NODE_PATH": "/usr/share/nodejs", **os.environ, **self._trust},
        )
        await self._event("open")
        return self

    async def __aexit__(self, *_):
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), DEADLINE)
        except TimeoutError:
            self._process.kill()
            raise

    async def _event(self, expected, skipping=("ping",)):
        while True:
            line = await asyncio.wait_for(self._process.stdout.readline(), DEADLINE)
            assert line, "node-ws ended"
            event = json.loads(line)
            if event["event"] == expected or event["event"] not in skipping:
                break
        assert event["event"] == expected, event
        return event

    async def _command(self, command, data=None, **fields):
        if data is not None:
            fields["data"] = base64.b64encode(data).decode()
        self._process.stdin.write(json.dumps({"command": command, **fields}).encode() + b"\n")
        await asyncio.wait_for(self._process.stdin.drain(), DEADLINE)

    async def _send(self, message, fin):
        is_binary = not isinstance(message, str)
        await self._command("send", message if is_binary else message.encode(), isBinary=is_binary, fin=fin)

    async def send(self, message):
        await self._send(message, True)

    async def send_fragments(self, fragments):
        for number, fragment in enumerate(fragments, 1):
            await self._send(fragment, number == len(fragments))

    async def receive(self):
        event = await self._event("message")
        data = base64.b64decode(event["data"])
        return data if event["isBinary"] else data.decode()

    async def ping(self, payload):
        await self._command("ping", payload)
        assert base64.b64decode((await self._event("pong"))["data"]) == payload

    async def close(self, code, reason):
        await self._command("close", code=code, reason=reason)
        return (await self._event("close"))["code"]

    async def closed(self):
        event = await self._event("close")
        return event["code"], event["reason"]

    async def end(self):
        event = await self._event("close", skipping=("ping", "message"))
        return event["code"], event["reason"]


CLIENTS = {"websockets": WebsocketsClient, "aiohttp": AiohttpClient, "node-ws": NodeClient}
FRAGMENTING_CLIENTS = {name: CLIENTS[name] for name in ("websockets", "node-ws")}
