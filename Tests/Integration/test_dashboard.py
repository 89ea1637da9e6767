"""The dashboard (Route.dashboard): what its viewers get, and its page in Chromium and Firefox."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest
import websockets

from support import browser, firefox, frames
from support.certificates import Authority
from support.deadline import DEADLINE, eventually
from support.deployment import free_port
from support.looks import check_looks
from support.process import listening_ports
from support.programs import EXAMPLES, IS_SANITIZED, SECURE, TOP
from support.raw import RawConnection, open_websocket, upgrade_request
from support.server import Server

PAGE, OPERATORS = "/jazzy", "/for/operators?word=swordfish"

in_a_browser = [
    pytest.mark.skipif(browser.PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell"),
    pytest.mark.skipif(IS_SANITIZED, reason="the page is the same"),
]

IS_LIVE = "document.getElementById('state')?.textContent == 'Live'"
# The number in a cell of the table about kinds of messages: of texts, received.
RECEIVED = """
    Number([...document.querySelectorAll('caption')].find(each => each.textContent == 'Messages by kind')
      ?.closest('table').querySelector('tbody tr td')?.textContent.replaceAll(',', ''))
"""


@pytest.fixture(scope="module")
def server():
    with Server([EXAMPLES["monitoring"], "--port", 0]) as server:
        yield server


def viewer(port, path=PAGE, **options):
    options = {"proxy": None, "compression": None, "open_timeout": DEADLINE, "ping_interval": None, **options}
    return websockets.connect(f"ws://localhost:{port}{path}", **options)


async def sample(connection):
    return json.loads(await asyncio.wait_for(connection.recv(), DEADLINE))


async def samples_until(connection, is_wanted):
    async with asyncio.timeout(DEADLINE):
        while not is_wanted(seen := await sample(connection)):
            pass
        return seen


def say(port, count, text=b"hello", path="/echo"):
    """A client that sends so many texts, and gets each back."""
    with open_websocket(port, path) as client:
        for _ in range(count):
            client.send_frame(frames.TEXT, text)
        for _ in range(count):
            assert client.read_frame().payload == text


async def test_what_clients_do_is_counted_exactly(server):
    def done(seen):
        """What clients have done, and got; not what viewers got."""
        messages, own = seen["messages"], seen["viewers"]
        return (
            messages["received"]["text"],
            messages["received_bytes"]["text"],
            messages["sent"]["text"] - own["messages"],
            messages["sent_bytes"]["text"] - own["bytes"],
            seen["connections"]["websockets_total"],
        )

    async with viewer(server.port) as connection:
        before = done(await sample(connection))
        await asyncio.to_thread(say, server.port, 250, b"x" * 321)
        # A sample may be taken before the last answer is counted, or before a loop has counted the sample before it.
        rises = (250, 250 * 321, 250, 250 * 321, 1)
        due = tuple(count + rise for count, rise in zip(before, rises, strict=True))
        await samples_until(connection, lambda now: done(now) == due)


async def test_ten_viewers_get_the_same_while_clients_come_and_go(server):
    def storm():
        for _ in range(300):
            with contextlib.suppress(ConnectionError, EOFError), RawConnection(server.port) as client:
                client.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
                client.read_response()
            with open_websocket(server.port, "/echo") as client:
                client.send_frame(3)

    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(viewer(server.port)) for _ in range(10)]
        before = await sample(viewers[0])
        weather = asyncio.create_task(asyncio.to_thread(storm))
        seen = [[(await sample(each))["number"] for _ in range(4)] for each in viewers]
        await weather
        # Each has all of them, in order.
        assert all(numbers == list(range(numbers[0], numbers[0] + 4)) for numbers in seen)
        # Both, because the loops' counts are read one after the other, perhaps while the storm's last ones are counted.
        after = await samples_until(
            viewers[0],
            lambda now: now["failures"]["reserved_opcode"] == before["failures"]["reserved_opcode"] + 300
            and now["refused"]["not_found"] == before["refused"]["not_found"] + 300,
        )
        assert after["viewers"]["now"] == 10
        assert {incident["kind"] for incident in after["incidents"]} == {"refused", "failed"}
        assert {incident["reason"] for incident in after["incidents"]} == {"not_found", "reserved_opcode"}


async def test_who_does_not_read_holds_nothing_up():
    with Server([EXAMPLES["monitoring"], "--port", 0]) as server:
        request = upgrade_request(PAGE)
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(RawConnection(server.port, receive_buffer=2048)) for _ in range(5)]
            for client in slow:
                client.send(request)
            async with viewer(server.port) as connection:
                first = await samples_until(connection, lambda now: now["viewers"]["now"] == 6)
                for number in range(first["number"] + 1, first["number"] + 6):
                    seen = await sample(connection)
                    assert seen["number"] == number
                    # What is unsent for each, at most one sample beside what may wait.
                    assert seen["messages"]["buffered_bytes"] < 5 * (65_536 + 20_000)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Origin": "http://localhost:{port}"}, 101),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"Forwarded": "for=203.0.113.9"}, 403),
    ],
)
def test_only_this_machine_gets_figures(server, headers, status):
    lines = {"Host": "localhost:{port}", "Upgrade": "websocket", "Connection": "Upgrade"} | headers
    lines |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).format(port=server.port)
    with RawConnection(server.port) as client:
        client.send(f"GET {PAGE} HTTP/1.1\r\n{head}\r\n".encode())
        assert client.read_response(has_body=False).status == status


def other_addresses():
    """Addresses of this machine that are not loopback ones."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: this only asks which address would be used.
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))
            return [probe.getsockname()[0]]
    return []


