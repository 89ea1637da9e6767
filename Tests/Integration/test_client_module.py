"""
The script of resumable routes, as a server serves it: under Node and in browsers, whose connections are cut, held back
and refused, and whose server is killed.
"""

import asyncio
import contextlib
import http.client
import json
import os
import random
import re
import subprocess

from urllib.parse import quote

import pytest

from support import browser, firefox
from support.browser import Browser
from support.cutting import Proxy
from support.deadline import DEADLINE
from support.firefox import Firefox
from support.programs import IS_REPEATED, ROOT, SWIFT_MODULES, swift_objects
from support.server import Server

pytestmark = pytest.mark.skipif(IS_REPEATED, reason="the script is the same")

CLIENTS = ROOT / "Tests/Integration/clients"
MODULE = ROOT / "Sources/JazzySwift/Client/jazzy.js"

# Where Debian's packages for node are; node's other builds do not look there by themselves.
ENVIRONMENT = {"NODE_PATH": "/usr/share/nodejs", **os.environ}

# A browser waits by itself, too, before it connects again to where it failed.
LONG = 4 * DEADLINE


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resuming")
    source = folder / "main.swift"
    source.write_text((ROOT / "Tests/Integration/surroundings/Resuming.swift").read_text())
    command = ["swiftc", "-swift-version", "6", *SWIFT_MODULES, source, *swift_objects(), "-lz"]
    subprocess.run([*command, "-o", folder / "resuming"], check=True, timeout=200)
    return folder / "resuming"


@pytest.fixture
def server(program):
    with Server([program]) as server:
        yield server


def ask(server, path, method="GET", headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        return response, response.read()


async def publish(server, first, last, width=0):
    response, _ = await asyncio.to_thread(ask, server, f"/publish/{first}/{last}/{width}")
    assert response.status == 204


# Topics whose names are more than letters.
SEVERAL = ["feed/a", "feed/ü: \"2\"", "feed"]
SEVERAL_PATH = "/several?" + "&".join("topic=" + quote(topic, safe="") for topic in SEVERAL)


async def tell(server, topic, first, last):
    """Publishes numbers to one of several topics: texts of JSON, and odd ones as bytes."""
    response, _ = await asyncio.to_thread(ask, server, f"/tell/{quote(topic, safe='')}/{first}/{last}")
    assert response.status == 204


class Follower:
    """Node with the script that the server serves. What it has said is in `numbers`, `told`, `begun` and `lost`."""

    def __init__(self, server, proxy, path="/feed", **options):
        options = {"shortest": 20, "longest": 100, **options}
        script = f"http://127.0.0.1:{server.port}/jazzy.js"
        address = f"ws://127.0.0.1:{proxy.port}{path}"
        self._command = ["node", CLIENTS / "resumable.mjs", script, address, json.dumps(options)]
        self.numbers, self.begun, self.lost, self.position, self.positions = [], [], [], None, []
        self.told = {}  # by topic

    async def __aenter__(self):
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self._command, env=ENVIRONMENT, stdin=pipe, stdout=pipe)
        return self

    async def __aexit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def until(self, condition):
        async with asyncio.timeout(LONG):
            while not condition():
                line = await self.process.stdout.readline()
                assert line, "it ended"
                event = json.loads(line)
                if event["event"] == "message":
                    self.numbers.append(event["number"])
                    self.told.setdefault(event.get("topic"), []).append(event["number"])
                    self.position, self.positions = event["position"], event["positions"]
                else:
                    {"begin": self.begun, "lost": self.lost}[event["event"]].append(event)

    async def until_number(self, number):
        await self.until(lambda: self.numbers[-1:] == [number])

    async def end(self):
        """Returns once the process has, which nothing keeps any more."""
        async with asyncio.timeout(LONG):
            return await self.process.wait()

    @property
    def recovered(self):
        return [each["recovered"] for each in self.begun]


