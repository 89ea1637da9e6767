"""The walk-through's four programs, each alone and all in one, and a page to chat on: what clients see, word for word."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from support import frames
from support.clients import CLIENTS
from support.deadline import DEADLINE
from support.programs import CHAT, EXAMPLES, ROOT, SWIFT_BUILD
from support.raw import RawConnection, open_websocket, request
from support.server import Server, run_to_end


@pytest.fixture(scope="module")
def example():
    with Server([CHAT, "--port", 0]) as server:
        yield server


def alone_and_with_the_others(name):
    """A fixture: the program with only that route, and those with all of them."""

    @pytest.fixture(scope="module", params=[EXAMPLES[name], CHAT, EXAMPLES["home"]], ids=["alone", "in chat", "at home"])
    def serve(request):
        with Server([request.param, "--port", 0]) as server:
            yield server

    return serve


echo, status, feed, broadcast = map(alone_and_with_the_others, ["echo", "status", "feed", "broadcast"])


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request):
    return request.param


async def test_echo(echo, client):
    async with client(echo.port, "/echo") as connection:
        assert await connection.receive() == "Welcome to the Jazzy Echo Server!"
        for text in ["hello", "", "Grüße, 世界 🎷", "x" * 100_000]:
            await connection.send(text)
            assert await connection.receive() == "You said: " + text
        await connection.send(b"binary is not answered")
        await connection.ping(b"nor is a ping, but with a pong")
        await connection.send("the end")
        assert await connection.receive() == "You said: the end"
        assert await connection.close(1000, "") == 1000


@pytest.mark.parametrize(("name", "opened"), [("echo", ["New connection established!"]), ("chat", [])])
def test_echo_tells_of_what_happens(name, opened):
    with Server([EXAMPLES[name], "--port", 0]) as example:
        with open_websocket(example.port, "/echo") as connection:
            connection.send(frames.encode_close(1000))
            assert example.output.wait_for(lambda lines: "Connection closed." in lines)
            assert "An error occurred." not in example.output.all()
        with open_websocket(example.port, "/echo") as connection:
            connection.send_frame(frames.TEXT, b"not masked", key=None)
            assert example.output.wait_for(lambda lines: lines.count("Connection closed.") == 2)
    _announcement, *printed = example.output.all()
    assert printed == [*opened, "Connection closed.", *opened, "An error occurred.", "Connection closed."]


async def test_status(status, client):
    answers = {
        "ping": "pong",
        "status": "Server is running smoothly!",
        "": "Unknown command.",
        "Ping": "Unknown command.",
        "status ": "Unknown command.",
        "reboot": "Unknown command.",
    }
    async with client(status.port, "/status") as connection:
        for command, answer in answers.items():
            await connection.send(command)
            assert await connection.receive() == answer
        await connection.send(b"ping")
        await connection.ping(b"ping")
        await connection.send("ping")
        assert await connection.receive() == "pong"


async def test_feed(feed, client):
    async with client(feed.port, "/feed") as connection:
        welcome = await connection.receive()
        assert welcome == '{"message":"Connected to the live feed.","type":"welcome","user_id":12345}'
        await connection.send("not answered")
        await connection.ping(b"")


async def test_chat(broadcast):
    async with contextlib.AsyncExitStack() as clients:
        room = [await clients.enter_async_context(client(broadcast.port, "/chat")) for client in CLIENTS.values()]

        async def everyone_hears(members):
            return await asyncio.gather(*(member.receive() for member in members))

        for number, speaker in enumerate(room):
            await speaker.send(f"hello from {number}")
            assert await everyone_hears(room) == [f"User: hello from {number}"] * len(room)
        await room[0].send(b"binary is not passed on")
        await room[0].close(1000, "")
        await room[1].send("who is left?")
        assert await everyone_hears(room[1:]) == ["User: who is left?"] * (len(room) - 1)


async def test_chat_under_load(broadcast):
    """Several send at the same time, others join and leave: all who stay receive everything, in the same order."""
    speakers, messages_each = 6, 40
    async with contextlib.AsyncExitStack() as clients:
        room = [
            await clients.enter_async_context(CLIENTS["websockets"](broadcast.port, "/chat")) for _ in range(speakers)
        ]

        async def speak(number):
            for message in range(messages_each):
                await room[number].send(f"{number} {message}")
                if message % 10 == number:
                    passer_by = open_websocket(broadcast.port, "/chat")
                    (passer_by.reset if number % 2 else passer_by.socket.close)()

        async def listen(member):
            return [await member.receive() for _ in range(speakers * messages_each)]

        heard, *_ = await asyncio.gather(
            asyncio.gather(*(listen(member) for member in room)), *(speak(number) for number in range(speakers))
        )
    assert all(each == heard[0] for each in heard)
    for number in range(speakers):
        own = [line for line in heard[0] if line.startswith(f"User: {number} ")]
        assert own == [f"User: {number} {message}" for message in range(messages_each)]


async def test_room(example):
    async with contextlib.AsyncExitStack() as clients:
        room = [await clients.enter_async_context(client(example.port, "/room")) for client in CLIENTS.values()]
        for number, speaker in enumerate(room):
            await speaker.send(f"Ada {number}: hello")
            for member in room:
                assert await member.receive() == f"Ada {number}: hello"
        await room[0].send(b"binary is not passed on")
        await room[0].close(1000, "")
        await room[1].send("Ada 1: who is left?")
        for member in room[1:]:
            assert await member.receive() == "Ada 1: who is left?"


def test_chat_goes_on_after_a_member_breaks_a_rule(broadcast):
    with (
        open_websocket(broadcast.port, "/chat") as well_behaved,
        open_websocket(broadcast.port, "/chat") as broken,
    ):
        broken.send_frame(3, b"no such opcode")
        assert broken.read_close()[0] == 1002
        well_behaved.send_frame(frames.TEXT, b"still here")
        assert well_behaved.read_frame().payload == b"User: still here"
        broken.expect_end_of_stream()


def test_their_readme_has_each_of_them_with_the_command_that_runs_it():
    command = ["swift", "package", "dump-package", "--package-path", ROOT / "Examples"]
    package = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=50).stdout)
    programs = [target["name"] for target in package["targets"] if target["type"] == "executable"]
    rows = re.findall(r"^\| `(.+?)` \| .+ \| `(.+)` \|$", (ROOT / "Examples/README.md").read_text(), re.MULTILINE)
    arguments = {"secure": " chain.pem key.pem 8443"}
    assert rows == [(name, f"swift run --package-path Examples {name}{arguments.get(name, '')}") for name in programs]
    assert [name for name in programs if not (SWIFT_BUILD / name).exists()] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_cannot_start_says_why_in_a_sentence(name):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = run_to_end([EXAMPLES[name], "--port", port])
    assert (code, said.count("\n"), said.startswith(f"{name}: "), str(port) in said) == (1, 0, True, True), said
    usage = f"usage: {name} [--port N], where N is 0 to 65535, and 0 takes any free port"
    assert run_to_end([EXAMPLES[name], "--port", "http"]) == (2, f"{name}: {usage}")


def test_the_page_is_html_at_the_root(example):
    with RawConnection(example.port) as connection:
        connection.send(request(path="/"))
        response = connection.read_response()
    assert (response.status, response.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert response.body.startswith(b"<!doctype html>\n")
    assert response.body.endswith(b"</html>\n")


class Page:
    """The page at /, as page.js runs it."""

    def __init__(self, port, name):
        self._name = name
        self._address = f"http://localhost:{port}/"

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            "node",
            Path(__file__).with_name("support") / "page.js",
            self._address,
            self._name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"NODE_PATH": "/usr/share/nodejs", **os.environ},
        )
        assert await self.next() == {"isReady": True}
        return self

    async def __aexit__(self, *_):
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def next(self):
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), DEADLINE))

    async def say(self, text):
        self._process.stdin.write(text.encode() + b"\n")
        await self._process.stdin.drain()

    async def leave(self):
        self._process.stdin.close()
        assert await asyncio.wait_for(self._process.wait(), DEADLINE) == 0


def notice(line):
    return {"shown": line, "isNotice": True}


def said(line):
    return {"shown": line, "isNotice": False}


async def test_the_room_is_told_of_a_page_that_is_lost():
    with Server([CHAT, "--port", 0]) as example:
        async with Page(example.port, "Ada") as ada:
            assert await ada.next() == notice("Ada joined.")
            async with Page(example.port, "Grace") as grace:
                assert await ada.next() == await grace.next() == notice("Grace joined.")
                await grace.say("I am here")
                assert await ada.next() == said("Grace: I am here")
            # Its process was killed: it could not say that it left.
            assert await ada.next() == notice("Grace's connection is lost.")
            async with CLIENTS["websockets"](example.port, "/room") as other:
                await other.send("Alan: I never joined")
                assert await ada.next() == said("Alan: I never joined")
            await ada.say("quiet")
            assert await ada.next() == said("Ada: quiet")


async def test_pages_chat_with_each_other_and_with_other_clients():
    with Server([CHAT, "--port", 0]) as example:
        async with Page(example.port, "Ada") as ada:
            assert await ada.next() == notice("Ada joined.")
            async with Page(example.port, "Grace") as grace:
                assert await ada.next() == await grace.next() == notice("Grace joined.")
                async with CLIENTS["websockets"](example.port, "/room") as other:
                    await other.send("no name")
                    assert await ada.next() == await grace.next() == said("no name")
                    assert await other.receive() == "no name"
                    await ada.say("Grüße!")
                    assert await ada.next() == await grace.next() == said("Ada: Grüße!")
                    assert await other.receive() == "Ada: Grüße!"
                await grace.leave()
                assert await ada.next() == notice("Grace left.")
            await ada.say("   ")
            await ada.say("alone again")
            assert await ada.next() == said("Ada: alone again")
