"""The dashboard's page with samples that are made up: servers that come and go, and names that mean it harm."""

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.server import broadcast, serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from support import browser
from support.deadline import DEADLINE
from support.programs import EXAMPLES, IS_REPEATED
from support.raw import RawConnection
from support.server import Server

pytestmark = [
    pytest.mark.skipif(browser.PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell"),
    pytest.mark.skipif(IS_REPEATED, reason="the page is the same"),
]

STATE = "document.getElementById('state').textContent"
IS_LOST = "document.body.dataset.state == 'lost'"
BANNER = "(document.getElementById('banner').hidden ? '' : document.getElementById('banner').textContent)"
# What no table should ever have in it.
NONSENSE = """
    [...document.querySelectorAll('td, tbody th, dd')].map(cell => cell.textContent)
      .filter(text => /-\\d|NaN|undefined|Infinity|Invalid/.test(text))
"""
UPTIME = "document.getElementById('uptime').textContent"
BEGIN_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def document():
    """The page, as a server sends it, with its Content-Security-Policy."""
    with Server([EXAMPLES["monitoring"], "--port", 0]) as server, RawConnection(server.port) as client:
        client.send(f"GET /jazzy HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
        response = client.read_response()
        assert response.status == 200
        names = {name.lower(): value for name, value in response.headers}
        return response.body, names["content-security-policy"]


def sample(count, seconds, begun=0, **others):
    """Of a server that is up for so many seconds since another second, and on which everything was done so often."""
    kinds = {"text": count, "binary": count, "ping": 0, "pong": 0}
    messages = dict.fromkeys(["received", "received_bytes", "sent", "sent_bytes"], kinds)
    loop = ["websockets", "topics", "subscriptions", "received", "sent", "dropped", "buffered_bytes", "iterations",
            "time_ns", "longest_ns", "lag_ns"]  # fmt: skip
    return {
        "format": 1, "number": count, "time_ms": BEGIN_MS + (begun + seconds) * 1000, "uptime_ns": seconds * 10**9,
        "viewers": {"now": 1, "messages": 1, "bytes": 1, "skipped": 0},
        "server": {"version": "1", "state": "running", "port": 1},
        "connections": {"now": 1, "peak": 1, "total": count, "handshakes": 0, "websockets_now": 1, "websockets_total": count},
        "messages": {**messages, "dropped": count, "buffered_bytes": 0, "rate_exceeded": {"close": 0, "pause": 0, "drop": 0}},
        "refused": {"origin": count}, "failures": {"not_masked": count},
        "closes": {"codes": {"1000": count}, "causes": {"peer": count}},
        "iterations": {"total": count, "time_ns": count, "longest_ns": 1, "lag_ns": 1}, "loops": [dict.fromkeys(loop, count)],
        "workers": {"threads": 1, "busy": 0, "queued": 0}, "process": {"cpu_ns": count, "resident_bytes": 1},
        "topics": [], "topics_ns": 10**9, "receivers": [], "incidents": [], **others,
    }  # fmt: skip


class Pretender:
    """
    Serves the page, and sends its viewers what a test says, the last sample each second anew: where none comes for 5 of
    them, which a slow test takes, a page takes its server for gone. `turning_away`: code and reason for all who come.
    """

    def __init__(self, document):
        self._body, self._policy = document
        self._viewers, self._came, self._last = set(), asyncio.Event(), None
        self.turning_away = None

    async def _serve(self, viewer):
        if self.turning_away:
            return await viewer.close(*self.turning_away)
        self._viewers.add(viewer)
        self._came.set()
        try:
            await viewer.wait_closed()
        finally:
            self._viewers.discard(viewer)

    def _answer(self, _, request):
        if "Upgrade" in request.headers:
            return None
        fields = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", self._policy)]
        return Response(200, "OK", Headers(fields), self._body)

    async def send(self, *samples):
        """When somebody is there."""
        await asyncio.wait_for(self._came.wait(), DEADLINE)
        for each in samples:
            self._last = json.dumps(each)
            broadcast(self._viewers, self._last)

    async def repeat(self):
        while True:
            await asyncio.sleep(1)
            if self._last:
                broadcast(self._viewers, self._last)

    async def leave(self):
        self._last = None
        self._came.clear()
        for viewer in list(self._viewers):
            await viewer.close(1001)


@contextlib.asynccontextmanager
async def looking(document, folder):
    pretender = Pretender(document)
    options = {"process_request": pretender._answer, "ping_interval": None}
    async with serve(pretender._serve, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        repeating = asyncio.create_task(pretender.repeat())
        async with browser.Browser(folder) as chromium:
            tab = await chromium.open(f"http://127.0.0.1:{port}/jazzy", width=1280)
            await pretender.send(sample(1, 1), sample(2, 2))
            await tab.until(f"{STATE} == 'Live'")
            yield pretender, tab
            assert tab.errors == [] or all("exceptionDetails" not in error for error in tab.errors), tab.errors
        repeating.cancel()


async def test_who_paused_it_is_told_that_the_server_is_there_again(document, tmp_path):
    async with looking(document, tmp_path) as (pretender, tab):
        await tab.evaluate("document.getElementById('pause').click()")
        paused = await tab.evaluate(STATE)
        assert paused.startswith("Paused at ")
        await pretender.leave()
        await tab.until(IS_LOST)
        assert "No connection" in await tab.evaluate(BANNER)
        await pretender.send(sample(9, 9))
        await tab.until(f"{STATE} == {json.dumps(paused)} && !({IS_LOST}) && {BANNER} == ''")
        await tab.evaluate("document.getElementById('pause').click()")
        await tab.until(f"{STATE} == 'Live' && {UPTIME} == '9 s'")


@pytest.mark.parametrize("seconds", [1, 60], ids=["for less time", "for longer than the one before"])
async def test_nothing_falls_where_another_server_is_up(document, tmp_path, seconds):
    async with looking(document, tmp_path) as (pretender, tab):
        await pretender.send(sample(5_000, 3), sample(9_000, 4))
        await pretender.leave()
        await pretender.send(sample(3, seconds, begun=20))
        await tab.until(f"{UPTIME} == {json.dumps('1 s' if seconds == 1 else '1 min 0 s')}")
        assert await tab.evaluate(NONSENSE) == []


async def test_who_is_turned_away_is_told_why(document, tmp_path):
    async with looking(document, tmp_path) as (pretender, tab):
        pretender.turning_away = (1013, "64 clients look at this dashboard already.")
        await pretender.leave()
        await tab.until(f"{BANNER}.startsWith('64 clients look at this dashboard already since ')")


HARMFUL = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e\x00" + "W" * 300


async def test_any_texts_are_texts(document, tmp_path):
    names = {HARMFUL: 3, "__proto__": 2, "constructor": 1}
    topic = {"name": HARMFUL, "is_cut": True, "subscribers": 1, "publications": 1, "deliveries": 1, "bytes": 1}
    incident = {"kind": HARMFUL, "reason": HARMFUL, "text": HARMFUL, "address": HARMFUL, "route": HARMFUL, "time_ms": 1}
    texts = {
        "server": {"version": HARMFUL, "state": HARMFUL, "port": 1}, "refused": names, "failures": names,
        "closes": {"codes": names, "causes": names}, "topics": [topic] * 12, "incidents": [incident] * 24,
        "receivers": [{"address": HARMFUL, "route": HARMFUL, "unsent_bytes": 1, "loop": 0}],
    }  # fmt: skip
    async with looking(document, tmp_path) as (pretender, tab):
        await pretender.send(sample(3, 3, **texts))
        await tab.until(f"{UPTIME} == '3 s'")
        assert await tab.evaluate("document.querySelectorAll('img, main script').length") == 0
        assert await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


async def test_what_a_server_keeps_and_may_not_have_is_shown(document, tmp_path):
    broker = dict.fromkeys(["losses", "topics", "published", "refused", "delivered", "reconnects", "gaps", "dropped"], 1)
    broker |= {"is_joined": True, "lag_ns": 1, "queued_bytes": 0, "queued_messages": 0, "refused_topics": 7}
    history = {"topics": 4_711, "messages": 2, "bytes": 3, "recovered": 5, "not_recovered": 6}
    cards = "[...document.querySelectorAll('.card:not([hidden])')].map(each => each.innerText.replace(/\\s+/g, ' '))"
    async with looking(document, tmp_path) as (pretender, tab):
        assert not any(card.startswith(("Broker", "History")) for card in await tab.evaluate(cards))
        await pretender.send(sample(3, 3, broker=broker, history=history))
        await tab.until(f"{UPTIME} == '3 s'")
        shown = await tab.evaluate(cards)
        assert any(card.startswith("History") and "topics 4,711" in card for card in shown), shown
        assert any(card.startswith("Broker") and "refused topics 7" in card for card in shown), shown


async def test_minutes_of_samples_leave_nothing_behind(document, tmp_path):
    nodes = "document.getElementsByTagName('*').length"
    points = "Math.max(...[...document.querySelectorAll('#charts path')].map(each => each.getAttribute('d').split('L').length))"
    async with looking(document, tmp_path) as (pretender, tab):
        await tab.evaluate("let now = 0; performance.now = () => now; globalThis.pass = time => { now += time; }")
        seen = []
        for count in range(3, 903):
            # Ten of them at the same time, so that there are some thousand of the chart's minutes.
            if count % 10 == 0:
                await tab.evaluate("pass(10_000)")
            topic = {"is_cut": False, "subscribers": 1, "publications": 1, "deliveries": 1, "bytes": 1}
            topics = [{"name": str(number), **topic} for number in range(count % 12)]
            await pretender.send(sample(count, count, topics=topics))
            if count % 300 == 0:
                await tab.until(f"{UPTIME} == '{count // 60} min 0 s'")
                seen.append(await tab.evaluate(nodes))
        assert len(set(seen)) == 1, seen
        assert await tab.evaluate(points) <= 150
