"""Attacks that the limits of a server are there for: each ends with a server that is as it was (support/siege.py)."""

import contextlib
import time

import pytest

from support import events, frames
from support.deadline import DEADLINE, eventually
from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_code, encode
from support.network import in_its_own_network, without_network
from support.process import descriptor_count
from support.programs import BENCH
from support.raw import RawConnection, open_websocket, request, upgrade_request
from support.server import Server
from support.siege import MEBIBYTE, besieged, crowd_of, echo_of, expect_echo, scaled, seconds_for

GOING_AWAY, MESSAGE_TOO_BIG = 1001, 1009


@pytest.mark.not_within_tls("the timer is the same, and takes long")
@in_its_own_network
def test_who_vanishes_without_a_word_is_let_go_after_the_idle_timeout(start_probe):
    server = start_probe("--idle-timeout-ms", 3000, "--close-timeout-ms", 500)
    before = descriptor_count(server.pid)
    count = 20

    def come():
        """It is heard of at once, not only when all are open: where that is slow, it takes longer than the time-out."""
        connection = open_websocket(server.port, "/events")
        connection.send_frame(TEXT, b"here")
        return connection

    with besieged(server), crowd_of(count, come):
        eventually(lambda: server.output.text().count('"message"') == count, "all of them were heard of")
        with without_network():
            eventually(lambda: descriptor_count(server.pid) == before, "the server lets go of those that are gone")
        for number in range(count):
            told = events.of_connection(server, number)
            assert events.names(told) == ["open", "message", "error", "close"]
            assert (told[-1]["code"], told[-1]["clean"]) == (GOING_AWAY, False)


def test_who_answers_pings_is_not_idle_and_who_does_not_is_closed(start_probe):
    idle = 4  # seconds: half of them is left for an answer on a busy machine
    server = start_probe("--idle-timeout-ms", idle * 1000)
    with besieged(server), open_websocket(server.port) as alive, open_websocket(server.port) as silent:
        for _ in range(4):  # one after each half of the time, or later: it is over twice for who does not answer
            frame = alive.read_frame()
            assert frame.opcode == PING
            alive.send_frame(PONG, frame.payload)
        alive.send_frame(TEXT, b"still there?")
        while (frame := alive.read_frame()).opcode == PING:
            pass
        assert frame.payload == b"still there?"
        assert silent.read_frame().opcode == PING
        assert silent.read_close()[0] == GOING_AWAY


def test_a_client_that_drips_a_frame_is_not_idle_but_costs_what_has_come(start_probe):
    server = start_probe("--idle-timeout-ms", 5000)  # less than its bytes take together, and much more than each
    with besieged(server, peak=MEBIBYTE), open_websocket(server.port) as slow:
        for byte in encode(TEXT, b"slowly"):
            slow.send(bytes([byte]))
            time.sleep(0.6)
        while (frame := slow.read_frame()).opcode == PING:
            pass
        assert frame.payload == b"slowly"


@pytest.mark.parametrize("begun", [b"", b"x", b"x" * 10_000], ids=lambda begun: f"behind {len(begun)} bytes")
@pytest.mark.parametrize("limit", [100, None], ids=["of 100", "by default"])
def test_endless_empty_fragments_end_at_the_limit_of_frames(start_probe, limit, begun):
    server = start_probe(*(("--max-frames-per-message", limit) if limit else ()))
    # Besides the first: a frame for each byte that came, and as many as the limit says.
    allowed = len(begun) + (limit or 65_536) - 1
    with besieged(server, peak=MEBIBYTE):
        with open_websocket(server.port) as within:
            within.send(encode(TEXT, begun, fin=False) + encode(CONTINUATION, fin=False) * allowed)
            within.send_frame(CONTINUATION, b"!")
            assert within.read_frame().payload == begun + b"!"
        with open_websocket(server.port) as beyond:
            beyond.send(encode(TEXT, begun, fin=False) + encode(CONTINUATION, fin=False) * (allowed + 1))
            assert beyond.read_close()[0] == MESSAGE_TOO_BIG
            beyond.expect_end_of_stream()


