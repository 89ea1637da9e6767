"""The game example: several players in one world, and its page in a browser. All time here is the world's: steps."""

import asyncio
import contextlib
import dataclasses
import json
import signal
import socket
import struct

import pytest
import websockets

from support.browser import PROGRAM, Browser
from support.clients import CLIENTS
from support.cutting import Proxy
from support.deadline import DEADLINE
from support.looks import check_looks, until_drawn
from support.programs import EXAMPLES, IS_REPEATED
from support.server import Server

WIDTH, HEIGHT, SPEED, COINS = 800, 400, 6, 8
UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8


@pytest.fixture(scope="module")
def server():
    with Server([EXAMPLES["game"], "--port", 0]) as game:
        yield game


@dataclasses.dataclass(frozen=True)
class Snapshot:
    step: int
    players: dict  # by number: x, y, score
    coins: tuple

    @classmethod
    def read(cls, data):
        fields = memoryview(data)

        def take(layout):
            nonlocal fields
            size = struct.calcsize(layout)
            values, fields = struct.unpack(layout, fields[:size]), fields[size:]
            return values

        step, count = take("<IH")
        players = {number: rest for number, *rest in (take("<IhhH") for _ in range(count))}
        (count,) = take("<H")
        coins = tuple(take("<hh") for _ in range(count))
        assert len(fields) == 0
        return cls(step, players, coins)


class Player:
    """Somebody in the game, with one of the clients. No snapshot is missing, and none comes twice."""

    def __init__(self, server, client="websockets"):
        self.client = CLIENTS[client](server.port, "/game")
        self._last_step = None

    async def __aenter__(self):
        await self.client.__aenter__()
        welcome = json.loads(await self.client.receive())
        self.number = welcome.pop("player")
        assert welcome == {"width": WIDTH, "height": HEIGHT, "stepsPerSecond": 60}
        assert self.number in (await self.snapshot()).players
        return self

    async def __aexit__(self, *error):
        await self.client.__aexit__(*error)

    async def snapshot(self):
        snapshot = Snapshot.read(await self.client.receive())
        assert self._last_step is None or snapshot.step == self._last_step + 1
        self._last_step = snapshot.step
        return snapshot

    async def place(self):
        return tuple((await self.snapshot()).players[self.number][:2])

    async def until(self, holds):
        """The first snapshot for which it holds."""
        async with asyncio.timeout(DEADLINE):
            while not holds(snapshot := await self.snapshot()):
                pass
        return snapshot

    async def seeing(self, happening):
        """Waits for it, and sees what happens meanwhile: who does not look is late, and has to leave."""
        task = asyncio.ensure_future(happening)
        while not task.done():
            await self.snapshot()
        return await task

    async def hold(self, directions):
        await self.client.send(bytes([directions]))


async def players_of(server, players):
    return [await players.enter_async_context(Player(server, client)) for client in CLIENTS]


async def test_all_see_the_same_world_step_by_step(server):
    async with contextlib.AsyncExitStack() as stack:
        players = await players_of(server, stack)
        assert len({player.number for player in players}) == len(players)
        first = (await players[-1].snapshot()).step
        last = first + 30

        async def watch(player):
            seen = {}
            while last not in seen:
                snapshot = await player.snapshot()
                seen[snapshot.step] = snapshot
            return [seen[step] for step in range(first + 1, last)]

        worlds = await asyncio.gather(*map(watch, players))
        assert worlds[0] == worlds[1] == worlds[2]
        assert {player.number for player in players} <= set(worlds[0][0].players)
        assert len(worlds[0][0].coins) == COINS


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_player_goes_where_it_steers_as_far_in_every_step(server, client):
    moves = [(RIGHT, (1, 0)), (LEFT, (-1, 0)), (DOWN, (0, 1)), (UP, (0, -1))]
    moves += [(DOWN | RIGHT, (1, 1)), (UP | LEFT, (-1, -1)), (0, (0, 0)), (LEFT | RIGHT, (0, 0)), (0xFF, (0, 0))]
    async with Player(server, client) as player:
        for held, (across, down) in moves:
            await player.hold(held)
            before, steps = await player.place(), 0
            # As soon as the input is there, each step goes as far; and the world has an edge.
            while steps < 8:
                now = await player.place()
                expected = before[0] + SPEED * across, before[1] + SPEED * down
                expected = min(max(expected[0], 0), WIDTH), min(max(expected[1], 0), HEIGHT)
                steps = steps + 1 if now == expected else 0
                before = now


async def test_the_world_has_edges(server):
    async with Player(server) as player:
        await player.hold(DOWN | RIGHT)
        await player.until(lambda snapshot: snapshot.players[player.number][:2] == [WIDTH, HEIGHT])
        assert [await player.place() for _ in range(10)] == [(WIDTH, HEIGHT)] * 10


async def test_only_the_last_input_before_a_step_counts(server):
    async with Player(server) as player:
        for number in range(5_000):
            await player.client.send(bytes([number % 16]))
        await player.hold(0)
        still = 0
        before = await player.place()
        while still < 30:
            now = await player.place()
            still = still + 1 if now == before else 0
            before = now


