"""Each way in which a WebSocket is refused, fails or ends is counted, each time, under its own name, and nothing else is."""

import collections
import contextlib
import re

import pytest

from support import frames
from support.deadline import eventually
from support.frames import BINARY, CONTINUATION, PING, TEXT, encode, encode_close
from support.programs import PROBE, ROOT
from support.raw import RawConnection, open_websocket, request, upgrade_request
from support.scraping import Samples, get
from support.server import Server
from support.siege import crowd_of

MEBIBYTE = 1024 * 1024


def samples_when_all_are_gone(server):
    eventually(lambda: "\njazzy_websockets 0\n" in get(server.port)[2], "all of them are gone")
    return Samples(server.port)


def counts_of(samples, name, label):
    """All values of a label, with their counts, those that are not 0."""
    return {dict(labels)[label]: int(value) for (each, labels), value in samples.all.items() if each == name and value}


def reads_to_the_end(connection):
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.read_frame()


# What breaks each rule, and the close code of it.
FAILURES = {
    "reserved_bits": (encode(TEXT, b"a", reserved=2), "1002"),
    "reserved_opcode": (encode(3, b"a"), "1002"),
    "not_masked": (encode(TEXT, b"a", key=None), "1002"),
    "length_not_minimal": (encode(TEXT, b"a", length_bits=16), "1002"),
    "length_too_large": (encode(BINARY, length_bits=64, length=1 << 63), "1002"),
    "control_fragmented": (encode(PING, b"a", fin=False), "1002"),
    "control_too_long": (encode(PING, bytes(126)), "1002"),
    "unexpected_continuation": (encode(CONTINUATION, b"a"), "1002"),
    "expected_continuation": (encode(TEXT, b"a", fin=False) + encode(TEXT, b"b"), "1002"),
    "invalid_utf8": (encode(TEXT, b"\xff"), "1007"),
    "invalid_close_length": (encode(frames.CLOSE, b"\x03"), "1002"),
    "invalid_close_code": (encode_close(1005), "1002"),
    "message_too_big": (encode(BINARY, length_bits=64, length=MEBIBYTE + 1), "1009"),
    "too_many_frames": (encode(TEXT, fin=False) + encode(CONTINUATION, fin=False) * 9, "1009"),
    "invalid_compression": (encode(TEXT, b"\xff\xff\xff", reserved=4), "1007"),
    "transport": (None, "1006"),
}

# Those that no client can bring about as it likes, or that has a test of its own below.
OTHER_FAILURES = {"out_of_memory", "idle_timeout"}


def words(file, table):
    """The words of a table of names in the core."""
    text = (ROOT / "Sources/CJazzyPoll" / file).read_text()
    return set(re.findall(r'= "(\w+)"', text[text.index(table) :].split("};")[0]))


def test_each_failure_is_counted_by_its_rule_its_code_and_its_cause():
    assert set(FAILURES) | OTHER_FAILURES | {"none"} == words("session/failure.c", "char *const names[]")
    expected = collections.Counter()
    codes = collections.Counter()
    with Server([PROBE, "--port", 0, "--deflate", "shared", "--max-frames-per-message", 8]) as server:
        # Each another number of times, so that no two can be taken for each other.
        for times, (rule, (sent, code)) in enumerate(FAILURES.items(), 1):
            expected[rule] += times
            codes[code] += times
            for _ in range(times):
                with RawConnection(server.port) as client:
                    client.send(upgrade_request("/echo", sec_websocket_extensions="permessage-deflate"))
                    assert client.read_response().status == 101
                    if sent is None:
                        client.reset()
                        continue
                    client.send(sent)
                    reads_to_the_end(client)
        values = samples_when_all_are_gone(server)
        assert counts_of(values, "jazzy_failures_total", "rule") == expected
        assert counts_of(values, "jazzy_closes_total", "code") == codes
        assert counts_of(values, "jazzy_closes_by_cause_total", "cause") == {"failure": expected.total()}
        assert values.of("jazzy_websockets_opened_total") == expected.total()
        assert values.of("jazzy_websocket_duration_seconds_count", route="/echo") == expected.total()


# The codes that a client may send, and what they are counted as.
CODES = {
    **{code: str(code) for code in (1000, 1001, 1002, 1003, *range(1007, 1015))},
    3000: "3000-3999",
    3999: "3000-3999",
    4000: "4000-4999",
    4999: "4000-4999",
    None: "1005",
}


