"""The rooms example: who is let in, and what each guest is told, with clients that we did not write."""

import asyncio
import contextlib
import json
import re
import signal

import pytest
import websockets

from support.clients import CLIENTS
from support.deadline import DEADLINE
from support.programs import EXAMPLES
from support.server import Server

# Ada and Grace come as programs do, Alan with a cookie, as a browser.
HEADERS = {
    "Ada": {"Authorization": "Bearer token-of-ada"},
    "Grace": {"Authorization": "Bearer token-of-grace"},
    "Alan": {"Cookie": "theme=dark; session=token-of-alan"},
}
BURST = 20
HISTORY = 50


@pytest.fixture(scope="module")
def server():
    with Server([EXAMPLES["rooms"], "--port", 0]) as rooms:
        yield rooms


class Guest:
    """Someone in a room, with one of the clients."""

    def __init__(self, server, room, name, client="websockets"):
        self.name = name
        self.client = CLIENTS[client](server.port, f"/rooms/{room}", headers=HEADERS[name])

    async def __aenter__(self):
        await self.client.__aenter__()
        self.welcome = (await self.told())["welcome"]
        assert self.welcome["name"] == self.name
        return self

    async def __aexit__(self, *error):
        await self.client.__aexit__(*error)

    async def told(self):
        return json.loads(await self.client.receive())

    async def say(self, text):
        await self.client.send(json.dumps({"say": {"text": text}}))

    async def line(self):
        """The next announcement, which is a line: its number, who says it, and what."""
        line = (await self.told())["said"]["line"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["date"])
        return line["number"], line["name"], line["text"]

    async def present(self):
        """Who is there, if nothing else was announced before."""
        await self.client.send('{"who":{}}')
        return (await self.told())["present"]["members"]


async def three_guests(guests, server, room):
    ada = await guests.enter_async_context(Guest(server, room, "Ada", "websockets"))
    grace = await guests.enter_async_context(Guest(server, room, "Grace", "aiohttp"))
    alan = await guests.enter_async_context(Guest(server, room, "Alan", "node-ws"))
    assert await ada.told() == {"joined": {"name": "Grace"}}
    assert await ada.told() == await grace.told() == {"joined": {"name": "Alan"}}
    return ada, grace, alan


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/rooms/lobby", {}, 401),
        ("/rooms/lobby", {"Authorization": "Bearer stolen"}, 401),
        ("/rooms/lobby", {"Authorization": "token-of-ada"}, 401),
        ("/rooms/lobby", {"Cookie": "session=stolen"}, 401),
        ("/rooms/lobby", {"Cookie": "other=token-of-ada"}, 401),
        ("/rooms/lobby?token=token-of-ada", {}, 401),
        ("/rooms/no%20spaces", HEADERS["Ada"], 404),
        ("/rooms/" + "x" * 33, HEADERS["Ada"], 404),
        ("/rooms", HEADERS["Ada"], 404),
        ("/rooms/lobby", {**HEADERS["Alan"], "Origin": "https://elsewhere.example"}, 403),
    ],
)
async def test_who_is_not_let_in(server, path, headers, status):
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(f"ws://localhost:{server.port}{path}", additional_headers=headers, proxy=None)
    assert refusal.value.response.status_code == status


async def test_guests_are_told_who_is_there_who_comes_and_who_leaves(server):
    async with contextlib.AsyncExitStack() as guests:
        ada, grace, alan = await three_guests(guests, server, "tea")
        members = [guest.welcome["members"] for guest in (ada, grace, alan)]
        assert members == [["Ada"], ["Ada", "Grace"], ["Ada", "Alan", "Grace"]]
        assert [guest.welcome["room"] for guest in (ada, grace, alan)] == ["tea"] * 3
        assert await grace.present() == ["Ada", "Alan", "Grace"]

        # With a second tab nobody comes, and without it nobody leaves.
        async with Guest(server, "tea", "Ada") as second:
            assert second.welcome["members"] == ["Ada", "Alan", "Grace"]
        await grace.client.close(1000, "")
        assert await ada.told() == await alan.told() == {"left": {"name": "Grace"}}
        # Alan's process ends without a close frame.
        await alan.client.__aexit__()
        assert await ada.told() == {"left": {"name": "Alan"}}
        assert await ada.present() == ["Ada"]


