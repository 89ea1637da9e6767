"""jazzy-top and servers that are none, or mean it harm; and what terminals, pipes and signals do to it."""

import contextlib
import functools
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import zlib

import pytest
from test_dashboard import LEAKS_ARE_NOT_TOLD, Terminal, run_top

from support.deadline import DEADLINE, eventually
from support.frames import CLOSE, CONTINUATION, PING, TEXT, encode
from support.programs import IS_SANITIZED, TOP

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
LEAST, MOST = -(2**63), 2**63 - 1
# A title, a cleared screen, a colour by one byte, text from right to left, a second line, and the end of a text in C.
HARMFUL = "\x1b]0;mine\x07\x1b[2J\x9b31m\u202e\r\nsecond\x00"


def kinds(count):
    return dict.fromkeys(["text", "binary", "ping", "pong"], count)


def sample(number, **others):
    messages = dict.fromkeys(["received", "received_bytes", "sent", "sent_bytes"], kinds(number))
    loop = dict.fromkeys(["websockets", "topics", "received", "sent", "buffered_bytes", "time_ns", "longest_ns", "lag_ns"], 1)
    return {
        "format": 1, "number": number, "time_ms": 0, "uptime_ns": number * 10**9, "topics_ns": 10**9,
        "server": {"version": "1", "state": "running"},
        "connections": dict.fromkeys(["now", "peak", "total", "handshakes", "websockets_now", "websockets_total"], 1),
        "messages": {**messages, "dropped": 0, "buffered_bytes": 0},
        "refused": {}, "failures": {}, "closes": {"codes": {}}, "iterations": {"longest_ns": 1, "lag_ns": 1},
        "loops": [loop], "workers": {"threads": 1, "busy": 0, "queued": 0}, "process": {},
        "topics": [], "receivers": [], "incidents": [], **others,
    }  # fmt: skip


def framed(*samples):
    return b"".join(unmasked(TEXT, json.dumps(each).encode()) for each in samples)


# As a server sends it.
unmasked = functools.partial(encode, key=None)


@contextlib.contextmanager
def pretending(first, then=b"", may_begin=None):
    """
    A server that answers whatever is asked for with some bytes, and goes on with others for ever; not before an event,
    if there is one. Its port.
    """

    def serve(client):
        with client, contextlib.suppress(OSError):
            client.recv(65536)
            if may_begin is not None:
                may_begin.wait()
            client.sendall(first)
            while then:
                client.sendall(then)
            client.recv(1)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


MANY = {"connections": dict.fromkeys(["now", "peak", "total", "handshakes", "websockets_now", "websockets_total"], MOST)}
NAMED = {"server": {"version": HARMFUL, "state": HARMFUL}, "refused": {HARMFUL: 5}}
NAMED |= {"topics": [{"name": HARMFUL, "subscribers": 1, "publications": 1, "deliveries": 1}]}
NAMED |= {"receivers": [{"address": HARMFUL, "route": HARMFUL, "unsent_bytes": 1}]}
NAMED |= {"incidents": [{"time_ms": MOST, "kind": HARMFUL, "text": HARMFUL, "address": HARMFUL}]}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(sample(LEAST, uptime_ns=LEAST), sample(MOST, uptime_ns=MOST, time_ms=MOST, **MANY), id="the most"),
        pytest.param(sample(LEAST, uptime_ns=MOST), sample(MOST, uptime_ns=LEAST, time_ms=LEAST), id="going back"),
        pytest.param(sample(1), sample(2, refused={"a": MOST, "b": MOST}, tls={"full": MOST, "resumed": MOST, "failed": 1}), id="sums"),
        pytest.param(sample(1), sample(2, process={"cpu_ns": MOST}, topics_ns=0), id="shares"),
        pytest.param(sample(1), sample(2, **NAMED), id="texts"),
    ],
)  # fmt: skip
def test_any_numbers_and_texts_are_shown_and_do_nothing(first, second):
    with pretending(ACCEPTED + framed(first, second)) as port:
        shown = run_top(port)
    assert shown.returncode == 0, shown
    assert shown.stdout.startswith("jazzy-top")
    assert all(text.isprintable() for text in shown.stdout.split("\n")), shown.stdout


def answer(status, body, *fields):
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", body]).encode()


BODY = "Sign in first.\n" + HARMFUL
BOMB = zlib.compressobj(9, zlib.DEFLATED, -15)
BOMB = BOMB.compress(bytes(1 << 28)) + BOMB.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(answer("401 No", BODY, f"Content-Length: {len(BODY.encode())}"), "401: Sign in first.\n", id="refusal"),
        pytest.param(answer("401 No", "", "Content-Length: -5"), "", id="a length below nothing"),
        pytest.param(answer("404 No", "", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n", "404", id="chunks"),
        pytest.param(b"220 \x1b[2J smtp\r\n\r\n", "does not begin as HTTP does", id="another protocol"),
        pytest.param(ACCEPTED + unmasked(CLOSE, struct.pack(">H", 1008) + HARMFUL.encode()), "code 1008", id="a close frame"),
        pytest.param(ACCEPTED + unmasked(TEXT, b'{"type": "welcome"}'), "no dashboard's", id="another WebSocket"),
        pytest.param(ACCEPTED + unmasked(TEXT, b"[" * 100_000), "no dashboard's", id="no JSON"),
        pytest.param(ACCEPTED + framed(sample(1, format=2)), "another version", id="another format"),
        pytest.param(ACCEPTED + unmasked(TEXT, BOMB[:-4], reserved=4), "longer than", id="a bomb"),
    ],
)  # fmt: skip
def test_what_is_no_dashboard_is_told_in_plain_words(sent, told):
    with pretending(sent) as port:
        shown = run_top(port)
    assert shown.returncode == 1, shown
    assert shown.stderr.startswith("jazzy-top: ")
    assert told in shown.stderr
    assert all(text.isprintable() for text in shown.stderr.split("\n")), shown.stderr