def test_each_close_code_of_a_client_is_counted():
    expected = collections.Counter()
    with Server([PROBE, "--port", 0]) as server:
        for times, (code, counted) in enumerate(CODES.items(), 1):
            expected[counted] += times
            for _ in range(times):
                with open_websocket(server.port) as client:
                    client.send(encode_close(code))
                    reads_to_the_end(client)
        values = samples_when_all_are_gone(server)
        assert counts_of(values, "jazzy_closes_total", "code") == expected
        assert counts_of(values, "jazzy_closes_by_cause_total", "cause") == {"peer": expected.total()}
        assert not counts_of(values, "jazzy_failures_total", "rule")


def flood(client):
    client.send(encode(TEXT, b"x") * 100)


# What a client does to be closed for each cause: its route, and flags of the server.
CAUSES = {
    "peer": ("/echo", (), lambda client: client.send(encode_close(1000))),
    "application": ("/close-me", (), lambda client: client.send_frame(TEXT, b"4000 because")),
    "idle": ("/echo", ("--idle-timeout-ms", 1000), lambda client: None),
    "lifetime": ("/echo", ("--max-lifetime-ms", 1000), lambda client: None),
    "failure": ("/echo", (), lambda client: client.send(encode(3))),
    "message_rate": ("/rate/close", (), flood),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_counted(cause):
    path, flags, act = CAUSES[cause]
    with Server([PROBE, "--port", 0, "--close-timeout-ms", 200, *flags]) as server:
        with crowd_of(3, lambda: open_websocket(server.port, path)) as clients:
            for client in clients:
                act(client)
            for client in clients:
                reads_to_the_end(client)
        values = samples_when_all_are_gone(server)
        assert counts_of(values, "jazzy_closes_by_cause_total", "cause") == {cause: 3}
        assert values.of("jazzy_websockets_opened_total") == 3
        assert counts_of(values, "jazzy_message_rate_exceeded_total", "action") == (
            {"close": 3} if cause == "message_rate" else {}
        )
        failures = {"failure": {"reserved_opcode": 3}, "idle": {"idle_timeout": 3}}.get(cause, {})
        assert counts_of(values, "jazzy_failures_total", "rule") == failures


HOST = (("Host", "localhost"),)

# What is refused for each reason, and the server's flags. None: nothing is sent.
REFUSALS = {
    "malformed_head": (b"NONSENSE\r\n\r\n", ()),
    "head_too_large": (request(path="/", headers=(*HOST, ("X", "y" * 3000))), ("--max-head-size", 2000)),
    "http_version": (request(version="HTTP/2.7"), ()),
    # Long enough for whoever asks how many there were.
    "handshake_timeout": (b"GET / HT", ("--handshake-timeout-ms", 5000)),
    "not_found": (request(path="/nowhere"), ()),
    "method": (request("POST", "/echo"), ()),
    "no_upgrade": (request(path="/echo"), ()),
    "invalid_handshake": (upgrade_request(sec_websocket_key="short"), ()),
    "origin": (upgrade_request(origin="https://elsewhere.example"), ()),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_each_refusal_is_counted_by_its_reason(reason):
    sent, flags = REFUSALS[reason]
    with Server([PROBE, "--port", 0, *flags]) as server:
        with crowd_of(3, lambda: RawConnection(server.port)) as clients:
            for client in clients:
                client.send(sent)
            for client in clients:
                assert client.read_response().status >= 400
        values = Samples(server.port)  # over a connection of its own
        assert values.of("jazzy_connections_opened_total") == 3 + 1
        assert values.of("jazzy_websockets_opened_total") == 0
        assert counts_of(values, "jazzy_refused_total", "reason") == {reason: 3}


# Reasons that leave no place for who asks meanwhile: how many are let in, and the flags.
LIMITS = {
    "max_connections": ("--max-connections", 2),
    "connections_per_address": ("--max-connections-per-address", 2),
    "max_handshakes": ("--max-handshakes", 2),
}


@pytest.mark.parametrize("reason", LIMITS)
def test_each_who_is_beyond_a_limit_is_counted(reason):
    with Server([PROBE, "--port", 0, *LIMITS[reason]]) as server, contextlib.ExitStack() as stack:
        let_in = [stack.enter_context(RawConnection(server.port)) for _ in range(2)]
        # They are there when the server has answered both.
        for each in let_in:
            each.send(request(path="/plain"))
            assert each.read_response().status == 200
        for _ in range(3):
            with RawConnection(server.port) as client, contextlib.suppress(ConnectionError):
                assert client.read_response().status in (429, 503)

        def text():
            """Who was let in may read how many were not."""
            let_in[0].send(request(path="/metrics"))
            return let_in[0].read_response().body.decode()

        eventually(lambda: "\njazzy_connections 2\n" in text(), "the others are gone")
        counted = re.findall(r'^jazzy_refused_total\{reason="(\w+)"\} ([1-9]\d*)$', text(), re.MULTILINE)
        assert counted == [(reason, "3")]