async def test_all_hear_the_same_in_the_same_order(server):
    async with contextlib.AsyncExitStack() as guests:
        room = await three_guests(guests, server, "talk")

        async def speak(guest):
            for number in range(BURST):
                await guest.say(f"{number}: Grüße, 世界 🎷")

        async def listen(guest):
            return [await guest.line() for _ in range(BURST * len(room))]

        await asyncio.gather(*map(speak, room))
        heard = await asyncio.gather(*map(listen, room))
        assert heard[0] == heard[1] == heard[2]
        assert [number for number, _, _ in heard[0]] == list(range(1, BURST * len(room) + 1))
        for guest in room:
            own = [text for _, name, text in heard[0] if name == guest.name]
            assert own == [f"{number}: Grüße, 世界 🎷" for number in range(BURST)]

        # Who comes later has missed only what is older than the history.
        async with Guest(server, "talk", "Ada") as late:
            history = [(line["number"], line["name"], line["text"]) for line in late.welcome["history"]]
        assert history == heard[0][-HISTORY:]


async def test_rooms_do_not_hear_each_other(server):
    async with Guest(server, "red", "Ada") as ada, Guest(server, "blue", "Ada") as other:
        await ada.say("only in red")
        assert (await ada.line())[1:] == ("Ada", "only in red")
        assert await other.present() == ["Ada"]


async def test_a_room_is_forgotten_with_its_last_guest(server):
    async with Guest(server, "brief", "Ada") as ada:
        await ada.say("forget me")
        await ada.line()
    async with asyncio.timeout(DEADLINE):
        is_forgotten = False
        while not is_forgotten:
            async with Guest(server, "brief", "Grace") as grace:
                is_forgotten = grace.welcome["history"] == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "expected JSON"),
        ("hello", "expected JSON"),
        ("{}", "expected Command"),
        ('{"shout":{}}', "expected Command"),
        ('{"say":{}}', "say.text: expected a value, and there is none"),
        ('{"say":{"text":1}}', "say.text: expected String"),
        ('{"say":{"text":""}}', "A text has 1 to 500 bytes."),
        (json.dumps({"say": {"text": "ä" * 251}}), "A text has 1 to 500 bytes."),
    ],
)
async def test_what_is_no_command_is_refused_with_the_reason_and_the_guest_stays(server, message, reason):
    async with Guest(server, "wrong", "Ada") as ada:
        await ada.client.send(message)
        assert await ada.told() == {"refused": {"reason": reason}}
        assert await ada.present() == ["Ada"]


async def test_a_flood_ends_its_sender_and_nobody_else(server):
    async with Guest(server, "flood", "Ada") as ada, Guest(server, "flood", "Grace") as grace:
        assert await ada.told() == {"joined": {"name": "Grace"}}
        for _ in range(200):
            with contextlib.suppress(websockets.ConnectionClosed):
                await grace.say("me! me! me!")
        assert (await grace.client.end())[0] == 1008
        told = [await ada.told()]
        while "left" not in told[-1]:
            told.append(await ada.told())
        assert told.pop() == {"left": {"name": "Grace"}}
        assert BURST <= len(told) < 200
        assert await ada.present() == ["Ada"]


async def test_every_guest_is_told_when_the_server_stops():
    with Server([EXAMPLES["rooms"], "--port", 0]) as server:
        async with contextlib.AsyncExitStack() as guests:
            room = await three_guests(guests, server, "end")
            await room[0].say("the last words")
            for guest in room:
                assert (await guest.line())[2] == "the last words"
            server.send_signal(signal.SIGTERM)
            assert [(await guest.client.end())[0] for guest in room] == [1001] * 3
