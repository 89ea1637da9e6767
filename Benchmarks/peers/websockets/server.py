"""An echo server on Python's websockets, for comparison: server.py --port N [--deflate].

Its documentation recommends uvloop, and no compression where speed counts.
"""

import argparse
import asyncio
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
    arguments = parser.parse_args()
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
        )
    except OSError as error:
        sys.exit(f"websockets: {error}")
    print(f"listening on port {arguments.port}", flush=True)
    await server.wait_closed()


uvloop.run(main())
