"""Attacks with frames: each ends with a server that is as it was (support/siege.py)."""

import contextlib
import functools
import random
import time
import zlib

import pytest

from support import frames
from support.deadline import DEADLINE
from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, encode
from support.programs import BENCH
from support.raw import RawConnection, open_websocket, upgrade_request
from support.server import Server
from support.siege import (
    KEPT,
    MEBIBYTE,
    besieged,
    close_code_of,
    crowd_of,
    deflated,
    echo_of,
    expect_echo,
    scaled,
    seconds_for,
    send_until_refused,
)

PROTOCOL_ERROR, INVALID_PAYLOAD, MESSAGE_TOO_BIG = 1002, 1007, 1009

# What a flood may cost: the receive buffer of the loop (512 KiB), and as much again, which is kept where the connection
# has had its share of the iteration.
FLOOD = 2 * MEBIBYTE


def test_a_mebibyte_that_comes_byte_by_byte_from_many_costs_what_has_come(start_probe):
    server = start_probe()
    frame = encode(BINARY, length_bits=64, length=MEBIBYTE)
    with besieged(server, peak=2 * MEBIBYTE), crowd_of(500, lambda: open_websocket(server.port)) as slow:
        # Were the promised memory taken, it would be 500 MiB.
        for byte in frame + bytes(40):
            for connection in slow:
                connection.send(bytes([byte]))
        expect_echo(server)


def test_a_message_that_comes_byte_by_byte_to_its_end_is_whole(probe):
    message = bytes(range(256)) * 16
    with besieged(probe), open_websocket(probe.port) as slow:
        for byte in encode(BINARY, message):
            slow.send(bytes([byte]))
        assert slow.read_frame() == frames.Frame(BINARY, message)


def huge(length, opcode=BINARY, **options):
    return encode(opcode, length_bits=64, length=length, **options)


HUGE = {
    "one more than the limit": (huge(MEBIBYTE + 1), MESSAGE_TOO_BIG),
    "2^31": (huge(1 << 31), MESSAGE_TOO_BIG),
    "2^32": (huge(1 << 32), MESSAGE_TOO_BIG),
    "2^32 + 5": (huge((1 << 32) + 5), MESSAGE_TOO_BIG),
    "2^62": (huge(1 << 62), MESSAGE_TOO_BIG),
    "2^63 - 1": (huge((1 << 63) - 1), MESSAGE_TOO_BIG),
    "2^63": (huge(1 << 63), PROTOCOL_ERROR),
    "2^64 - 1": (huge((1 << 64) - 1), PROTOCOL_ERROR),
    "2^63 - 1 in a text": (huge((1 << 63) - 1, TEXT), MESSAGE_TOO_BIG),
    "2^63 - 1 in the first of several frames": (huge((1 << 63) - 1, fin=False), MESSAGE_TOO_BIG),
    "2^63 - 1 in a later frame": (
        encode(BINARY, b"begun", fin=False) + huge((1 << 63) - 1, CONTINUATION),
        MESSAGE_TOO_BIG,
    ),
    "what wraps around with what came before": (
        encode(BINARY, b"begun", fin=False) + huge((1 << 63) - 5, CONTINUATION),
        MESSAGE_TOO_BIG,
    ),
    "2^63 - 1 in a ping": (huge((1 << 63) - 1, PING), PROTOCOL_ERROR),
    "2^63 - 1 in a close": (huge((1 << 63) - 1, CLOSE), PROTOCOL_ERROR),
    "2^63 - 1 in an unknown opcode": (huge((1 << 63) - 1, 11), PROTOCOL_ERROR),
    "2^63 - 1 without a mask": (huge((1 << 63) - 1, key=None), PROTOCOL_ERROR),
}


@pytest.mark.parametrize(("data", "code"), HUGE.values(), ids=HUGE)
def test_a_huge_length_is_refused_at_its_header_and_costs_no_memory(probe, data, code):
    with besieged(probe, peak=MEBIBYTE), crowd_of(20, lambda: open_websocket(probe.port)) as liars:
        for connection in liars:
            connection.send(data)
        for connection in liars:
            assert connection.read_close()[0] == code
            connection.expect_end_of_stream()


# Their number has a limit of its own: test_attacks_on_limits.py.
UNLIMITED = 4_294_967_295


def test_endless_empty_fragments_cost_no_memory_and_the_message_can_still_end(start_probe):
    server = start_probe("--max-frames-per-message", UNLIMITED)
    with besieged(server, peak=FLOOD), open_websocket(server.port) as endless:
        endless.send_frame(TEXT, b"begun", fin=False)
        many = encode(CONTINUATION, fin=False) * 10_000
        for _ in range(scaled(100)):
            endless.send(many)
        expect_echo(server)
        endless.send_frame(CONTINUATION, b", ended")
        assert endless.read_frame() == frames.Frame(TEXT, b"begun, ended")


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_endless_fragments_of_a_byte_end_at_the_limit_of_a_message(start_probe, opcode):
    limit = 100_000
    server = start_probe("--max-message", limit, "--max-frames-per-message", UNLIMITED)
    with besieged(server, peak=FLOOD), open_websocket(server.port) as endless:
        endless.send_frame(opcode, b"x", fin=False)
        endless.send(encode(CONTINUATION, b"x", fin=False) * (limit - 1))
        expect_echo(server)
        endless.send_frame(CONTINUATION, b"x", fin=False)
        assert endless.read_close()[0] == MESSAGE_TOO_BIG
        endless.expect_end_of_stream()


