"""
The guide for who comes from Socket.IO: its script of a page connects again and again, and its server is what it
says. The guide about histories: its script of a page continues where it was.
"""

import asyncio
import json
import os
import subprocess

import pytest
from websockets.asyncio.server import serve

from support.deadline import DEADLINE
from support.documentation import docc_examples, markdown_examples
from support.programs import IS_SANITIZED, ROOT

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="the scripts are the same")

SURROUNDINGS = ROOT / "Tests/Integration/surroundings"

EXAMPLES = [example for example in [*markdown_examples(), *docc_examples()] if example.language == "js"]

# Where Debian's packages for node are; node's other builds do not look there by themselves.
ENVIRONMENT = {"NODE_PATH": "/usr/share/nodejs", **os.environ}


@pytest.fixture
def script(tmp_path):
    """The command that runs an example behind one of the files that surround examples."""

    def write(surroundings, code):
        (tmp_path / "example.js").write_text(code)
        return ["node", "--require", SURROUNDINGS / surroundings, tmp_path / "example.js"]

    return write


@pytest.mark.parametrize("example", [each for each in EXAMPLES if "new WebSocket(" in each.code], ids=str)
async def test_a_page_shows_messages_and_connects_again(script, example):
    paths = asyncio.Queue()

    async def greet(connection):
        await paths.put(connection.request.path)
        await connection.send(f'{{"greeting": {paths.qsize()}}}')

    async with serve(greet, "127.0.0.1", 0) as server, asyncio.timeout(DEADLINE):
        port = server.sockets[0].getsockname()[1]
        assert "wss://example.org/" in example.code
        code = example.code.replace("wss://example.org/", f"ws://127.0.0.1:{port}/")
        process = await asyncio.create_subprocess_exec(
            *script("page.js", code + "connect()\n"), env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
        )
        try:
            shown = [await process.stdout.readline() for _ in range(2)]
        finally:
            process.kill()
            await process.wait()
    assert shown == [b'{"greeting":%d}\n' % number for number in (1, 2)]
    assert [paths.get_nowait() for _ in shown] == ["/chat/7"] * 2


@pytest.mark.parametrize("example", [each for each in EXAMPLES if "io.on(" in each.code], ids=str)
def test_a_server_refuses_tells_others_and_acknowledges(script, example):
    command = script("socket-io.js", example.code)
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=50)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "refused: not authorized",
        "joined 7",
        "socket to 7: said Ada Hello!",
        "acknowledged: done",
        "all to 7: left Ada",
    ]


@pytest.mark.parametrize("example", [each for each in EXAMPLES if "new Resumable(" in each.code], ids=str)
async def test_a_page_continues_where_it_was(tmp_path, example):
    paths = asyncio.Queue()
    answers = iter(
        [
            ('{"epoch":"a","offset":7,"recovered":false,"count":0}', "eight"),
            ('{"epoch":"a","offset":8,"recovered":true,"count":1}', "nine"),
            ('{"epoch":"b","offset":0,"recovered":false,"count":0}', "ten"),
        ]
    )

    async def answer(connection):
        await paths.put(connection.request.path)
        for frame in next(answers, []):
            await connection.send(frame)

    async with (
        serve(answer, "127.0.0.1", 0, subprotocols=["jazzy.resume.1"]) as server,
        asyncio.timeout(DEADLINE),
    ):
        (tmp_path / "jazzy.mjs").write_text((ROOT / "Sources/JazzySwift/Client/jazzy.js").read_text())
        assert '"/jazzy.js"' in example.code
        (tmp_path / "example.mjs").write_text(example.code.replace('"/jazzy.js"', '"./jazzy.mjs"'))
        page = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/index.html"
        process = await asyncio.create_subprocess_exec(
            *("node", "--require", SURROUNDINGS / "page.js", tmp_path / "example.mjs"),
            env={**ENVIRONMENT, "PAGE": page},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            shown = [await process.stdout.readline() for _ in range(8)]
        finally:
            process.kill()
            await process.wait()
    expected = ["reload", "eight", "offline", "nine", "offline", "reload", "ten", "offline"]
    assert [json.loads(line) for line in shown] == expected
    assert [paths.get_nowait() for _ in range(3)] == ["/feed", "/feed?since=a%3A8", "/feed?since=a%3A9"]


def test_there_is_no_other_example():
    signs = ["new WebSocket(", "new Resumable(", "io.on("]
    known = [example for example in EXAMPLES if any(sign in example.code for sign in signs)]
    assert known == EXAMPLES, "a script that no test here runs"
