"""The dashboard example: what viewers get, also those that do not keep up, and its page in a browser."""

import asyncio
import contextlib
import json
import signal
import socket

import pytest
import websockets

from support.browser import PROGRAM, Browser
from support.clients import CLIENTS
from support.cutting import Proxy
from support.deadline import DEADLINE
from support.looks import check_looks, until_drawn
from support.programs import EXAMPLES, IS_REPEATED
from support.server import Server

TOPICS = ["connections", "traffic", "loops"]
in_a_browser = [
    pytest.mark.skipif(PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell"),
    pytest.mark.skipif(IS_REPEATED, reason="the page is the same"),
]


@pytest.fixture(scope="module")
def server():
    with Server([EXAMPLES["dashboard"], "--port", 0]) as dashboard:
        yield dashboard


async def ask(client, what, topics):
    await client.send(json.dumps({what: {"topics": topics}}))


async def sample(client):
    """The next message, which is a sample: its topic, number and values."""
    return json.loads(await client.receive())["sample"]


async def samples_until(client, is_enough):
    samples = []
    while not is_enough(samples):
        samples.append(await sample(client))
    return samples


async def test_each_viewer_gets_the_topics_it_asked_for_without_a_gap(server):
    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(client(server.port, "/feed")) for client in CLIENTS.values()]
        for viewer, topic in zip(viewers, TOPICS):
            await ask(viewer, "subscribe", [topic])
        for viewer, topic in zip(viewers, TOPICS):
            seen = [await sample(viewer) for _ in range(5)]
            assert {each["topic"] for each in seen} == {topic}
            first = seen[0]["number"]
            assert [each["number"] for each in seen] == list(range(first, first + 5))

        # One more topic for one of them; and then that one only.
        await ask(viewers[0], "subscribe", ["loops"])
        await samples_until(viewers[0], lambda seen: {each["topic"] for each in seen} == {"connections", "loops"})
        await ask(viewers[0], "unsubscribe", ["connections"])
        seen = await samples_until(viewers[0], lambda seen: [each["topic"] for each in seen[-4:]] == ["loops"] * 4)
        assert seen[-1]["number"] - seen[-4]["number"] == 3


async def test_viewers_see_themselves(server):
    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(client(server.port, "/feed")) for client in CLIENTS.values()]
        watching = viewers[0]
        await ask(watching, "subscribe", ["connections"])
        await samples_until(watching, lambda seen: seen and seen[-1]["values"]["open"] == 3)
        await viewers[1].close(1000, "")
        await samples_until(watching, lambda seen: seen and seen[-1]["values"]["open"] == 2)
        await ask(watching, "subscribe", ["traffic"])
        await ask(watching, "unsubscribe", ["connections"])
        await samples_until(watching, lambda seen: seen and seen[-1]["topic"] == "traffic")
        for _ in range(50):
            await ask(viewers[2], "unsubscribe", ["traffic"])
        await samples_until(watching, lambda seen: seen and seen[-1]["values"].get("receivedPerSecond", 0) > 0)


async def test_a_sample_is_the_same_with_compression_and_without(server):
    address = f"ws://localhost:{server.port}/feed"
    async with (
        websockets.connect(address, compression="deflate", proxy=None) as compressed,
        CLIENTS["aiohttp"](server.port, "/feed") as plain,
    ):
        assert "permessage-deflate" in compressed.response.headers["Sec-WebSocket-Extensions"]
        await compressed.send(json.dumps({"subscribe": {"topics": ["traffic"]}}))
        await ask(plain, "subscribe", ["traffic"])
        first, other = json.loads(await compressed.recv())["sample"], await sample(plain)
        while first["number"] < other["number"]:
            first = json.loads(await compressed.recv())["sample"]
        while other["number"] < first["number"]:
            other = await sample(plain)
        assert first == other


@pytest.mark.parametrize("message", ["", "{}", '{"subscribe":{"topics":["secrets"]}}', '{"subscribe":["traffic"]}'])
async def test_what_is_no_command_is_refused_and_the_viewer_stays(server, message):
    async with CLIENTS["websockets"](server.port, "/feed") as viewer:
        await viewer.send(message)
        assert list(json.loads(await viewer.receive())) == ["refused"]
        await ask(viewer, "subscribe", ["loops"])
        assert (await sample(viewer))["topic"] == "loops"