def most_memory_of(process, seen):
    """In KB, once it has ended. What `wait4` tells begins with the memory of who has started it: of all these tests."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))])
        seen.set()
        time.sleep(0.005)
    return peak


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: a field\r\n" * 1000, id="fields"),
        pytest.param(b"HTTP/1.1 403 No\r\n\r\n", bytes(65536), id="a body"),
        pytest.param(ACCEPTED + b"\x81\x7f\x00\x00\x00\xff\xff\xff\xff\xff", bytes(65536), id="a frame"),
        pytest.param(
            ACCEPTED + unmasked(TEXT, fin=False), unmasked(CONTINUATION, bytes(1000), fin=False) * 60, id="a message"),
        pytest.param(
            ACCEPTED + unmasked(TEXT, fin=False), (unmasked(CONTINUATION, bytes(99), fin=False) + unmasked(PING)) * 60,
            id="a message with pings"),
        pytest.param(ACCEPTED, framed(sample(1)) * 50, id="the same sample"),
    ],
)  # fmt: skip
@pytest.mark.skipif(IS_SANITIZED, reason="sanitizers have their own memory")
def test_what_does_not_end_is_given_up_before_it_takes_memory(first, then):
    # It is answered when it was looked at: it might have ended before.
    seen = threading.Event()
    with pretending(first, then, seen) as port, subprocess.Popen([TOP, str(port)], stderr=subprocess.PIPE) as process:
        late = threading.Timer(DEADLINE, process.kill)
        late.start()
        peak = most_memory_of(process, seen)
        late.cancel()
        assert process.returncode == 1
        assert process.stderr.read().startswith(b"jazzy-top: ")
        assert 0 < peak < 200 * 1024


def test_a_line_of_ideographs_and_accents_is_one_line():
    names = ["漢字" * 40, "e" + "\u0301" * 200, "👩‍🚀" * 60, "x" * 127]
    topics = [{"name": name, "subscribers": 4711, "publications": 1, "deliveries": 1} for name in names]
    with pretending(ACCEPTED + framed(sample(1), sample(2, topics=topics))) as port, Terminal(port, columns=80) as top:
        lines = top.until(lambda lines: sum("4,711" in line for line in lines) == len(names))
        # No line leads to the next one, whatever the terminal takes for wide.
        assert b"\x1b[?7l" in top.screen.split(b"\x1b[H")[0]
        columns = {line.index("4,711") + sum(sign >= "\u1100" for sign in line) for line in lines if "漢" in line or "xx" in line}
        assert len(columns) == 1
        assert top.end() == 0
        assert b"\x1b[?7h" in top.screen


def test_what_ends_it_leaves_the_terminal_as_it_was():
    with pretending(ACCEPTED + framed(sample(1), sample(2))) as port:
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP]:
            with Terminal(port) as top:
                top.until(lambda lines: any(line.startswith("WebSockets") for line in lines))
                assert top.end(number) == 0
                assert top.screen.endswith(b"\x1b[?25h\x1b[?1049l")


def test_who_suspends_it_gets_the_terminal_back_and_then_the_screen_again():
    state = lambda process: open(f"/proc/{process.pid}/stat").read().rpartition(")")[2].split()[0]
    with pretending(ACCEPTED + framed(sample(1), sample(2))) as port, Terminal(port) as top:
        top.until(lambda lines: any(line.startswith("WebSockets") for line in lines))
        top.process.send_signal(signal.SIGTSTP)
        eventually(lambda: state(top.process) == "T", "it is suspended")
        top.until(lambda _: top.screen.endswith(b"\x1b[?25h\x1b[?1049l"))
        top.process.send_signal(signal.SIGCONT)
        top.until(lambda _: b"\x1b[?1049h" in top.screen.rpartition(b"\x1b[?1049l")[2])
        assert top.end() == 0


def test_a_reader_that_is_gone_ends_it_without_a_word():
    with pretending(ACCEPTED + framed(sample(1), sample(2))) as port:
        # As where a parent ignores it, and so all its children do.
        ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN), "restore_signals": False}
        reader, writer = os.pipe()
        os.close(reader)
        ends = {"stdout": writer, "stderr": subprocess.PIPE}
        with subprocess.Popen([TOP, str(port)], env=LEAKS_ARE_NOT_TOLD, **ends, **ignoring) as process:
            os.close(writer)
            assert process.wait(DEADLINE) == 1
            assert process.stderr.read() == b""


def test_a_terminal_that_understands_no_codes_gets_none():
    with pretending(ACCEPTED + framed(sample(1), sample(2))) as port, Terminal(port, TERM="dumb") as top:
        assert top.process.wait(DEADLINE) == 0
        top.end()
        assert b"WebSockets" in top.screen
        assert b"\x1b" not in top.screen
