"""An echo server on Python's websockets, for comparison: server.py --port N [--deflate] [--certificate FILE --key FILE].

Its documentation recommends uvloop, and no compression where speed counts.
"""

import argparse
import asyncio
import ssl
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


async def echo(connection: ServerConnection) -> None:
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if arguments.certificate else None
    if tls is not None:
        tls.load_cert_chain(arguments.certificate, arguments.key)
    deflate = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
    try:
        server = await serve(
            echo,
            None,
            arguments.port,
            compression=None,
            extensions=[deflate] if arguments.deflate else None,
            max_size=16 << 20,
            ping_interval=None,
            ssl=tls,
        )
    except OSError as error:
        sys.exit(f"websockets: {error}")
    print(f"listening on port {arguments.port}", flush=True)
    await server.wait_closed()


uvloop.run(main())