@pytest.mark.skipif(not other_addresses(), reason="this machine has no address but loopback ones")
@pytest.mark.parametrize(("path", "status"), [(PAGE, 403), (OPERATORS, 200), ("/for/operators", 401)])
def test_a_client_from_elsewhere_is_told_the_way(server, path, status):
    (address,) = other_addresses()
    with RawConnection(server.port, host=address) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
        response = client.read_response()
        assert response.status == status
        if status == 403:
            assert b"ssh -L" in response.body
            assert b'Route.dashboard("/jazzy") { request in' in response.body


# It ends in the middle of its tasks, as programs for a terminal do: what they hold is no leak, but where Swift keeps weak
# references to it, LeakSanitizer does not find it.
LEAKS_ARE_NOT_TOLD = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


class Terminal:
    """jazzy-top in a terminal of this size."""

    def __init__(self, *arguments, columns=120, rows=50, **environment):
        self.screen = b""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command, ends = [TOP, *map(str, arguments)], {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        self.process = subprocess.Popen(command, env={**LEAKS_ARE_NOT_TOLD, "TERM": "xterm", **environment}, **ends)
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self._ours)

    def until(self, is_wanted):
        """Waits for a whole screen that is as wanted: its lines."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if select.select([self._ours], [], [], 0.1)[0]:
                self.screen += os.read(self._ours, 65536)
            *whole, _ = self.screen.split(b"\x1b[H")
            lines = [line.removesuffix("\x1b[K") for line in whole[-1].decode().split("\r\n")] if whole else []
            if is_wanted(lines):
                return lines
        raise AssertionError(f"never on the screen: {self.screen[-3000:]}")

    def end(self, number=signal.SIGINT):
        """Reads on meanwhile: a terminal that is full would hold it up."""
        self.process.send_signal(number)
        late = threading.Timer(DEADLINE, self.process.kill)
        late.start()
        with contextlib.suppress(OSError):
            while more := os.read(self._ours, 65536):
                self.screen += more
        status = self.process.wait(DEADLINE)
        late.cancel()
        return status


@contextlib.contextmanager
def talking(speaker, listener):
    """One says something all the time, and the other hears it: a topic is busy if it was within the last second."""
    is_over = threading.Event()

    def talk():
        while not is_over.wait(0.05):
            speaker.send_frame(frames.TEXT, b"hello")
            listener.read_frame()

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_terminal_shows_the_same():
    with Server([EXAMPLES["monitoring"], "--port", 0]) as server, Terminal(server.port) as top:
        top.until(lambda lines: any(line.startswith("WebSockets") and line.split()[1] == "1" for line in lines))
        room = "/room/%1b%5b2Jthe-topic"
        with (
            open_websocket(server.port, room) as speaker,
            open_websocket(server.port, room) as listener,
            RawConnection(server.port) as other,
        ):
            other.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
            with talking(speaker, listener):
                lines = top.until(lambda lines: any("the-topic" in line for line in lines))
        # A name cannot do anything to the terminal.
        assert any(line.startswith("?[2Jthe-topic") for line in lines), lines
        assert b"\x1b[2J" not in top.screen
        top.until(lambda lines: any("refused" in line and "not found 1" in line for line in lines))
        assert all(len(line) <= 120 for line in lines)
    assert b"running" in top.screen


def test_a_terminal_is_left_as_it_was(server):
    with Terminal(server.port, OPERATORS, columns=60, rows=12) as top:
        lines = top.until(lambda lines: any(line.startswith("WebSockets") for line in lines))
        assert len(lines) <= 12
        assert all(len(line) <= 60 for line in lines)
        assert top.end() == 0
        assert top.screen.endswith(b"\x1b[?25h\x1b[?1049l")


def run_top(*arguments):
    command = [TOP, *map(str, arguments)]
    return subprocess.run(command, env=LEAKS_ARE_NOT_TOLD, capture_output=True, text=True, timeout=DEADLINE)


def test_without_a_terminal_it_shows_one_second(server):
    shown = run_top(server.port)
    assert shown.returncode == 0, shown
    assert "\x1b" not in shown.stdout
    assert "WebSockets" in shown.stdout
    for arguments, status, text in [
        ([server.port, "/nothing"], 1, "404"),
        ([server.port, "/for/operators"], 1, "401"),
        (["port"], 2, "usage: jazzy-top"),
    ]:
        shown = run_top(*arguments)
        assert (shown.returncode, text in shown.stderr) == (status, True), shown


class TestPage:
    pytestmark = in_a_browser

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 900), (3840, 2160)])
    async def test_it_looks_well(self, server, tmp_path, width, height, scheme):
        async with browser.Browser(tmp_path / "browser") as chromium, viewer(server.port):
            tab = await chromium.open(f"http://localhost:{server.port}{PAGE}", width=width, height=height, scheme=scheme)
            await tab.until(IS_LIVE)
            # Something to see: a topic, a slow client, failures.
            with contextlib.ExitStack() as stack:
                crowd = [stack.enter_context(open_websocket(server.port, "/room/lobby")) for _ in range(20)]
                crowd[0].send_frame(frames.TEXT, b"to all")
                await asyncio.to_thread(say, server.port, 500)
                await tab.until("document.querySelectorAll('#charts path[d*=L]').length >= 4")
                await asyncio.sleep(float(os.environ.get("JAZZY_SHOTS_AFTER", 0)))
                await tab.screenshot(tmp_path / "page.png")
                if folder := os.environ.get("JAZZY_SHOTS"):
                    tall = await tab.evaluate("document.documentElement.scrollHeight")
                    size = {"width": width, "height": tall, "deviceScaleFactor": 1, "mobile": True}
                    await tab.call("Emulation.setDeviceMetricsOverride", **size)
                    await tab.screenshot(Path(folder) / f"page-{width}-{scheme}.png")
                selectors = ["h1", "h2:not(.unseen)", "caption", "thead th", "#place", "#tiles dt", "#tiles dd.more",
                             ".legend", ".scale", ".pairs dt", "footer p", "#state"]
                await check_looks(tab, scheme, selectors)

    async def test_its_figures_rise_by_what_a_client_does(self, server, tmp_path):
        async with browser.Browser(tmp_path / "browser") as chromium:
            tab = await chromium.open(f"http://localhost:{server.port}{OPERATORS}")
            await tab.until(f"{RECEIVED} >= 0")
            before = await tab.evaluate(RECEIVED)
            await asyncio.to_thread(say, server.port, 123)
            await tab.until(f"{RECEIVED} == {before + 123}")
            assert tab.errors == []

    async def test_it_says_that_the_server_is_gone_and_finds_it_again(self, tmp_path):
        gone = "document.body.dataset.state == 'lost' && !document.getElementById('banner').hidden"
        async with browser.Browser(tmp_path / "browser") as chromium:
            port = free_port()
            with Server([EXAMPLES["monitoring"], "--port", port]):
                tab = await chromium.open(f"http://localhost:{port}{PAGE}")
                await tab.until(IS_LIVE)
                say(port, 10)
                await tab.until(f"{RECEIVED} == 10")
            await tab.until(gone)
            assert await tab.evaluate("document.getElementById('banner').getAttribute('role')") == "alert"
            assert await tab.evaluate("document.title") == "Lost: Jazzy dashboard"
            with Server([EXAMPLES["monitoring"], "--port", port]):
                await tab.until(f"{IS_LIVE} && {RECEIVED} == 0 && document.getElementById('banner').hidden")
                say(port, 3)
                await tab.until(f"{RECEIVED} == 3")
                # Nothing fell: a rate that was less than nothing would be drawn below its chart.
                paths = "[...document.querySelectorAll('#charts path')].map(path => path.getAttribute('d')).join(' ')"
                heights = [float(part.split()[1]) for part in
                           (await tab.evaluate(paths)).replace("M", "L").replace("Z", "").split("L") if part.strip()]
                assert heights and all(0 <= height <= 100 for height in heights)

    async def test_all_of_it_can_be_reached_by_keys(self, server, tmp_path):
        async def press(tab, key, code, text=""):
            for kind in ["keyDown", "keyUp"]:
                await tab.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                               **({"text": text} if kind == "keyDown" and text else {}))

        focused = "document.activeElement.id || document.activeElement.className || document.activeElement.ariaLabel"
        async with browser.Browser(tmp_path / "browser") as chromium:
            tab = await chromium.open(f"http://localhost:{server.port}{PAGE}", width=360, height=640)
            await tab.until(IS_LIVE)
            await press(tab, "Tab", 9)
            assert await tab.evaluate(focused) == "skip"
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await tab.evaluate(outline) == "solid"
            await press(tab, "Tab", 9)
            assert await tab.evaluate(focused) == "pause"
            assert await tab.evaluate(outline) == "solid"
            await press(tab, "Enter", 13, "\r")
            await tab.until("document.getElementById('pause').ariaPressed == 'true'")
            still = await tab.evaluate("document.getElementById('uptime').textContent + document.querySelector('main').textContent")
            say(server.port, 5)
            async with viewer(server.port) as connection:
                for _ in range(3):
                    await sample(connection)
            now = "document.getElementById('uptime').textContent + document.querySelector('main').textContent"
            assert await tab.evaluate(now) == still
            await press(tab, "Enter", 13, "\r")
            await tab.until(f"{now} != {json.dumps(still)}")
            # Tables that are wider than the screen can be scrolled by keys.
            wide = "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth + 1)"
            await tab.until(f"{wide}.length > 0 && {wide}.every(each => each.tabIndex == 0 && each.ariaLabel)")
            await press(tab, "Tab", 9)
            assert await tab.evaluate("document.activeElement.className.startsWith('scroll')")

    async def test_those_who_do_not_see_it_are_told_the_same(self, server, tmp_path):
        async with browser.Browser(tmp_path / "browser") as chromium:
            tab = await chromium.open(f"http://localhost:{server.port}{PAGE}", width=1280)
            charts = "[...document.querySelectorAll('#charts svg')].map(each => each.getAttribute('aria-label'))"
            await tab.until(f"{charts}.length == 4 && {charts}.every(each => /now .*most/.test(each))")
            assert await tab.evaluate("document.documentElement.lang") == "en"
            for landmark in ["header", "main", "footer"]:
                assert await tab.evaluate(f"document.querySelectorAll('body > {landmark}').length") == 1
            tables = "[...document.querySelectorAll('table')]"
            assert await tab.evaluate(f"{tables}.length > 5 && {tables}.every(each => each.caption.textContent)")
            cells = "[...document.querySelectorAll('th')]"
            assert await tab.evaluate(f"{cells}.every(each => ['col', 'row'].includes(each.scope))")
            assert await tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(each => each.tagName)[0]") == "H1"
            # What changes each second is not read out each second.
            live = "[...document.querySelectorAll('[aria-live], [role=status], [role=alert]')].map(each => each.id)"
            assert await tab.evaluate(live) == ["status", "banner"]
            nodes = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
            roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
            assert {"banner", "main", "contentinfo", "table", "columnheader", "rowheader", "image"} <= set(roles)
            unnamed = [node["role"]["value"] for node in nodes if not node["ignored"]
                       and node["role"]["value"] in ("button", "link", "image", "table", "region")
                       and not node.get("name", {}).get("value")]
            assert unnamed == []

    async def test_nothing_but_its_own_script_runs_in_it(self, server, tmp_path):
        attempts = """
            (async () => {
              const script = document.createElement('script');
              script.textContent = 'window.inline = true';
              document.body.append(script);
              const image = document.createElement('img');
              image.setAttribute('onerror', 'window.handler = true');
              image.src = 'data:,';
              document.body.append(image);
              const outside = await fetch('http://127.0.0.1:1/').then(() => 'sent', () => 'blocked');
              await new Promise(settle => setTimeout(settle, 50));
              return [window.inline ?? 'blocked', window.handler ?? 'blocked', outside].join(' ');
            })()
        """
        async with browser.Browser(tmp_path / "browser") as chromium:
            tab = await chromium.open(f"http://localhost:{server.port}{PAGE}")
            await tab.until(IS_LIVE)
            assert tab.errors == []
            assert await tab.evaluate(attempts) == "blocked blocked blocked"
            # What a debugger evaluates is exempt, unless it asks.
            asked = {"expression": "Function('return 1')()", "allowUnsafeEvalBlockedByCSP": False}
            assert "exceptionDetails" in await tab.call("Runtime.evaluate", **asked)

    async def test_names_are_shown_as_they_are(self, server, tmp_path):
        topics = "[...document.querySelectorAll('caption')].find(each => each.textContent == 'Busiest topics')"
        async with browser.Browser(tmp_path / "browser") as chromium:
            tab = await chromium.open(f"http://localhost:{server.port}{PAGE}")
            await tab.until(IS_LIVE)
            room = "/room/%3Cimg%20src=x%20onerror=alert(1)%3E"
            with open_websocket(server.port, room) as speaker, open_websocket(server.port, room) as listener:
                for _ in range(300):
                    speaker.send_frame(frames.TEXT, b"a")
                    listener.read_frame()
                    if await tab.evaluate(f"{topics}?.closest('table').textContent.includes('<img src=x')"):
                        break
                    await asyncio.sleep(0.02)
                else:
                    pytest.fail("the topic is not shown")
            assert await tab.evaluate("document.querySelectorAll('img').length") == 0
            assert tab.errors == []

    async def test_it_works_over_tls(self, tmp_path):
        authority = Authority(tmp_path)
        certified = authority.certify("localhost")
        files = certified.write(tmp_path, "server")
        command = [SECURE, files.certificate, files.key, "0"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(lambda: listening_ports(process.pid), "it listens")
                (port,) = listening_ports(process.pid)
                async with browser.Browser(tmp_path / "browser", trusting=certified.key_digest) as chromium:
                    tab = await chromium.open(f"https://localhost:{port}{PAGE}", width=1280)
                    await tab.until(IS_LIVE)
                    await tab.until("[...document.querySelectorAll('.card h3')].some(each => each.textContent == 'TLS' "
                                    "&& !each.parentElement.hidden)")
                    assert tab.errors == []
            finally:
                process.terminate()
                process.wait(DEADLINE)


@pytest.mark.skipif(firefox.PROGRAM is None, reason="there is no Firefox on this machine")
@pytest.mark.skipif(IS_SANITIZED, reason="the page is the same")
async def test_firefox_shows_it_and_finds_a_server_that_was_started_again(tmp_path):
    async with firefox.Firefox(tmp_path) as fox:
        port = free_port()
        with Server([EXAMPLES["monitoring"], "--port", port]):
            await fox.open(f"http://localhost:{port}{PAGE}")
            await fox.until(IS_LIVE)
            say(port, 77)
            await fox.until(f"{RECEIVED} == 77")
            for width in [360, 1280, 3840]:
                await fox.resize(width, 800)
                overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                assert not await fox.evaluate(overflow)
            assert fox.errors == []
        await fox.until("document.body.dataset.state == 'lost'")
        with Server([EXAMPLES["monitoring"], "--port", port]):
            await fox.until(f"{IS_LIVE} && {RECEIVED} == 0")
        loaded = "performance.getEntriesByType('resource').map(each => each.name).filter(each => !each.startsWith('data:'))"
        assert await fox.evaluate(f"{loaded}.length") == 0
