"""Writes that the kernel takes only in part, and clients that do not read."""

import json
import socket
import struct

from support import frames
from support.deadline import eventually
from support.frames import BINARY, TEXT
from support.process import descriptor_count, descriptors_without_clients, peak_memory
from support.raw import open_websocket

SMALL_BUFFER = 64 * 1024
MEBIBYTE = 1024 * 1024


def test_a_slow_reader_gets_16_mebibytes_whole(bench):
    message = bytes(range(251)) * (16 * MEBIBYTE // 251)
    with open_websocket(bench.port, receive_buffer=SMALL_BUFFER) as connection:
        connection.send_frame(BINARY, message)
        assert connection.read_frame() == frames.Frame(BINARY, message)
        connection.send_frame(TEXT, b"next")
        assert connection.read_frame() == frames.Frame(TEXT, b"next")


def test_a_client_that_has_ended_its_side_gets_its_answer(bench):
    message = bytes(range(251)) * (8 * MEBIBYTE // 251)
    with open_websocket(bench.port, receive_buffer=SMALL_BUFFER) as connection:
        connection.send_frame(BINARY, message)
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.read_frame() == frames.Frame(BINARY, message)
        connection.expect_end_of_stream()


def test_a_client_that_does_not_read_stalls_nobody_else(bench):
    message = bytes(256 * 1024)
    with (
        open_websocket(bench.port, "/fan", receive_buffer=SMALL_BUFFER) as stalled,
        open_websocket(bench.port, "/fan") as first,
        open_websocket(bench.port, "/fan") as second,
        open_websocket(bench.port, "/echo") as other,
    ):
        for number in range(64):
            numbered = struct.pack("!I", number) + message
            first.send_frame(BINARY, numbered)
            assert first.read_frame().payload == numbered
            assert second.read_frame().payload == numbered
            other.send_frame(TEXT, b"echo")
            assert other.read_frame().payload == b"echo"

        # What the stalled client reads now is complete and in order, although the end may have been dropped.
        first.send_frame(TEXT, b"next")
        assert first.read_frame().payload == second.read_frame().payload == b"next"
        numbers = []
        stalled.send_frame(frames.PING, b"still there?")
        while (frame := stalled.read_frame()).opcode != frames.PONG:
            assert frame.payload[4:] in (message, b"")
            numbers.append(frame.payload[:4])
        assert numbers[0] == struct.pack("!I", 0)
        assert numbers == sorted(numbers)


def test_messages_beyond_the_limit_are_dropped_and_the_connection_goes_on(start_probe):
    server = start_probe("--backpressure-limit", MEBIBYTE)
    with open_websocket(server.port, "/burst", receive_buffer=SMALL_BUFFER) as connection:
        connection.send_frame(TEXT, b"2000 16384")
        line = server.output.wait_for(lambda lines: next((line for line in lines if line.startswith("{")), None))
        told = json.loads(line)
        taken = told["sent"] + told["queued"]
        assert told["dropped"] > 0
        assert taken + told["dropped"] == 2000
        assert told["buffered"] <= 2 * MEBIBYTE

        # Accepted messages arrive, complete and in order; then the connection works as before.
        for number in range(taken):
            assert connection.read_frame().payload[:4] == struct.pack("<I", number)
        connection.send_frame(TEXT, b"1 100")
        assert connection.read_frame().payload[:4] == struct.pack("<I", 0)


def test_a_client_that_only_sends_grows_no_memory(start_probe):
    server = start_probe("--backpressure-limit", 8 * MEBIBYTE)
    message = frames.encode(BINARY, bytes(MEBIBYTE))
    with open_websocket(server.port, receive_buffer=SMALL_BUFFER) as greedy:
        greedy.send(message * 4)
        before = peak_memory(server.pid)
        greedy.socket.settimeout(0.5)
        sent = 0
        try:
            while sent < 256 * MEBIBYTE:
                sent += greedy.socket.send(message)
        except TimeoutError:
            pass  # the server has stopped reading: this is how a client feels it
        assert sent < 256 * MEBIBYTE, "the server read everything, though its answers were not read"
        assert peak_memory(server.pid) - before < 64 * MEBIBYTE
    with open_websocket(server.port) as other:
        other.send_frame(TEXT, b"hello")
        assert other.read_frame().payload == b"hello"


def test_many_clients_that_vanish_with_output_waiting_leave_nothing(bench):
    before = descriptors_without_clients(bench.pid)
    for number in range(20):
        connection = open_websocket(bench.port, receive_buffer=4096)
        connection.send_frame(BINARY, bytes(MEBIBYTE))
        if number % 2:
            connection.reset()
        else:
            connection.socket.close()
    eventually(lambda: descriptor_count(bench.pid) == before, "the descriptors are given back")
