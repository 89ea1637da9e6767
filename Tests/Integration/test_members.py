"""Members of a topic with clients that are not ours: who comes, leaves and vanishes, and what the others are told of it."""

import asyncio
import contextlib
import json
import random
import subprocess
import time
import urllib.request

import pytest
import websockets

from support.deadline import DEADLINE
from support.programs import IS_REPEATED, ROOT, SWIFT_MODULES, swift_objects
from support.server import Server

pytestmark = pytest.mark.skipif(IS_REPEATED, reason="what members do is the same; the core's tests run sanitized")

CLIENTS = 120
WINDOW = 0.25  # seconds


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("members")
    source = folder / "main.swift"
    source.write_text((ROOT / "Tests/Integration/surroundings/Members.swift").read_text())
    command = ["swiftc", "-swift-version", "6", *SWIFT_MODULES, source, *swift_objects(), "-lz"]
    subprocess.run([*command, "-o", folder / "members"], check=True, timeout=200)
    return folder / "members"


@pytest.fixture
def server(program):
    with Server([program]) as server:
        yield server


class Watch:
    """What a client knows of the room by what it was told; and how often that was."""

    def __init__(self, socket):
        self._socket = socket
        self.known = {}
        self.told = 0

    async def until(self, condition, what):
        async with asyncio.timeout(2 * DEADLINE):
            while not condition(self.known):
                change = json.loads(await self._socket.recv())
                self.told += 1
                for key, info in change["joined"]:
                    assert self.known.get(key) != info, f"{key} was told as {info} already"
                    self.known[key] = info
                for key, info in change["left"]:
                    assert self.known.pop(key) == info
                assert len(self.known) == change["count"], f"{what}: {change}"


async def members(server):
    def ask():
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/members", timeout=DEADLINE) as response:
            return dict(json.load(response))

    return await asyncio.to_thread(ask)


async def join(server, key="", info=""):
    return await websockets.connect(f"ws://127.0.0.1:{server.port}/room?key={key}&info={info}")


@contextlib.asynccontextmanager
async def watching(server):
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/watch") as socket:
        # What was published before it has subscribed it does not get.
        await (await socket.ping())
        yield Watch(socket)


async def leave(socket, way):
    if way == "unsubscribes":
        await socket.send("leave")
    elif way == "is terminated":
        await socket.send("end")
    elif way == "closes":
        await socket.close()
    else:
        socket.transport.abort()


WAYS = ["unsubscribes", "is terminated", "closes", "vanishes"]


@pytest.mark.parametrize("way", WAYS)
async def test_who_leaves_is_gone(server, way):
    async with watching(server) as watch:
        stays = await join(server, "stays", "s")
        leaves = await join(server, "leaves", "l")
        await watch.until(lambda known: known == {"stays": "s", "leaves": "l"}, "both have come")
        await leave(leaves, way)
        await watch.until(lambda known: known == {"stays": "s"}, way)
        assert await members(server) == {"stays": "s"}
        leaves.transport.abort()
        await stays.close()


async def test_a_user_with_several_connections_is_there_once_until_the_last_is_gone(server):
    async with watching(server) as watch:
        tabs = [await join(server, "ada", "reading"), await join(server, "ada", "writing")]
        await watch.until(lambda known: known == {"ada": "writing"}, "she has come")
        await leave(tabs.pop(), "vanishes")
        grace = await join(server, "grace")
        await watch.until(lambda known: "grace" in known, "another has come")
        assert await members(server) == {"ada": "writing", "grace": ""}
        await leave(tabs.pop(), "vanishes")
        await watch.until(lambda known: known == {"grace": ""}, "the last is gone")
        await grace.close()


async def test_a_crowd_is_told_in_few_messages_and_adds_up_to_who_is_there(server):
    chosen = random.Random(1)
    began = time.monotonic()
    async with watching(server) as watch:
        sockets = list(await asyncio.gather(*(join(server, f"user{i % 90}", f"{i}") for i in range(CLIENTS))))
        for socket in sockets:
            await (await socket.ping())
        there = await members(server)
        assert set(there) == {f"user{i}" for i in range(90)}
        await watch.until(lambda known: known == there, "all have come")
        for _ in range(3):
            chosen.shuffle(sockets)
            gone, sockets = sockets[: CLIENTS // 2], sockets[CLIENTS // 2 :]
            await asyncio.gather(*(leave(socket, chosen.choice(WAYS)) for socket in gone))
            come = (join(server, f"user{chosen.randrange(90)}", f"{chosen.random():.6f}") for _ in gone)
            sockets += await asyncio.gather(*come)
            for socket in gone:
                socket.transport.abort()
        for socket in sockets:
            socket.transport.abort()
        await watch.until(lambda known: known == {}, "all have left")
        assert await members(server) == {}
        # 300 have come and as many have left, and each message is of a window, not of one of them.
        assert watch.told <= 1 + (time.monotonic() - began) / WINDOW
