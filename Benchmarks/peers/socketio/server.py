"""
A server on python-socketio, whose processes share their rooms through Redis: it sends each event `fan` to all clients
that have joined without `role=publisher`.

    server.py --port N --redis URL
"""

from __future__ import annotations

import argparse
from typing import Any

import socketio
import uvicorn

ROOM = "fan"
SECONDS_BETWEEN_PINGS = 3600


def application(redis: str) -> socketio.ASGIApp:
    server = socketio.AsyncServer(
        async_mode="asgi",
        client_manager=socketio.AsyncRedisManager(redis),
        transports=["websocket"],
        ping_interval=SECONDS_BETWEEN_PINGS,
    )

    @server.on("connect")
    async def connect(client: str, environ: dict[str, Any]) -> None:
        if "role=publisher" not in environ["QUERY_STRING"]:
            await server.enter_room(client, ROOM)

    @server.on("fan")
    async def fan(_: str, text: str) -> None:
        await server.emit("fan", text, room=ROOM)

    return socketio.ASGIApp(server)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--redis", required=True)
    options = parser.parse_args()
    uvicorn.run(application(options.redis), host="127.0.0.1", port=options.port, loop="uvloop", log_level="warning",
                lifespan="off")  # fmt: skip


main()
