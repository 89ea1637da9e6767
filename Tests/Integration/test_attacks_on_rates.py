"""Clients that send far more messages than their route allows: 100 per second, 20 at once (servers/attack-routes.c)."""

import contextlib
import time

import pytest

from support import frames
from support.frames import CLOSE, PING, PONG, TEXT, encode
from support.raw import open_websocket
from support.siege import MEBIBYTE, besieged, echo_of

PER_SECOND, BURST = 100, 20
POLICY_VIOLATION = 1008
BATCH = 100


def send_numbers(connection, numbers, pause):
    """Sends these as texts, at ten times the rate if `pause` is 0.1; returns when it began."""
    began = time.monotonic()
    for first in range(0, len(numbers), BATCH):
        texts = (encode(TEXT, str(number).encode()) for number in numbers[first : first + BATCH])
        connection.send(b"".join(texts))
        time.sleep(pause)
    return began


def read_numbers(connection, until):
    """The numbers of the echoes, up to this one."""
    numbers = []
    while not numbers or numbers[-1] < until:
        frame = connection.read_frame()
        assert frame.opcode == TEXT
        numbers.append(int(frame.payload))
    return numbers


def most_after(seconds):
    """How many messages can have been accepted after this time."""
    return BURST + seconds * PER_SECOND + 1


def test_who_sends_ten_times_the_rate_is_closed(start_probe):
    server = start_probe()
    with besieged(server), open_websocket(server.port, "/rate/close") as flood:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            send_numbers(flood, range(10 * BATCH), 0.1)
        numbers = []
        while (frame := flood.read_frame()).opcode == TEXT:
            numbers.append(int(frame.payload))
        assert frame.opcode == CLOSE
        assert frames.close_code(frame) == (POLICY_VIOLATION, "too many messages")
        assert numbers == list(range(len(numbers)))
        assert BURST <= len(numbers) <= most_after(time.monotonic() - began)


def test_what_is_sent_beyond_the_rate_is_dropped(start_probe):
    server = start_probe()
    with besieged(server), open_websocket(server.port, "/rate/drop") as flood:
        began = send_numbers(flood, range(BATCH), 0.1)
        # What follows comes later than the first, however late the server is: so more is to be had than the burst.
        numbers = read_numbers(flood, 0)
        send_numbers(flood, range(BATCH, 10 * BATCH), 0.1)
        # Whatever was dropped, the connection goes on: a ping is answered behind everything, and so are later texts.
        flood.send_frame(PING, b"all")
        while (frame := flood.read_frame()).opcode == TEXT:
            numbers.append(int(frame.payload))
        assert (frame.opcode, frame.payload) == (PONG, b"all")
        assert numbers == sorted(set(numbers))
        assert BURST < len(numbers) <= most_after(time.monotonic() - began)
        time.sleep(1 / PER_SECOND)
        assert echo_of(flood, b"later") == b"later"


@pytest.mark.parametrize("path", ["/rate/pause", "/rate/pause/workers"])
def test_who_sends_ten_times_the_rate_is_read_later_and_loses_nothing(start_probe, path):
    server = start_probe()
    count = 2 * BATCH
    with besieged(server), open_websocket(server.port, path) as flood:
        began = send_numbers(flood, range(count), 0.1)
        assert read_numbers(flood, count - 1) == list(range(count))
        # Not sooner than the rate gives; on a busy machine perhaps later.
        assert most_after(time.monotonic() - began) >= count


@pytest.mark.parametrize("opcode", [TEXT, PING], ids=["texts", "pings"])
@pytest.mark.parametrize("path", ["/rate/close", "/rate/drop", "/rate/pause", "/rate/pause/workers"])
def test_floods_of_any_kind_cost_little_and_keep_nobody_waiting(start_probe, path, opcode):
    """Several clients send as much as goes; of those that are read later, the kernel takes no more at some time."""
    server = start_probe()
    flood = encode(opcode, b"x") * 5000
    with besieged(server, peak=16 * MEBIBYTE), contextlib.ExitStack() as stack:
        clients = [stack.enter_context(open_websocket(server.port, path)) for _ in range(5)]
        for client in clients:
            client.socket.settimeout(0.05)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(20):
                    client.send(flood)
        with open_websocket(server.port) as other:
            assert echo_of(other) == b"still there?"
        for client in clients:
            client.reset()