def test_fragments_that_never_end_from_many_cost_no_more_than_their_messages(start_probe):
    server = start_probe("--max-message", 65536)
    clients = 100
    with besieged(server, peak=clients * 65536 * 2), crowd_of(clients, lambda: open_websocket(server.port)) as endless:
        for connection in endless:
            connection.send_frame(BINARY, fin=False)
        for _ in range(64):
            for connection in endless:
                connection.send_frame(CONTINUATION, bytes(1000), fin=False)
        expect_echo(server)


@pytest.mark.parametrize("within_a_message", [False, True], ids=["between messages", "within a message"])
def test_endless_pings_are_answered_and_cost_no_memory(start_probe, within_a_message):
    server = start_probe()
    pings = encode(PING, b"x" * 125) * 500
    pongs = frames.Frame(PONG, b"x" * 125)
    with besieged(server, peak=FLOOD), open_websocket(server.port) as endless:
        if within_a_message:
            endless.send_frame(TEXT, b"begun", fin=False)
        for _ in range(scaled(40)):
            endless.send(pings)
            for _ in range(500):
                assert endless.read_frame() == pongs
        endless.send_frame(*((CONTINUATION, b", ended") if within_a_message else (TEXT, b"begun, ended")))
        assert endless.read_frame() == frames.Frame(TEXT, b"begun, ended")


