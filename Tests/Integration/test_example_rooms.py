"""The rooms example: who is let in, and what each guest is told, with clients that we did not write."""

import asyncio
import contextlib
import json
import re
import signal
from urllib.parse import quote

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
INVISIBLE = ["\u200d", "\ufe0f", "\u034f", "\u3164", "\u115f", "\u0301\u0301", "\u2800"]
HISTORY = 50
OPTIONS = {"open_timeout": DEADLINE, "proxy": None}


@pytest.fixture(scope="module")
def server():
    with Server([EXAMPLES["rooms"], "--port", 0]) as rooms:
        yield rooms


class Guest:
    """
    Someone in a room, with one of the clients; back with what it has of the room, if that is given. What came before the
    welcome is in `past`.
    """

    def __init__(self, server, room, name, client="websockets", since=None):
        self.name = name
        self.topic = "room " + room
        self.begun, self.past, self.welcome, self.offset = [], [], None, 0
        self.members, self.awaited = set(), None
        query = f"?since={quote(f'{since}:{self.topic}')}" if since else ""
        self.client = CLIENTS[client](server.port, f"/rooms/{room}{query}", headers=HEADERS[name])

    async def __aenter__(self):
        await self.client.__aenter__()
        while not self.welcome:
            told = await self.told()
            if "said" in told:
                self.past.append(told)
            else:
                self.welcome = told["welcome"]
        assert self.welcome["name"] == self.name
        self.members = set(self.welcome["members"])
        return self

    async def __aexit__(self, *error):
        await self.client.__aexit__(*error)

    @property
    def since(self):
        """Where it is in what is said in the room."""
        return f"{self.begun[-1]['epoch']}:{self.offset}"

    async def told(self):
        """The next announcement, out of its envelope, and behind changes of who is there, which are in `members`."""
        while (message := json.loads(await self.client.receive())) and ("epoch" in message or "changed" in message):
            if "changed" in message:
                self.members |= set(message["changed"]["joined"])
                self.members -= set(message["changed"]["left"])
                if self.awaited == self.members:
                    return None
            else:
                assert message["t"] == self.topic
                self.begun.append(message)
                self.offset = message["offset"]
        if "t" not in message:
            return message
        self.offset += 1
        assert (message["t"], message["o"]) == (self.topic, self.offset)
        return json.loads(message["d"])

    async def say(self, text):
        await self.client.send(json.dumps({"say": {"text": text}}))

    async def line(self):
        """The next announcement, which is a line: who says it, and what."""
        return heard(await self.told())

    async def sees(self, *members):
        """Waits until those are there, and nobody else, as far as it was told; nothing else is announced before."""
        self.awaited = set(members)
        while self.members != self.awaited:
            assert await self.told() is None
        self.awaited = None

    async def present(self):
        """Who is there, if nothing else was announced before."""
        await self.client.send('{"who":{}}')
        return (await self.told())["present"]["members"]


def heard(announcement):
    line = announcement["said"]["line"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["date"])
    return line["name"], line["text"]


async def three_guests(guests, server, room):
    ada = await guests.enter_async_context(Guest(server, room, "Ada", "websockets"))
    grace = await guests.enter_async_context(Guest(server, room, "Grace", "aiohttp"))
    alan = await guests.enter_async_context(Guest(server, room, "Alan", "node-ws"))
    for guest in (ada, grace, alan):
        await guest.sees("Ada", "Grace", "Alan")
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
        *((f"/rooms/lobby{quote(invisible)}", HEADERS["Ada"], 404) for invisible in INVISIBLE),
        ("/rooms", HEADERS["Ada"], 404),
        ("/rooms/lobby", {**HEADERS["Alan"], "Origin": "https://elsewhere.example"}, 403),
    ],
)
async def test_who_is_not_let_in(server, path, headers, status):
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(f"ws://localhost:{server.port}{path}", additional_headers=headers, **OPTIONS)
    assert refusal.value.response.status_code == status


async def test_a_room_is_the_same_however_its_accents_are_spelled(server):
    async with entered(server, "Caf\u00e9-१२", {"Authorization": "bearer token-of-ada"}) as composed:
        async with entered(server, "Cafe\u0301-१२", HEADERS["Grace"]) as decomposed:
            assert composed["room"] == decomposed["room"] == "Caf\u00e9-१२"
            assert decomposed["members"] == ["Ada", "Grace"]


