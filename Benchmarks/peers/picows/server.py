"""An echo server on Python's picows, for comparison: server.py --port N [--certificate FILE --key FILE].

With uvloop, as in its own benchmarks. It has no permessage-deflate.
"""

import argparse
import asyncio
import logging
import ssl
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server


class Echo(WSListener):
    """Echoes frames unchanged, so that messages in fragments stay in fragments."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type != WSMsgType.PONG:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)


async def main() -> None:
    # It warns for each message that is echoed to a client that has gone.
    logging.disable()
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if arguments.certificate else None
    if tls is not None:
        tls.load_cert_chain(arguments.certificate, arguments.key)
    try:
        server = await ws_create_server(lambda request: Echo(), None, arguments.port, max_frame_size=16 << 20, ssl=tls)
    except OSError as error:
        sys.exit(f"picows: {error}")
    print(f"listening on port {arguments.port}", flush=True)
    await server.serve_forever()


uvloop.run(main())