def test_the_script_with_connections_and_a_clock_of_the_test():
    command = ["node", "--test", CLIENTS / "resumable.test.mjs"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert result.returncode == 0, result.stdout


def test_it_depends_on_nothing():
    assert not re.search(r"^\s*import\b|\bimport\(|\brequire\(", MODULE.read_text(), re.MULTILINE)


def test_it_is_served_as_a_script_that_clients_keep(server):
    response, body = ask(server, "/jazzy.js")
    assert (response.status, body) == (200, MODULE.read_bytes())
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-cache"
    head, nothing = ask(server, "/jazzy.js", method="HEAD")
    assert (head.status, head.headers["Content-Length"], nothing) == (200, str(len(body)), b"")
    tag = response.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{1,16}"', tag)
    for condition in [tag, f"W/{tag}", f'"other",\t{tag} , "another"', "*"]:
        kept, nothing = ask(server, "/jazzy.js", headers={"if-none-match": condition})
        assert (kept.status, kept.headers["ETag"], nothing) == (304, tag, b""), condition
    for condition in ['"other"', tag.strip('"'), "", ","]:
        assert ask(server, "/jazzy.js", headers={"If-None-Match": condition})[0].status == 200, condition


@pytest.mark.parametrize("seed", range(4))
async def test_connections_that_are_cut_anywhere_cost_nothing(server, seed):
    chance = random.Random(seed)
    async with Proxy(server.port) as proxy, Follower(server, proxy) as follower:
        await follower.until(lambda: follower.begun)
        last = 0
        for _ in range(8):
            # The rest of it is in the head of the response, in the first frame, or in a later connection's.
            proxy.cut_after(chance.randrange(1, 1500))
            for _ in range(3):
                count = chance.randrange(1, 30)
                await publish(server, last + 1, last + count, chance.randrange(40))
                last += count
            await asyncio.sleep(chance.random() / 10)
            proxy.cut()
        proxy.cut_after(1 << 30)
        await publish(server, last + 1, last + 1)
        await follower.until_number(last + 1)
        assert follower.numbers == list(range(1, last + 2))
        assert follower.recovered == [False] + [True] * (len(follower.begun) - 1)
        assert len(follower.begun) > 1 and {each["code"] for each in follower.lost} == {1006}


@pytest.mark.parametrize("seed", range(3))
async def test_of_several_topics_each_continues_where_it_was(server, seed):
    chance = random.Random(seed)
    async with Proxy(server.port) as proxy, Follower(server, proxy, SEVERAL_PATH) as follower:
        await follower.until(lambda: len(follower.begun) == len(SEVERAL))
        assert [each["t"] for each in follower.begun] == SEVERAL
        last = dict.fromkeys(SEVERAL, 0)
        for _ in range(8):
            proxy.cut_after(chance.randrange(1, 2500))
            for _ in range(4):
                topic, count = chance.choice(SEVERAL), chance.randrange(1, 20)
                await tell(server, topic, last[topic] + 1, last[topic] + count)
                last[topic] += count
            await asyncio.sleep(chance.random() / 10)
            proxy.cut()
        proxy.cut_after(1 << 30)
        for topic in SEVERAL:
            last[topic] += 1
            await tell(server, topic, last[topic], last[topic])
        await follower.until(lambda: all(follower.told.get(topic, [0])[-1] == last[topic] for topic in SEVERAL))
        assert follower.told == {topic: list(range(1, last[topic] + 1)) for topic in SEVERAL}
        first = {topic: next(each for each in follower.begun if each["t"] == topic) for topic in SEVERAL}
        assert [each for each in follower.begun if not each["recovered"]] == list(first.values())
        assert len(follower.begun) > len(SEVERAL) and {each["code"] for each in follower.lost} == {1006}

        # Another process has the positions of some, and none of the others.
        known = follower.positions[:2]
    async with Proxy(server.port) as proxy, Follower(server, proxy, SEVERAL_PATH, since=known) as follower:
        await follower.until(lambda: len(follower.begun) == len(SEVERAL))
        assert [each["recovered"] for each in follower.begun] == [True, True, False]


async def test_another_process_has_recovered_nothing(program):
    with contextlib.ExitStack() as servers:
        first = servers.enter_context(Server([program]))
        async with Proxy(first.port) as proxy, Follower(first, proxy) as follower:
            await follower.until(lambda: follower.begun)
            await publish(first, 1, 3)
            await follower.until_number(3)
            os.kill(first.pid, 9)
            servers.pop_all()
            await follower.until(lambda: len(follower.lost) > 2)
            second = servers.enter_context(Server([program]))
            await publish(second, 11, 13)
            proxy.target = second.port
            await follower.until(lambda: len(follower.begun) > 1)
            await publish(second, 14, 15)
            await follower.until_number(15)
            assert follower.numbers == [1, 2, 3, 14, 15]
            assert follower.recovered == [False, False]
            assert follower.begun[1]["offset"] == 3 and follower.begun[1]["count"] == 0
            assert follower.begun[0]["epoch"] != follower.begun[1]["epoch"]
            proxy.cut()
            await publish(second, 16, 16)
            await follower.until_number(16)
            assert follower.recovered == [False, False, True]


async def test_a_position_is_continued_by_another_process(server):
    async with Proxy(server.port) as proxy:
        async with Follower(server, proxy) as follower:
            await follower.until(lambda: follower.begun)
            await publish(server, 1, 3)
            await follower.until_number(3)
        await publish(server, 4, 5)
        async with Follower(server, proxy, since=follower.position) as follower:
            await follower.until_number(5)
            assert (follower.numbers, follower.recovered) == ([4, 5], [True])


async def test_who_does_not_keep_up_comes_back_at_once_and_has_everything(server):
    never = dict.fromkeys(["shortest", "longest", "patience"], 3_600_000)
    async with Proxy(server.port) as proxy, Follower(server, proxy, **never) as follower:
        await follower.until(lambda: follower.begun)
        await publish(server, 1, 1)
        await follower.until_number(1)
        proxy.hold()
        for first in range(2, 5000, 500):
            await publish(server, first, first + 499, 5_000)
        proxy.free()
        await follower.until_number(5001)
        assert follower.numbers == list(range(1, 5002))
        assert {(each["code"], each["again"]) for each in follower.lost} == {(4010, 0)}
        assert follower.recovered == [False] + [True] * len(follower.lost)


async def test_a_connection_that_has_died_silently_is_replaced(server):
    async with Proxy(server.port) as proxy, Follower(server, proxy, silence=1000) as follower:
        await follower.until(lambda: follower.begun)
        await publish(server, 1, 1)
        await follower.until_number(1)
        proxy.hold()
        await publish(server, 2, 3)
        await follower.until(lambda: follower.lost)
        proxy.free()
        await follower.until_number(3)
        assert follower.numbers == [1, 2, 3]
        assert follower.lost[0]["reason"] == "nothing came any more"
        assert set(follower.recovered[1:]) == {True}


async def test_who_is_not_wanted_ends(server):
    async with Proxy(server.port) as proxy, Follower(server, proxy) as follower:
        await follower.until(lambda: follower.begun)
        await asyncio.to_thread(ask, server, "/close/1008")
        await follower.until(lambda: follower.lost)
        assert [(each["code"], each["again"]) for each in follower.lost] == [(1008, None)]
        assert (await follower.end(), proxy.count) == (0, 1)


async def test_refusals_are_asked_again_at_longer_times(server):
    async with Proxy(server.port) as proxy, Follower(server, proxy, "/nothing", longest=300) as follower:
        await follower.until(lambda: len(follower.lost) > 5)
        most = [20, 40, 80, 160, 300, 300]
        assert all(each["again"] <= bound for each, bound in zip(follower.lost, most, strict=False))
        assert proxy.count <= len(follower.lost) + 1
        assert follower.begun == []


@pytest.mark.parametrize("when", ["live", "waiting", "connecting"])
async def test_closed_is_closed(server, when):
    async with Proxy(server.port) as proxy:
        path = "/nothing" if when == "waiting" else "/feed"
        options = {"shortest": 3_600_000, "longest": 3_600_000} if when == "waiting" else {}
        if when == "connecting":
            proxy.hold()
        async with Follower(server, proxy, path, **options) as follower:
            if when == "connecting":
                async with asyncio.timeout(DEADLINE):
                    while not proxy.count:
                        await asyncio.sleep(0.01)
            else:
                await follower.until(lambda: follower.begun or follower.lost)
            follower.process.stdin.close()
            assert await follower.end() == 0
            assert proxy.count == 1


@contextlib.asynccontextmanager
async def page_in(name, url, folder):
    """The page at this address, in one of the browsers."""
    if name == "chromium":
        async with Browser(folder) as chromium:
            yield await chromium.open(url)
    else:
        async with Firefox(folder) as page:
            await page.open(url)
            yield page


in_both_browsers = pytest.mark.parametrize(
    "name",
    [
        pytest.param("chromium", marks=pytest.mark.skipif(browser.PROGRAM is None, reason="there is no Chromium")),
        pytest.param("firefox", marks=pytest.mark.skipif(firefox.PROGRAM is None, reason="there is no Firefox")),
    ],
)

FOLLOW_SEVERAL = """
    import('/jazzy.js').then(({ Resumable }) => {
      [window.told, window.starts] = [{}, []]
      const text = message => typeof message == 'string' ? message : new TextDecoder().decode(message)
      window.several = new Resumable(%s, {
        shortest: 20,
        onBegin: ({ t, recovered }) => starts.push([t, recovered]),
        onMessage: (message, topic) => (told[topic] ??= []).push(Number(text(message).replaceAll('"', '').trim())),
      })
    }), 1
"""


@in_both_browsers
async def test_a_page_with_several_topics_continues_exactly(server, tmp_path, name):
    async with Proxy(server.port) as proxy, page_in(name, f"http://localhost:{proxy.port}/", tmp_path) as page:
        await page.until("window.begun?.length == 1")
        await page.evaluate("feed.close(), 1")
        await page.evaluate(FOLLOW_SEVERAL % json.dumps(SEVERAL_PATH))
        await page.until(f"window.starts?.length == {len(SEVERAL)}")
        for last in range(5, 20, 5):
            proxy.cut_after(last % 3 * 70 + 1)
            for topic in SEVERAL:
                await tell(server, topic, last - 4, last - 2)
            proxy.cut()
            for topic in SEVERAL:
                await tell(server, topic, last - 1, last)
            async with asyncio.timeout(LONG):
                while json.loads(await page.evaluate("JSON.stringify(told)")) != dict.fromkeys(
                    SEVERAL, list(range(1, last + 1))
                ):
                    await asyncio.sleep(0.02)
        starts = json.loads(await page.evaluate("JSON.stringify(starts)"))
        assert starts[: len(SEVERAL)] == [[topic, False] for topic in SEVERAL]
        assert len(starts) > len(SEVERAL) and all(recovered for _, recovered in starts[len(SEVERAL) :])


@in_both_browsers
async def test_a_page_continues_exactly(program, tmp_path, name):
    async def seen(page, last):
        async with asyncio.timeout(LONG):
            while await page.evaluate("window.got?.at(-1)") != last:
                await asyncio.sleep(0.02)
        return json.loads(await page.evaluate("JSON.stringify([got, begun])"))

    with contextlib.ExitStack() as servers:
        first = servers.enter_context(Server([program]))
        async with Proxy(first.port) as proxy, page_in(name, f"http://localhost:{proxy.port}/", tmp_path) as page:
            await page.until("window.begun?.length == 1")
            await publish(first, 1, 5)
            await seen(page, 5)
            for last in range(10, 25, 5):
                # The connection is lost within what comes, or when all has come.
                proxy.cut_after(last % 3 * 7 + 1)
                await publish(first, last - 4, last - 2, 10)
                proxy.cut()
                await publish(first, last - 1, last, 10)
                numbers, begun = await seen(page, last)
                assert numbers == list(range(1, last + 1))
            assert begun == [False] + [True] * (len(begun) - 1) and len(begun) > 3

            # The network is another, as the browser says, and the old one lets nothing through.
            await page.evaluate("window.dispatchEvent(new Event('online')), 1")
            await page.until(f"begun.length > {len(begun)} && feed.isLive")
            await publish(first, 21, 21)
            numbers, begun = await seen(page, 21)
            assert numbers == list(range(1, 22)) and begun[-1]

            os.kill(first.pid, 9)
            servers.pop_all()
            await page.until("!feed.isLive")
            with Server([program]) as second:
                proxy.target = second.port
                await page.until(f"begun.length > {len(begun)}")
                await publish(second, 22, 22)
                numbers, begun = await seen(page, 22)
                assert numbers == list(range(1, 23)) and begun[-1] is False

                await page.evaluate("feed.close(), 1")
                count = proxy.count
                await publish(second, 23, 23)
                assert await page.evaluate("feed.isLive") is False
                assert proxy.count == count
                numbers, _ = await seen(page, 22)
                assert numbers == list(range(1, 23))