@pytest.mark.parametrize("language", BENCH)
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_message_in_fragments_of_a_byte_is_no_attack(language, opcode):
    message = b"0123456789abcdef" * (MEBIBYTE // 16)
    first, *further, last = (bytes([byte]) for byte in message)
    fragments = {byte: encode(CONTINUATION, byte, fin=False) for byte in {*further}}
    sent = b"".join([encode(opcode, first, fin=False), *(fragments[byte] for byte in further)])
    server = Server([BENCH[language], "--port", 0, "--max-message", MEBIBYTE])
    with server, besieged(server, peak=4 * MEBIBYTE), open_websocket(server.port) as patient:
        patient.send(sent + encode(CONTINUATION, last))
        assert patient.read_frame() == frames.Frame(opcode, message)


def is_refused(connection, is_plain):
    """Whether a connection is ended, and before that answered with 503 or 429; but not where that were no answer."""
    with contextlib.suppress(ConnectionError):
        connection.send(upgrade_request())
    if is_plain:
        assert connection.read_response().status in (429, 503)
    with contextlib.suppress(ConnectionResetError):
        connection.expect_end_of_stream()
    return True


FULL = ["--max-connections", "--max-connections-per-address"]


@pytest.mark.parametrize("flag", FULL)
def test_beyond_the_limit_of_connections_newcomers_are_refused_until_one_leaves(
    start_probe, is_plain, descriptors_each, flag
):
    limit = 50
    server = start_probe(flag, limit, "--close-timeout-ms", 500)
    with besieged(server):
        before = descriptor_count(server.pid)
        with crowd_of(limit, lambda: open_websocket(server.port)) as crowd:
            for _ in range(scaled(500)):
                with RawConnection(int(server.port)) as refused:  # before it could speak TLS
                    assert is_refused(refused, is_plain)
            assert all(echo_of(connection) == b"still there?" for connection in crowd)
            crowd[0].reset()
            left = before + (limit - 1) * descriptors_each
            eventually(lambda: descriptor_count(server.pid) <= left, "there is room again")
            expect_echo(server)
        # All of them were there at the limit: the next newcomer would be refused if it came before their ends.
        eventually(lambda: descriptor_count(server.pid) <= before, "all of them are gone")


@pytest.mark.not_within_tls("there, those count whose TLS is not agreed on: test_tls_hostile_handshakes.py")
def test_beyond_the_limit_of_handshakes_newcomers_are_refused_and_websockets_are_not_counted(
    start_probe, is_plain, descriptors_each
):
    limit = 50
    server = start_probe("--max-handshakes", limit, "--handshake-timeout-ms", 8000, "--close-timeout-ms", 500)
    with besieged(server), crowd_of(limit * 2, lambda: open_websocket(server.port)) as served:
        before = descriptor_count(server.pid)
        with crowd_of(limit, lambda: RawConnection(server.port)) as silent:
            full = before + limit * descriptors_each
            eventually(lambda: descriptor_count(server.pid) == full, "all of them are accepted")
            with RawConnection(int(server.port)) as refused:
                assert is_refused(refused, is_plain)
            assert all(echo_of(connection) == b"still there?" for connection in served)
            for connection in silent:
                connection.expect_end_of_stream()
            expect_echo(server)


HEADS = {
    "a head beyond its size": (("--max-head-size", 1024), upgrade_request(filler="x" * 1024), 431),
    "headers beyond their count": (
        ("--max-header-count", 8),
        request(path="/echo", headers=(("Host", "localhost"), *((f"F{number}", "") for number in range(8)))),
        431,
    ),
    "a head of a common size": (("--max-head-size", 1024, "--max-header-count", 8), upgrade_request(), 101),
}


@pytest.mark.parametrize(("flags", "head", "status"), HEADS.values(), ids=HEADS)
def test_the_limits_of_a_head_can_be_narrower(start_probe, flags, head, status):
    server = start_probe(*flags)
    with besieged(server), crowd_of(50, lambda: RawConnection(server.port)) as clients:
        for connection in clients:
            connection.send(head)
        for connection in clients:
            assert connection.read_response().status == status


def test_who_is_never_idle_still_ends_with_its_lifetime(start_probe):
    server = start_probe("--max-lifetime-ms", 1000, "--close-timeout-ms", 500)

    def live_on():
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            with contextlib.suppress(ConnectionError):
                lasting.send_frame(TEXT, b"on and on")
            frame = lasting.read_frame()
            if frame.opcode == CLOSE:
                break
            time.sleep(0.02)
        assert close_code(frame)[0] is not None

    with besieged(server):
        start = time.monotonic()  # before it is accepted, which is when its life begins
        with open_websocket(server.port) as lasting:
            assert seconds_for(server, live_on) < 3
            assert time.monotonic() - start > 0.9
