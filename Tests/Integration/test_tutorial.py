"""The tutorial: the program of its last step does what the text says. (All steps run: test_documentation_runs.py.)"""

import subprocess

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from support.documentation import tutorial_steps
from support.programs import IS_SANITIZED, SWIFT_MODULES, swift_objects
from support.server import Server

LAST_STEP = tutorial_steps()[-1]


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    """The last step, on a free port."""
    folder = tmp_path_factory.mktemp("chat")
    text = LAST_STEP.code
    assert "port: 8080" in text
    (folder / "main.swift").write_text(
        text.replace(
            "await Jazzy.runOrExit(port: 8080)",
            "import Foundation\ntry Jazzy.server.listen(port: 0)\n"
            'FileHandle.standardOutput.write(Data("listening on port \\(Jazzy.server.port)\\n".utf8))\n'
            "try await Jazzy.server.runUntilCancelled(untilSignal: true)",
        )
    )
    sanitizers = ["-sanitize=address", "-Xclang-linker", "-fsanitize=undefined"] if IS_SANITIZED else []
    linked = [folder / "main.swift", *swift_objects(), "-lz"]
    command = ["swiftc", "-swift-version", "6", *sanitizers, *SWIFT_MODULES, *linked, "-o", folder / "chat"]
    subprocess.run(command, check=True, timeout=200)
    with Server([folder / "chat"]) as server:
        yield server


async def test_guests_of_a_room_see_who_comes_what_is_said_and_who_leaves(chat):
    room = f"ws://127.0.0.1:{chat.port}/chat/tea%20room"
    async with connect(f"{room}?name=Ada") as ada:
        assert await ada.recv() == "Welcome to tea room, Ada!"
        async with connect(f"{room}?name=Bob") as bob, connect(room.replace("tea", "bath") + "?name=Eve") as eve:
            assert await bob.recv() == "Welcome to tea room, Bob!"
            assert await eve.recv() == "Welcome to bath room, Eve!"
            assert await ada.recv() == "Bob has come."
            await bob.send("Hello")
            assert await bob.recv() == await ada.recv() == "Bob: Hello"
        assert await ada.recv() == "Bob has left."


@pytest.mark.parametrize("query", ["", "?name=", "?name=" + "x" * 21], ids=["no name", "an empty name", "a long name"])
async def test_who_has_no_proper_name_is_refused(chat, query):
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://127.0.0.1:{chat.port}/chat/lobby{query}")
    assert refusal.value.response.status_code == 400
    assert b"?name=Ada" in refusal.value.response.body