async def test_who_does_not_keep_up_misses_samples_and_is_told_so(server):
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    small.connect(("127.0.0.1", server.port))
    address = f"ws://localhost:{server.port}/feed"
    # It takes one message, and reads no more until it is asked for the next.
    options = {"sock": small, "max_queue": 1, "compression": None, "ping_interval": None, "proxy": None}
    async with websockets.connect(address, **options) as slow, CLIENTS["node-ws"](server.port, "/feed") as quick:
        await slow.send(json.dumps({"subscribe": {"topics": TOPICS}}))
        await ask(quick, "subscribe", ["traffic"])
        seen = await samples_until(quick, lambda seen: seen and seen[-1]["values"]["droppedPerSecond"] > 0)
        numbers = [each["number"] for each in seen]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "it waited for the slow one"
        assert server.errors.wait_for(lambda lines: [line for line in lines if "misses samples" in line])

        # Once it reads again, it gets what waited, is told, and goes on.
        numbers = {topic: [] for topic in TOPICS}
        goes_on = None
        async with asyncio.timeout(DEADLINE):
            while goes_on != set(TOPICS):
                for kind, told in json.loads(await slow.recv()).items():
                    if kind == "missed":
                        goes_on = set()
                    else:
                        numbers[told["topic"]].append(told["number"])
                        if goes_on is not None:
                            goes_on.add(told["topic"])
        assert all(each == sorted(set(each)) for each in numbers.values())
        assert any(each[-1] - each[0] >= len(each) for each in numbers.values()), "there is no gap"


async def test_every_viewer_is_told_when_the_server_stops():
    with Server([EXAMPLES["dashboard"], "--port", 0]) as server:
        async with contextlib.AsyncExitStack() as stack:
            viewers = [await stack.enter_async_context(client(server.port, "/feed")) for client in CLIENTS.values()]
            for viewer in viewers:
                await ask(viewer, "subscribe", TOPICS)
                await sample(viewer)
            server.send_signal(signal.SIGTERM)
            assert [(await viewer.end())[0] for viewer in viewers] == [1001] * 3


class TestPage:
    pytestmark = in_a_browser

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    async def test_it_draws_what_is_chosen(self, server, tmp_path, scheme):
        charts = "[...document.querySelectorAll('figure')].filter(chart => chart.dataset.topic == '{}').length"
        outputs = "[...document.querySelectorAll('output')].map(output => output.textContent)"
        async with Browser(tmp_path / "browser") as browser:
            tab = await browser.open(f"http://localhost:{server.port}/", width=360, height=640, scheme=scheme)
            for topic in TOPICS:
                await tab.until(f"{charts.format(topic)} >= 3")
            await until_drawn(tab, "canvas")
            await tab.screenshot(tmp_path / "page.png")
            await check_looks(tab, scheme, ["h1", "label", "figcaption", "#status"])

            await tab.evaluate("document.querySelector('input[value=traffic]').click()")
            await tab.until(f"{charts.format('traffic')} == 0")
            before = await tab.evaluate(outputs)
            await tab.until(f"String({outputs}) != {','.join(before)!r}")
            assert await tab.evaluate(charts.format("traffic")) == 0
            await tab.evaluate("document.querySelector('input[value=traffic]').click()")
            await tab.until(f"{charts.format('traffic')} >= 3")

    async def test_it_says_that_the_server_is_gone(self, tmp_path):
        status = "document.getElementById('status')?.textContent"
        async with Browser(tmp_path / "browser") as browser:
            with Server([EXAMPLES["dashboard"], "--port", 0]) as server:
                tab = await browser.open(f"http://localhost:{server.port}/")
                await tab.until(f"{status} == 'Live, ten times a second.'")
            await tab.until(f"{status}?.startsWith('The connection is lost.')")
            assert await tab.evaluate("document.getElementById('topics').disabled")

    async def test_a_connection_that_has_died_in_silence_is_replaced(self, server, tmp_path):
        status = "document.getElementById('status')?.textContent"
        async with Proxy(server.port) as proxy, Browser(tmp_path / "browser") as browser:
            tab = await browser.open(f"http://localhost:{proxy.port}/")
            await tab.until(f"{status} == 'Live, ten times a second.'")
            proxy.hold()
            await tab.until(f"{status}.startsWith('The connection is lost.')")
            proxy.free()
            await tab.until(f"{status} == 'Live, ten times a second.'")
