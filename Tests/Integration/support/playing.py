"""Programs of examples at work: who serves is visited by a client that knows nothing of it, and asked to end."""

import asyncio
import contextlib
import dataclasses
import http.client
import os
import re
import signal
import subprocess
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from support.deadline import DEADLINE, eventually
from support.process import catches_signal, listening_ports
from support.server import Lines

# What lets a client in where an example asks who it is, and JSON that has what each of them reads.
COOKIES = "session=secret; user=Ada; name=Ada"
QUERY = "name=Ada"
JSON = (
    '{"name": "sum", "arguments": [1, 2], "items": [{"price": 3}], "say": "Hi", "number": 1, '
    '"player_name": "Ada", "at": "2026-03-01T09:30:00Z"}'
)


@dataclasses.dataclass
class Visit:
    path: str
    is_let_in: bool = False
    received: list = dataclasses.field(default_factory=list)
    close_code: int | None = None


@dataclasses.dataclass
class Played:
    """How a program ended: its exit code, what it wrote, and whether it served until it was asked to end."""

    code: int
    output: str
    errors: str
    visits: list
    pages: dict
    was_serving: bool


async def visit(port, path, messages, tls=None):
    """Sends the messages, and leaves when they were handled; the server may refuse or close at any time."""
    seen = Visit(path)
    segments = re.sub(r"/[:*](\w+)", r"/\1", path)  # each parameter is its own name
    address = f"{'wss://localhost' if tls else 'ws://127.0.0.1'}:{port}{segments}?{QUERY}"
    settings = {"additional_headers": {"Cookie": COOKIES}, "max_queue": None, "proxy": None, "ssl": tls}
    with contextlib.suppress(ConnectionError, InvalidHandshake):
        async with asyncio.timeout(DEADLINE), connect(address, **settings) as client:
            seen.is_let_in = True
            reading = asyncio.create_task(_read(client, seen.received))
            with contextlib.suppress(ConnectionClosed):
                for message in messages:
                    await client.send(message)
                await (await client.ping())
            await client.close()
            await reading
            seen.close_code = client.close_code
    return seen


async def _read(client, received):
    with contextlib.suppress(ConnectionClosed):
        async for message in client:
            received.append(message)


def status_of(port, path, tls=None):
    """The status of a page."""
    if tls:
        connection = http.client.HTTPSConnection("localhost", port, timeout=DEADLINE, context=tls)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def nothing_more(visits):
    return True


async def play(
    program,
    paths,
    conversations,
    *,
    pages=(),
    tls=None,
    environment=(),
    has_seen=nothing_more,
    ends_in_order=False,
):
    """
    Runs a program in its folder, to its end. If it listens, a client visits each path once for each conversation, a list
    of messages; and the last path again, until it has seen what it looks for. Then it gets the pages. With a context of
    TLS it connects by that. A program that ends in order is not asked to end before it can: it listens earlier.
    """
    process = subprocess.Popen(
        [program],
        cwd=program.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **dict(environment)},
    )
    output, errors = Lines(process.stdout), Lines(process.stderr)
    ports, visits, statuses = [], [], {}

    def has_come():
        ports[:] = listening_ports(process.pid)
        return ports or process.poll() is not None

    try:
        eventually(has_come, "it listens, or has ended")
        for port in ports[:1]:
            visits = [await visit(port, path, messages, tls) for path in paths for messages in conversations]
            end = time.monotonic() + DEADLINE
            while not has_seen(visits) and time.monotonic() < end:
                visits.append(await visit(port, paths[-1], [], tls))
            statuses = {page: status_of(port, page, tls) for page in pages}
        was_serving = process.poll() is None
        if was_serving and ends_in_order:
            eventually(lambda: catches_signal(process.pid, signal.SIGTERM), "it can be asked to end")
        if was_serving:
            process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait()
    output.join()
    errors.join()
    return Played(process.returncode, output.text(), errors.text(), visits, statuses, was_serving)