@contextlib.asynccontextmanager
async def entered(server, room, headers):
    """How somebody is welcomed in a room, in which it stays."""
    address = f"ws://localhost:{server.port}/rooms/{quote(room)}"
    async with websockets.connect(address, additional_headers=headers, **OPTIONS) as connection:
        async with asyncio.timeout(DEADLINE):
            while "welcome" not in (told := json.loads(await connection.recv())):
                pass
        yield told["welcome"]


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
        await ada.sees("Ada", "Alan")
        await alan.sees("Ada", "Alan")
        # Alan's process ends without a close frame.
        await alan.client.__aexit__()
        await ada.sees("Ada")
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
        lines = await asyncio.gather(*map(listen, room))
        assert lines[0] == lines[1] == lines[2]
        assert {guest.offset for guest in room} == {BURST * len(room)}
        for guest in room:
            own = [text for name, text in lines[0] if name == guest.name]
            assert own == [f"{number}: Grüße, 世界 🎷" for number in range(BURST)]

        # Who comes later has missed only what is older than the history.
        async with Guest(server, "talk", "Ada") as late:
            assert [heard(line) for line in late.past] == lines[0][-HISTORY:]
            assert late.offset == BURST * len(room)


async def test_who_comes_back_continues_where_it_was(server):
    async with Guest(server, "sleep", "Ada") as ada, Guest(server, "sleep", "Grace") as grace:
        await ada.say("before")
        assert [await guest.line() for guest in (ada, grace)] == [("Ada", "before")] * 2
        await ada.sees("Ada", "Grace")
        await grace.client.__aexit__()
        await ada.sees("Ada")
        for number in range(5):
            await ada.say(f"missed {number}")
            await ada.line()
        async with Guest(server, "sleep", "Grace", since=grace.since) as back:
            assert [(begun["recovered"], begun["count"]) for begun in back.begun] == [(True, 5)]
            assert [heard(line)[1] for line in back.past] == [f"missed {number}" for number in range(5)]
            await ada.sees("Ada", "Grace")
            await ada.say("and live")
            assert await back.line() == ("Ada", "and live")
        # What is no position of this room lets nobody continue: it gets what was said last, as one who comes anew.
        for since in ["00000000000000ab:3", grace.since.split(":")[0] + ":99"]:
            async with Guest(server, "sleep", "Alan", since=since) as anew:
                assert [(begun["recovered"], begun["count"]) for begun in anew.begun] == [(False, 0), (False, 7)]
                assert len(anew.past) == 7


async def test_rooms_do_not_hear_each_other(server):
    async with Guest(server, "red", "Ada") as ada, Guest(server, "blue", "Ada") as other:
        await ada.say("only in red")
        assert await ada.line() == ("Ada", "only in red")
        assert await other.present() == ["Ada"]


async def test_what_was_said_stays_when_the_last_guest_has_left(server):
    async with Guest(server, "brief", "Ada") as ada:
        await ada.say("keep me")
        await ada.line()
    async with asyncio.timeout(DEADLINE):
        members = None
        while members != ["Grace"]:
            async with Guest(server, "brief", "Grace") as grace:
                members = grace.welcome["members"]
                assert [heard(line) for line in grace.past] == [("Ada", "keep me")]


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
        await ada.sees("Ada", "Grace")
        for _ in range(200):
            with contextlib.suppress(websockets.ConnectionClosed):
                await grace.say("me! me! me!")
        assert (await grace.client.end())[0] == 1008
        # What Grace had said is told by her task, and that she has left by another: either may be first.
        ada.awaited = {"Ada"}
        told = 0
        while told < BURST or ada.members != ada.awaited:
            told += await ada.told() is not None
        ada.awaited = None
        await ada.client.send('{"who":{}}')
        while "present" not in (seen := await ada.told()):
            told += 1
        assert seen == {"present": {"members": ["Ada"]}}
        assert told < 200


async def test_every_guest_is_told_when_the_server_stops():
    with Server([EXAMPLES["rooms"], "--port", 0]) as server:
        async with contextlib.AsyncExitStack() as guests:
            room = await three_guests(guests, server, "end")
            await room[0].say("the last words")
            for guest in room:
                assert await guest.line() == ("Ada", "the last words")
            server.send_signal(signal.SIGTERM)
            assert [(await guest.client.end())[0] for guest in room] == [1001] * 3
