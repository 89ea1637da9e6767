"""
The clients that are Python libraries, behind the face of PipeClient. With an authority, a file of certificates, they
connect by TLS, and trust servers that it vouches for.
"""

import asyncio
import ssl

import aiohttp
import picows
import picows.websockets.asyncio.client
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from clients.pipe import address_of


def tls_by(authority):
    return ssl.create_default_context(cafile=authority) if authority else None


class WebsocketsClient:
    """PyPI websockets. `offer`: arguments of its permessage-deflate, or None."""

    def __init__(self, port, is_fragmenting, offer, authority=None):
        self._address, self._tls = address_of(port, authority), tls_by(authority)
        self._extensions = None if offer is None else [ClientPerMessageDeflateFactory(**offer)]

    async def __aenter__(self):
        self._connection = await websockets.connect(
            self._address,
            ssl=self._tls,
            compression=None,
            extensions=self._extensions,
            max_size=None,
            ping_interval=None,
            proxy=None,
        )
        return self

    async def __aexit__(self, *_):
        self._connection.transport.abort()

    async def echo(self, is_text, fragments):
        await self._connection.send(fragments[0] if len(fragments) == 1 else iter(fragments), text=is_text)
        message = await self._connection.recv()
        return isinstance(message, str), message.encode() if isinstance(message, str) else message

    async def close(self):
        await self._connection.close()


class AiohttpClient:
    """PyPI aiohttp. `offer`: the largest window that the server may use, 9 to 15 bits, or 0."""

    def __init__(self, port, is_fragmenting, offer, authority=None):
        assert not is_fragmenting
        self._address, self._tls = address_of(port, authority, "http"), tls_by(authority) or True
        self._offer = offer

    async def __aenter__(self):
        self._session = aiohttp.ClientSession()
        self._connection = await self._session.ws_connect(
            self._address, max_msg_size=0, compress=self._offer, ssl=self._tls
        )
        return self

    async def __aexit__(self, *_):
        await self._session.close()

    async def echo(self, is_text, fragments):
        (payload,) = fragments
        await (self._connection.send_str(payload.decode()) if is_text else self._connection.send_bytes(payload))
        message = await self._connection.receive()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        received_text = message.type == aiohttp.WSMsgType.TEXT
        return received_text, message.data.encode() if received_text else message.data

    async def close(self):
        await self._connection.close()


class Frames(picows.WSListener):
    """Hands on the frames that picows hears of."""

    def __init__(self):
        self.received = asyncio.Queue()

    def on_ws_frame(self, transport, frame):
        self.received.put_nowait((frame.msg_type, frame.fin, frame.get_payload_as_bytes()))


class PicowsClient:
    """PyPI picows, its core interface."""

    def __init__(self, port, is_fragmenting, offer, authority=None):
        assert offer is None
        self._address, self._tls = address_of(port, authority), tls_by(authority)

    async def __aenter__(self):
        self._transport, self._frames = await picows.ws_connect(
            Frames, self._address, ssl_context=self._tls, max_frame_size=32 << 20
        )
        return self

    async def __aexit__(self, *_):
        self._transport.disconnect(graceful=False)

    async def echo(self, is_text, fragments):
        kind = picows.WSMsgType.TEXT if is_text else picows.WSMsgType.BINARY
        for index, fragment in enumerate(fragments):
            kind_of_frame = kind if index == 0 else picows.WSMsgType.CONTINUATION
            self._transport.send(kind_of_frame, fragment, fin=index == len(fragments) - 1)
        received_kind, fin, payload = await self._frames.received.get()
        assert fin
        return received_kind == picows.WSMsgType.TEXT, payload

    async def close(self):
        self._transport.send_close(picows.WSCloseCode.OK)
        await self._transport.wait_disconnected()


class PicowsWebsocketsClient:
    """PyPI picows, its reimplementation of websockets' interface. `offer`: whether it offers compression."""

    def __init__(self, port, is_fragmenting, offer, authority=None):
        self._address, self._tls = address_of(port, authority), tls_by(authority)
        self._compression = "deflate" if offer else None

    async def __aenter__(self):
        self._connection = await picows.websockets.asyncio.client.connect(
            self._address, ssl=self._tls, compression=self._compression, max_size=None, ping_interval=None, proxy=None
        )
        return self

    async def __aexit__(self, *_):
        await self._connection.close()

    async def echo(self, is_text, fragments):
        await self._connection.send(fragments[0] if len(fragments) == 1 else iter(fragments), text=is_text)
        message = await self._connection.recv()
        return isinstance(message, str), message.encode() if isinstance(message, str) else message

    async def close(self):
        await self._connection.close()
