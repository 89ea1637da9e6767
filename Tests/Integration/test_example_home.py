"""What `make run` serves, without a browser: the pages and their headers, the rooms of the chat, the feed, the numbers."""

import asyncio
import contextlib
import itertools
import json
import re
import subprocess
import time
import unicodedata

import pytest
import websockets

from support.clients import CLIENTS
from support.deadline import DEADLINE
from support.programs import EXAMPLES, ROOT
from support.raw import RawConnection, request
from support.server import Server

PAGES = ["/", "/chat", "/feed", "/console"]
FILES = sorted((ROOT / "Examples/Home/Pages").iterdir())


@pytest.fixture(scope="module")
def home():
    with Server([EXAMPLES["home"], "--port", 0]) as server:
        yield server


def get(home, path):
    with RawConnection(home.port) as connection:
        connection.send(request(path=path))
        return connection.read_response()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_all_in_one_and_lets_nothing_else_in(home, path):
    page = get(home, path)
    assert (page.status, page.header("Content-Type")) == (200, "text/html; charset=utf-8")
    text = page.body.decode()
    assert text.startswith("<!doctype html>\n") and text.endswith("</html>\n") and "{{" not in text
    # Nothing is loaded: every reference is a page of this server, an anchor, or in the page.
    references = re.findall(r"""(?:src|href|action|poster|data)=["']([^"']*)|url\(([^)]*)|@import|import\s*\(""", text)
    assert references and all(re.match(r"/(?!/)|#|data:image/svg", first) for first, _ in references)
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"http://www.w3.org/2000/svg"}
    # Only what has this visit's nonce is applied or run.
    policy = dict(part.strip().partition(" ")[::2] for part in page.header("Content-Security-Policy").split(";"))
    nonce = re.fullmatch(r"'nonce-(\w{16,})'", policy["script-src"])[1]
    assert policy["style-src"] == f"'nonce-{nonce}'"
    assert re.findall(r"<(style|script)[^>]* nonce=\"(\w+)\">", text) == [("style", nonce), ("script", nonce)]
    nothing = ("default-src", "base-uri", "form-action", "frame-ancestors")
    assert {policy[name] for name in nothing} == {"'none'"} and policy["connect-src"] == "'self'"
    assert not re.search(r"\sstyle=|\son\w+=\"", text)
    assert get(home, path).header("Content-Security-Policy") != page.header("Content-Security-Policy")


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(home, path):
    links = set(re.findall(r'href="(/[^"#]*)', get(home, path).body.decode()))
    assert links >= {*PAGES, "/jazzy"}
    assert {link: get(home, link).status for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize("path", PAGES)
def test_the_script_of_a_page_is_a_program(home, path, tmp_path):
    [script] = re.findall(r'<script type="module"[^>]*>(.*)</script>', get(home, path).body.decode(), re.DOTALL)
    (tmp_path / "script.mjs").write_text(script)
    subprocess.run(["node", "--check", tmp_path / "script.mjs"], check=True, timeout=DEADLINE)
    # Names and texts of others never become HTML or code.
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\bDOMParser", script)


@pytest.mark.parametrize("file", [path for path in FILES if path.suffix != ".svg"], ids=lambda path: path.name)
def test_a_file_of_the_pages_is_short(file):
    assert len(file.read_text().splitlines()) < 400


def test_what_operators_ask_for_is_there(home):
    assert "jazzy_" in get(home, "/metrics").body.decode()
    assert get(home, "/health").status == 200


class Member:
    """One who is in the chat: what it is told, by kind. `position` is where it is in what is said in its room."""

    def __init__(self, client):
        self._client = client
        self.begun, self.position = None, None

    async def leave(self):
        await self._client.close(1000, "")

    async def tell(self, command, **content):
        await self._client.send(json.dumps({command: content}))

    async def next(self, *kinds):
        while True:
            message = json.loads(await self._client.receive())
            if "epoch" in message:
                self.begun, self.position = message, (message["epoch"], message["offset"])
                message = {"beginning": message}
            elif "t" in message:
                epoch, offset = self.position
                assert message["o"] == offset + 1
                self.position = epoch, offset + 1
                message = json.loads(message["d"])
            [(kind, content)] = message.items()
            if kind in kinds:
                return {kind: content}

    async def is_told(self, what, name):
        """Waits until it is told that somebody came, or went, perhaps with others."""
        while name not in (await self.next(what))[what]["names"]:
            pass

    async def ask(self, room, name, **more):
        """For a place in a room: the answer."""
        await self.tell("join", room=room, name=name, **more)
        return await self.next("joined", "refused")

    async def join(self, room, name, since=None):
        return (await self.ask(room, name, **({"since": "{}:{}".format(*since)} if since else {})))["joined"]


SOURCES = (f"127.1.{number // 250}.{number % 250 + 1}" for number in itertools.count())


@contextlib.asynccontextmanager
async def members(home, count, source=None):
    """So many, from one place, which is another one each time: of those of one place not all are let in."""
    source = source or next(SOURCES)
    async with contextlib.AsyncExitStack() as stack:
        clients = [CLIENTS["websockets"](home.port, "/rooms", source=source) for _ in range(count)]
        yield [Member(await stack.enter_async_context(client)) for client in clients]


async def heard(member):
    said = (await member.next("said"))["said"]["line"]
    return said["name"], said["text"]


async def test_who_is_in_a_room_hears_what_is_said_there_and_nobody_else(home):
    async with members(home, 3) as (ada, grace, alan):
        assert (await ada.join("First", "Ada"))["people"] == ["Ada"]
        joined = await grace.join("First", "Grace")
        assert (joined["people"], joined["name"]) == (["Ada", "Grace"], "Grace")
        assert (await grace.next("beginning", "said"))["beginning"]["count"] == 0
        await alan.join("Second", "Alan")
        await alan.tell("say", text="Is anybody here?")
        assert await heard(alan) == ("Alan", "Is anybody here?")
        await ada.is_told("came", "Grace")
        await ada.tell("say", text="  Grüße, 世界 🎷\nשלום  ")
        for member in (ada, grace):
            assert await heard(member) == ("Ada", "Grüße, 世界 🎷\nשלום")
        # Who comes later is told what was said.
        joined = await alan.join("First", "Alan")
        assert joined["people"] == ["Ada", "Grace", "Alan"]
        assert (await alan.next("beginning", "said"))["beginning"]["count"] == 1
        assert await heard(alan) == ("Ada", "Grüße, 世界 🎷\nשלום")


async def test_who_comes_back_continues_where_it_was(home):
    async with members(home, 1) as (ada,):
        await ada.join("Asleep", "Ada")
        async with members(home, 1) as (grace,):
            await grace.join("Asleep", "Grace")
            await ada.tell("say", text="before")
            assert await heard(grace) == ("Ada", "before")
            # The same room under another name: nothing comes twice.
            await grace.join("Asleep", "Hopper", since=grace.position)
            assert (await grace.next("beginning"))["beginning"]["recovered"]
        for number in range(3):
            await ada.tell("say", text=f"missed {number}")
        while await heard(ada) != ("Ada", "missed 2"):
            pass
        async with members(home, 2) as (back, anew):
            await back.join("Asleep", "Grace", since=grace.position)
            assert await back.next("beginning", "said") == {"beginning": back.begun}
            assert (back.begun["recovered"], back.begun["count"]) == (True, 3)
            assert [await heard(back) for _ in range(3)] == [("Ada", f"missed {number}") for number in range(3)]
            await ada.tell("say", text="and live")
            assert await heard(back) == ("Ada", "and live")
            # Whoever cannot continue gets what was said last.
            await anew.join("Asleep", "Alan", since=("00000000000000ab", 3))
            assert [(await anew.next("beginning"))["beginning"]["count"] for _ in range(2)] == [0, 5]
            assert await heard(anew) == ("Ada", "before")


@pytest.mark.parametrize("how", ["leaves", "is lost", "changes rooms", "changes its name"])
async def test_the_others_are_told_that_somebody_went(home, how):
    async with members(home, 2) as (ada, watching), contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(CLIENTS["websockets"](home.port, "/rooms"))
        grace, room = Member(client), f"Where one {how}"
        await ada.join(room, "Ada")
        await grace.join(room, "Grace")
        await ada.is_told("came", "Grace")
        if how == "leaves":
            await client.close(1000, "")
        elif how == "is lost":
            await stack.aclose()
        else:
            await grace.join(room if how == "changes its name" else "Elsewhere", "Hopper")
        await ada.is_told("went", "Grace")
        if how == "changes its name":
            await ada.is_told("came", "Hopper")
        assert (await watching.join(room, "Alan"))["people"][0] == "Ada"


async def test_rooms_are_counted_and_those_without_people_vanish(home):
    async def counts(member, is_enough):
        while True:
            rooms = (await member.next("rooms"))["rooms"]["list"]
            if is_enough({room["name"]: room["people"] for room in rooms}):
                return

    async with members(home, 1) as (watching,):
        async with members(home, 2) as (ada, grace):
            await ada.join("Counted", "Ada")
            await grace.join("Counted", "Grace")
            await counts(watching, lambda rooms: rooms.get("Counted") == 2)
        await counts(watching, lambda rooms: "Counted" not in rooms and {"Lobby", "Green room"} <= set(rooms))


NAMES = {
    "of two words": ("  Ada \n Lovelace ", "Ada Lovelace"),
    "of an emoji with a joiner": ("👩‍🚀", "👩‍🚀"),
    "from right to left": ("שרה", "שרה"),
    "with HTML": ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    "that turns the text after it round": ("\u202eadA", "adA"),
    "too long": ("x" * 5000, "x" * 30),
    "with a tower of marks": ("a" + "\u0301" * 3000, "\u00e1" + "\u0301" * 59),
    "with a control character": ("A\x00d\x1ba", "Ada"),
}


@pytest.mark.parametrize(("name", "shown"), NAMES.values(), ids=NAMES)
async def test_a_name_is_made_presentable(home, name, shown):
    async with members(home, 2) as (member, other):
        room = f"Of {hash(name)}"
        assert (await member.join(room, name))["name"].encode() == shown.encode()
        # Nobody can pass for somebody who is there.
        assert (await other.join(room, name.upper() if name.isascii() else name))["name"] not in (shown, shown.upper())


LOOKALIKES = {
    "with another case": "ADA",
    "with a joiner": "Ada\u200d",
    "with a joiner within": "A\u200dda",
    "with a filler": "Ada\u3164",
    "behind a filler": "\u115fAda",
    "with a selector": "Ada\ufe0f",
    "with a joiner of graphemes": "Ada\u034f",
    "with a blank of Braille": "Ada\u2800",
    "of a wide letter": "\uff21da",
    "with a space": "Ada ",
}


@pytest.mark.parametrize("name", LOOKALIKES.values(), ids=LOOKALIKES)
async def test_nobody_passes_for_somebody_who_is_there(home, name):
    async with members(home, 2) as (ada, other):
        room = f"Of Ada {hash(name)}"
        await ada.join(room, "Ada")
        assert (await other.join(room, name))["name"].endswith(" 2")


ALIKE = {
    "decomposed": lambda room: unicodedata.normalize("NFD", room),
    "with a joiner": lambda room: room + "\u200d",
    "with another case": str.upper,
}


@pytest.mark.parametrize("how", ALIKE)
async def test_rooms_that_look_alike_are_one(home, how):
    room = f"Café {how}"
    async with members(home, 2) as (ada, grace):
        await ada.join(room, "Ada")
        joined = await grace.join(ALIKE[how](room), "Grace")
        assert (joined["room"], joined["people"]) == (room, ["Ada", "Grace"])
        await ada.is_told("came", "Grace")
        await ada.tell("say", text="Hello!")
        assert await heard(grace) == ("Ada", "Hello!")


async def test_who_asks_for_what_it_has_is_told_so(home):
    async with members(home, 1) as (ada,):
        told = [await ada.join("Twice", "Ada") for _ in range(2)]
        assert told == [{"room": "Twice", "name": "Ada", "people": ["Ada"]}] * 2


@pytest.mark.parametrize("name", ["", " ", "\u200b\u200d", "\u3164", "\u2800", "\u0301", "\u202e\u2066"])
async def test_a_name_with_nothing_to_see_is_refused(home, name):
    async with members(home, 1) as (member,):
        await member.tell("join", room="Lobby", name=name)
        assert "nothing to see" in (await member.next("refused", "joined"))["refused"]["reason"]


COMMANDS = ["", "[]", "{}", '{"join":{}}', '{"say":{"text":7}}', '{"fly":{}}', '{"say":{"text":"in no room"}}']


@pytest.mark.parametrize("command", COMMANDS)
async def test_what_is_no_command_is_refused_and_the_member_stays(home, command):
    async with CLIENTS["websockets"](home.port, "/rooms") as client:
        member = Member(client)
        await client.send(command)
        assert list(await member.next("refused", "said")) == ["refused"]
        assert (await member.join("Lobby", "Ada"))["room"] == "Lobby"


TEXTS = {"blank": " \n\t ", "invisible": "\u200b\u3164", "long": "x" * 4001, "of many bytes": "🎷" * 1001}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_text_that_is_too_long_or_blank_is_refused(home, text):
    async with members(home, 1) as (member,):
        await member.join("Limits", "Ada")
        await member.tell("say", text=text)
        assert "1 to 4000 bytes" in (await member.next("refused", "said"))["refused"]["reason"]


async def ask(crowd, room):
    """All ask to come into rooms, which are called so; how many may, and why the others may not."""
    told = []
    for number, member in enumerate(crowd):
        await member.tell("join", room=room.format(number), name="Ada")
        told.append(await member.next("joined", "refused"))
    return sum("joined" in each for each in told), {each["refused"]["reason"] for each in told if "refused" in each}


async def test_nobody_makes_rooms_without_end():
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with contextlib.AsyncExitStack() as crowds:
            made = []
            for place in range(1, 8):
                crowd = await crowds.enter_async_context(members(home, 8))
                made.append(await ask(crowd, f"Room {place} {{}}"))
            assert made == [(8, set())] * 5 + [(7, {"Too many rooms."}), (0, {"Too many rooms."})]
            # They can be gone into, those that are always there as well.
            assert await ask(crowd[:4], "Room 1 {}") == (4, set())
            assert await ask(crowd[4:], "Lobby") == (4, set())


async def test_from_one_place_not_all_rooms_are_made_and_what_is_left_is_given_back():
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with members(home, 9) as crowd, members(home, 1) as (other,):
            assert await ask(crowd, "Room {}") == (8, {"Too many rooms from where you are."})
            assert (await other.join("Another", "Ada"))["room"] == "Another"
            await crowd[0].join("Lobby", "Ada")
            assert (await crowd[8].join("Room 8", "Ada"))["room"] == "Room 8"


async def test_from_one_place_no_room_is_filled_and_who_goes_makes_room():
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with members(home, 52, source="127.0.0.2") as crowd, members(home, 1) as (other,):
            assert await ask(crowd, "Lobby") == (50, {"Too many come from where you are."})
            assert (await other.join("Lobby", "Ada"))["name"] == "Ada 51"
            await crowd[0].leave()
            while "joined" not in (told := await crowd[51].ask("Lobby", "Ada")):
                assert told["refused"]["reason"] == "Too many come from where you are."
            assert told["joined"]["name"] == "Ada"


async def come_often(crowd, room, count, name):
    """All come so often as they may: sixty times at once, and then once a second."""
    begin = time.monotonic()
    told = [await member.ask(room, name(number)) for member in crowd for number in range(count)]
    refused = [answer for answer in told if "refused" in answer]
    assert 59 <= len(told) - len(refused) <= 61 + time.monotonic() - begin
    assert all(answer["refused"]["reason"] == "Too much coming and going. Wait a moment." for answer in refused)


async def test_who_comes_again_and_again_is_told_what_was_said_a_few_times_only():
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with members(home, 2) as (ada, grace), members(home, 8) as crowd:
            await ada.join("Long stories", "Ada")
            for _ in range(17):
                await ada.tell("say", text="x" * 4_000)
            for _ in range(17):
                await heard(ada)
            # Of long lines not all are kept.
            await crowd[0].join("Long stories", "Alan")
            assert 10 <= (await crowd[0].next("beginning"))["beginning"]["count"] < 17
            await come_often(crowd, "Long stories", 12, lambda number: f"Alan {number}")
            # Those from elsewhere are not concerned, and who has waited may come again.
            await grace.join("Long stories", "Grace")
            while "joined" not in await crowd[7].ask("Lobby", "Alan"):
                pass


async def test_who_asks_again_and_again_for_what_it_has_is_told_who_is_there_a_few_times_only():
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with members(home, 5) as crowd:
            await come_often(crowd, "Lobby", 17, lambda number: "Ada")


async def test_a_page_is_told_something_even_if_nothing_happens():
    # So long it waits before it takes its connection for dead.
    patience = int(re.search(r"\bsilence = (\d+)_000\b", (ROOT / "Examples/Home/Pages/shared.js").read_text())[1])
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        options = {"open_timeout": DEADLINE, "ping_interval": None, "proxy": None}
        async with websockets.connect(f"ws://localhost:{home.port}/rooms", **options) as quiet:
            # When it comes, perhaps when the server has begun, and in between.
            first, *others = [await asyncio.wait_for(quiet.recv(), patience) for _ in range(3)]
            assert list(json.loads(first)) == ["rooms"]
            assert others == [first] * 2


async def test_prices_come_one_after_the_other_and_a_minute_at_once(home):
    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(client(home.port, "/ticks")) for client in CLIENTS.values()]
        welcomes = [json.loads(await viewer.receive())["welcome"] for viewer in viewers]
        for welcome in welcomes:
            assert len(welcome["names"]) == len(welcome["history"]) == 6
            assert {len(prices) for prices in welcome["history"]} == {60 * welcome["ticksPerSecond"]}
        seen = [[json.loads(await viewer.receive())["tick"] for _ in range(3)] for viewer in viewers]
        for ticks in seen:
            assert [tick["number"] - ticks[0]["number"] for tick in ticks] == [0, 1, 2]
            assert all(len(tick["prices"]) == 6 and min(tick["prices"]) > 0 for tick in ticks)


async def test_the_numbers_of_the_home_page_are_those_of_the_server():
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with members(home, 2) as (ada, grace), CLIENTS["websockets"](home.port, "/vitals") as viewer:
            await ada.join("Lobby", "Ada")
            await grace.join("Lobby", "Grace")
            assert len(json.loads(await viewer.receive())["welcome"]["history"]) == 48
            before = json.loads(await viewer.receive())["vitals"]

            def is_all(vitals):
                """In a later one: the first may know of all who are there already, but of no messages since itself."""
                there = vitals["connections"], vitals["people"], vitals["rooms"]
                return there == (3, 2, 1) and vitals["perSecond"] > 0 and vitals["messages"] > before["messages"]

            async with asyncio.timeout(DEADLINE):
                while not is_all(json.loads(await viewer.receive())["vitals"]):
                    pass


@pytest.mark.parametrize("path", ["/ticks", "/vitals"])
async def test_who_only_looks_is_not_let_to_send_much(home, path):
    async with CLIENTS["websockets"](home.port, path) as viewer:
        for _ in range(10):
            with contextlib.suppress(websockets.ConnectionClosed):
                await viewer.send("more")
        assert (await viewer.end())[0] == 1008