async def test_who_reaches_a_coin_gets_it_and_all_see_it(server):
    async with Player(server) as player, Player(server, "aiohttp") as other:

        def nearest(snapshot):
            x, y, _ = snapshot.players[player.number]
            return min(((cx - x, cy - y) for cx, cy in snapshot.coins), key=lambda way: abs(way[0]) + abs(way[1]))

        snapshot = await player.snapshot()
        score = snapshot.players[player.number][2]
        async with asyncio.timeout(DEADLINE):
            while snapshot.players[player.number][2] == score:
                across, down = nearest(snapshot)
                sideways = RIGHT if across > SPEED else LEFT if across < -SPEED else 0
                await player.hold(sideways | (DOWN if down > SPEED else UP if down < -SPEED else 0))
                snapshot = await player.snapshot()
        assert len(snapshot.coins) == COINS
        assert (await other.until(lambda seen: seen.step == snapshot.step)) == snapshot


async def test_who_leaves_is_gone_from_the_world(server):
    async with contextlib.AsyncExitStack() as stack:
        stays, closes, vanishes = await players_of(server, stack)
        await stays.until(lambda snapshot: {closes.number, vanishes.number} <= snapshot.players.keys())
        assert await closes.client.close(1000, "") == 1000
        await stays.until(lambda snapshot: closes.number not in snapshot.players)
        await vanishes.client.__aexit__()
        await stays.until(lambda snapshot: vanishes.number not in snapshot.players)
        assert stays.number in (await stays.snapshot()).players


async def test_who_is_too_late_leaves_and_nobody_waits(server):
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    small.connect(("127.0.0.1", server.port))
    options = {"sock": small, "max_queue": 1, "compression": None, "ping_interval": None, "proxy": None}
    async with Player(server) as quick:
        late = await websockets.connect(f"ws://localhost:{server.port}/game", **options)
        number = json.loads(await late.recv())["player"]
        await quick.until(lambda snapshot: number in snapshot.players)
        # It reads nothing from now on. The others miss no step: see Player.
        await quick.until(lambda snapshot: number not in snapshot.players)
        late.transport.abort()


@pytest.mark.parametrize("message", ["1", b"", b"\x01\x02"])
async def test_what_is_no_input_ends_its_sender(server, message):
    async with Player(server) as player:
        await player.client.send(message)
        assert await player.client.end() == (1003, "an input is one byte")


async def test_every_player_is_told_when_the_server_stops():
    with Server([EXAMPLES["game"], "--port", 0]) as server:
        async with contextlib.AsyncExitStack() as stack:
            players = await players_of(server, stack)
            server.send_signal(signal.SIGTERM)
            assert [(await player.client.end())[0] for player in players] == [1001] * len(players)


@pytest.mark.skipif(PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell")
@pytest.mark.skipif(IS_REPEATED, reason="the page is the same")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_plays(server, tmp_path, scheme):
    status = "document.getElementById('status')?.textContent"
    async with Browser(tmp_path / "browser") as browser, contextlib.AsyncExitStack() as stack:
        tab = await browser.open(f"http://localhost:{server.port}/", width=360, height=640, scheme=scheme)
        await tab.until(f"/^You are player [0-9]+[.]$/.test({status})")
        number = int(await tab.evaluate(f"{status}.match(/[0-9]+/)[0]"))
        other = await stack.enter_async_context(Player(server))
        await other.until(lambda snapshot: number in snapshot.players)

        # What its keys do is seen by others.
        keys = [("ArrowRight", 0, 1, WIDTH), ("KeyA", 0, -1, 0), ("KeyS", 1, 1, HEIGHT), ("ArrowUp", 1, -1, 0)]
        for key, axis, sign, edge in keys:
            start = (await other.snapshot()).players[number][axis]
            await other.seeing(tab.call("Input.dispatchKeyEvent", type="keyDown", code=key))

            def has_gone(seen):
                place = seen.players[number][axis]
                return place == edge or sign * (place - start) > 0

            await other.until(has_gone)
            await other.seeing(tab.call("Input.dispatchKeyEvent", type="keyUp", code=key))

        # It shows the world, and counts the other player.
        await other.seeing(until_drawn(tab, "canvas"))
        await other.seeing(tab.until("document.getElementById('count').textContent == '1'"))
        await other.seeing(tab.screenshot(tmp_path / "page.png"))
        await other.seeing(check_looks(tab, scheme, ["h1", "#status", "#self", "#others", "#coins"]))
        await other.seeing(tab.close())
        await other.until(lambda snapshot: number not in snapshot.players)


@pytest.mark.skipif(PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell")
@pytest.mark.skipif(IS_REPEATED, reason="the page is the same")
async def test_a_connection_that_has_died_in_silence_is_replaced(server, tmp_path):
    status = "document.getElementById('status')?.textContent"
    async with Proxy(server.port) as proxy, Browser(tmp_path / "browser") as browser:
        tab = await browser.open(f"http://localhost:{proxy.port}/")
        await tab.until(f"{status}?.startsWith('You are player')")
        proxy.hold()
        await tab.until(f"{status}.startsWith('The game is over: the connection is lost.')")
        proxy.free()
        await tab.until(f"{status}.startsWith('You are player')")
