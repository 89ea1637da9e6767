"""Peers that take their output, however slowly; and peers whose input has arrived, however late it is read."""

import time

from support import frames
from support.deadline import eventually
from support.frames import BINARY, PING, PONG, TEXT
from support.process import descriptor_count, stopped
from support.raw import RawConnection, upgrade_request
from support.siege import MEBIBYTE, allow_many_descriptors, crowd_of, echo_of

HEADER_LENGTH = 10  # of a frame of more than 64 KiB


def take_slowly(connection, count, rate):
    """Reads that many bytes, continuously at that rate: the rest stays in the kernel."""
    start = time.monotonic()
    taken = 0
    while taken < count:
        data = connection.socket.recv(min(max(1024, rate // 50), count - taken))
        assert data, f"the stream ended after {taken} bytes"
        taken += len(data)
        time.sleep(max(0, start + taken / rate - time.monotonic()))


def start_of_much(start_probe, *flags):
    server = start_probe("--backpressure-limit", 64 * MEBIBYTE, *flags)
    connection = RawConnection(server.port)
    # In one piece: who is silent for a while is pinged, and the ping would come first.
    connection.send(upgrade_request("/burst") + frames.encode(TEXT, b"1 %d" % (8 * MEBIBYTE)))
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # what follows stays in the kernel
        byte = connection.socket.recv(1)
        assert byte, f"the stream ended after {head}"
        head += byte
    assert head.startswith(b"HTTP/1.1 101 "), head
    return connection


def test_who_takes_8_mebibytes_at_20_kilobytes_a_second_is_not_idle_after_3_seconds(start_probe):
    with start_of_much(start_probe, "--idle-timeout-ms", 3000) as slow:
        take_slowly(slow, 300_000, 20_000)  # five times the time-out
        rest = HEADER_LENGTH + 8 * MEBIBYTE - 300_000
        take_slowly(slow, rest, 1 << 30)
        assert slow.read_frame().opcode == PING
        slow.send_frame(PONG)
        slow.send_frame(TEXT, b"1 100")
        while (frame := slow.read_frame()).opcode == PING:
            pass
        assert (frame.opcode, len(frame.payload)) == (BINARY, 100)


def test_who_closes_while_it_takes_slowly_gets_all_and_the_answer(start_probe):
    with start_of_much(start_probe, "--close-timeout-ms", 2000) as slow:
        slow.send(frames.encode_close(1000))
        take_slowly(slow, HEADER_LENGTH + 8 * MEBIBYTE, MEBIBYTE)
        assert slow.read_close()[0] == 1000
        slow.expect_end_of_stream()


def test_requests_that_came_while_the_server_was_stopped_are_answered_however_many(start_probe):
    server = start_probe("--handshake-timeout-ms", 4000, "--threads", 1)
    count = 1500  # more than one wait reports
    allow_many_descriptors(server.pid)
    before = descriptor_count(server.pid)
    with crowd_of(count, lambda: RawConnection(server.port)) as clients:
        eventually(lambda: descriptor_count(server.pid) == before + count, "all of them are accepted")
        with stopped(server.pid):
            for client in clients:
                client.send(upgrade_request())
            time.sleep(4)  # as long as a handshake may take, though it took none
        for client in clients:
            assert client.read_response().status == 101
        assert echo_of(clients[-1]) == b"still there?"