FLOODS = {
    "pings": encode(PING, b"x" * 125) * 8000,
    "empty pings": encode(PING) * 150_000,
    "messages": encode(BINARY, bytes(60_000)) * 17,
    "tiny messages": encode(TEXT) * 150_000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_whose_answers_are_not_read_is_not_read_either(start_probe, flood):
    server = start_probe("--backpressure-limit", MEBIBYTE)
    with besieged(server, peak=12 * MEBIBYTE):
        with crowd_of(4, lambda: open_websocket(server.port, receive_buffer=4096)) as greedy:
            for connection in greedy:
                connection.socket.settimeout(0.3)
                sent = send_until_refused(connection, flood, 128 * MEBIBYTE)
                assert sent < 128 * MEBIBYTE, "the server read everything, though its answers were not read"
            expect_echo(server)


def test_a_flood_of_pongs_that_nobody_asked_for_is_only_read(start_probe):
    server = start_probe()
    with besieged(server, peak=FLOOD), open_websocket(server.port) as talkative:
        for _ in range(scaled(50)):
            talkative.send(encode(PONG, b"x" * 125) * 2000)
        expect_echo(server)
        assert echo_of(talkative) == b"still there?"


# 256 MiB in 256 KiB, which is what deflate makes of zeros at best.
BOMB = deflated([bytes(MEBIBYTE)] * 256)
# Messages below the limit, repeated: each costs a thousand times its length while it is handled.
IN_LIMIT = deflated([bytes(MEBIBYTE - 1)])
TYPICAL = deflated([b"a message that is long enough to be compressed " * 5])
# Blocks that are empty: no output, and no end of them.
HOLLOW = b"\x00\x00\x00\xff\xff" * 100_000 + b"\x00"


@pytest.fixture(params=["shared", "dedicated"])
def compressing(request):
    """An echo server that agrees to permessage-deflate."""
    with Server([BENCH["c"], "--port", 0, "--max-message", MEBIBYTE, "--deflate", request.param]) as server:
        # Memory that all connections share is allocated for the first message, and stays.
        with open_compressing(server) as first:
            first.send_frame(TEXT, TYPICAL, reserved=4)
            assert first.read_frame().opcode == TEXT
        yield server


def open_compressing(server):
    connection = RawConnection(server.port)
    connection.send(upgrade_request(sec_websocket_extensions="permessage-deflate"))
    response = connection.read_response()
    assert response.status == 101
    assert "permessage-deflate" in response.header("Sec-WebSocket-Extensions")
    return connection


def in_frames(payload, length):
    """A compressed message in frames of this length."""
    pieces = [payload[start : start + length] for start in range(0, len(payload), length)]
    sent = encode(BINARY, pieces[0], reserved=4, fin=False)
    sent += b"".join(encode(CONTINUATION, piece, fin=False) for piece in pieces[1:])
    return sent + encode(CONTINUATION)


BOMBS = {
    "in one frame": encode(BINARY, BOMB, reserved=4),
    "in many frames": in_frames(BOMB, 1000),
    "as text": encode(TEXT, BOMB, reserved=4),
    "followed by another": encode(BINARY, IN_LIMIT, reserved=4) + encode(BINARY, BOMB, reserved=4),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_not_inflated_beyond_the_limit(compressing, bomb):
    # One message at a time is inflated; besides, each bomb has to be complete first.
    clients = 20
    allowed = 4 * MEBIBYTE + clients * 2 * len(BOMB)
    with besieged(compressing, peak=allowed), crowd_of(clients, lambda: open_compressing(compressing)) as bombers:
        for connection in bombers:
            connection.send(bomb)
        for connection in bombers:
            assert close_code_of(connection) == MESSAGE_TOO_BIG
            connection.expect_end_of_stream()


def test_bombs_within_the_limit_are_taken_one_at_a_time(compressing):
    with besieged(compressing, peak=8 * MEBIBYTE), crowd_of(20, lambda: open_compressing(compressing)) as bombers:
        for _ in range(scaled(5)):
            for connection in bombers:
                connection.send_frame(BINARY, IN_LIMIT, reserved=4)
            for connection in bombers:
                assert len(connection.read_frame().payload) < 20_000
        expect_echo(compressing)


def test_a_compressed_message_of_nothing_but_empty_blocks_is_an_empty_message(compressing):
    with besieged(compressing, peak=4 * MEBIBYTE), open_compressing(compressing) as hollow:
        hollow.send_frame(BINARY, HOLLOW, reserved=4)
        assert hollow.read_frame() == frames.Frame(BINARY)


@functools.cache
def flushed(message, length):
    """As websockets and node-ws send a message in fragments: each of them is flushed."""
    compressor = zlib.compressobj(wbits=-15)
    pieces = []
    for start in range(0, len(message), length):
        piece = compressor.compress(message[start : start + length]) + compressor.flush(zlib.Z_SYNC_FLUSH)
        is_last = start + length >= len(message)
        opcode, reserved = (BINARY, 4) if start == 0 else (CONTINUATION, 0)
        pieces.append(encode(opcode, piece[:-4] if is_last else piece, reserved=reserved, fin=is_last))
    return b"".join(pieces)


def test_a_message_that_is_flushed_behind_every_fragment_is_no_attack(compressing):
    message = random.Random(1).randbytes(MEBIBYTE)
    sent = flushed(message, 24)
    # More than the message can be if it is compressed as a whole: at most an eighth longer.
    assert len(sent) - 6 * MEBIBYTE / 24 > 1.3 * MEBIBYTE
    with besieged(compressing, peak=6 * MEBIBYTE), open_compressing(compressing) as patient:
        patient.send(sent)
        frame = patient.read_frame()
        assert frame.payload == message if frame.reserved == 0 else inflated(frame.payload) == message


def inflated(payload):
    return zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff")


@pytest.mark.parametrize("count", [1, 100, 10_000], ids=lambda count: f"{count} in each frame")
def test_endless_flushes_that_bring_nothing_end(compressing, count):
    block = b"\x00\x00\x00\xff\xff" * count
    with besieged(compressing, peak=6 * MEBIBYTE), open_compressing(compressing) as endless:
        endless.send_frame(BINARY, block, fin=False, reserved=4)
        many = encode(CONTINUATION, block, fin=False) * (10_000 // count)
        with contextlib.suppress(ConnectionError):
            for _ in range(40 * MEBIBYTE // len(many)):
                endless.send(many)
        assert close_code_of(endless) == MESSAGE_TOO_BIG


GARBAGE = {
    "a block type that there is not": b"\x06",
    "a distance before the beginning": deflated([b"abcabcabcabc" * 10])[:2] + b"\xff" * 20,
    "no compressed data at all": bytes(range(256)),
}


@pytest.mark.parametrize("payload", GARBAGE.values(), ids=GARBAGE)
def test_what_cannot_be_inflated_is_refused(compressing, payload):
    with besieged(compressing), open_compressing(compressing) as connection:
        connection.send_frame(BINARY, payload, reserved=4)
        assert close_code_of(connection) == INVALID_PAYLOAD
        connection.expect_end_of_stream()


def test_crowd_after_crowd_costs_no_more_than_one_crowds_contexts(compressing):
    # jazzy/server.h says what a context has. glibc may keep that of one crowd: small pieces, kept too, lie above it.
    count, context = 50, 310 * 1024
    with besieged(compressing, kept=count * context + KEPT):
        for _ in range(scaled(20)):
            with crowd_of(count, lambda: open_compressing(compressing)) as clients:
                for connection in clients:
                    connection.send_frame(TEXT, TYPICAL, reserved=4)
                    assert connection.read_frame().opcode == TEXT


def test_a_client_that_floods_after_our_close_frame_is_cut_off_in_time(start_probe):
    server = start_probe("--close-timeout-ms", 500)
    with besieged(server, peak=2 * MEBIBYTE), open_websocket(server.port, "/close-me") as deaf:
        deaf.send_frame(TEXT, b"4000 because")
        assert deaf.read_close()[0] == 4000

        def flood():
            end = time.monotonic() + DEADLINE
            with contextlib.suppress(ConnectionError):
                while time.monotonic() < end:
                    deaf.send_frame(BINARY, bytes(1000))

        assert seconds_for(server, flood) < 3
