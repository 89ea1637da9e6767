"""Ctrl-C and SIGTERM end a server in order."""

import signal
import socket

import pytest
import websockets

from support import frames
from support.deadline import eventually
from support.programs import PROBE
from support.raw import RawConnection, open_websocket, request
from support.server import Server


def refuses_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_every_client_is_told_1001_and_the_process_ends_with_0(fresh_bench, number):
    address = f"ws://localhost:{fresh_bench.port}/echo"
    clients = [await websockets.connect(address, compression=None, proxy=None) for _ in range(10)]
    for client in clients:
        await client.send("hello")
        assert await client.recv() == "hello"
    fresh_bench.send_signal(number)
    for client in clients:
        await client.wait_closed()
        assert client.close_code == 1001
    fresh_bench.stop()


def test_listening_stops_while_connections_are_still_closing(fresh_bench):
    with open_websocket(fresh_bench.port) as slow_to_answer:
        fresh_bench.send_signal(signal.SIGTERM)
        assert slow_to_answer.read_close()[0] == 1001
        eventually(lambda: refuses_connections(fresh_bench.port), "the server listens no more")
        assert fresh_bench.is_running
        slow_to_answer.send(frames.encode_close(1001))
        slow_to_answer.expect_end_of_stream()
        fresh_bench.stop()


def test_what_was_sent_is_flushed_before_the_end(fresh_bench):
    message = bytes(range(251)) * (8 * 1024 * 1024 // 251)
    with open_websocket(fresh_bench.port, receive_buffer=64 * 1024) as connection:
        connection.send_frame(frames.BINARY, message)
        first = connection.read_exactly(10)  # so the echo is under way, and most of it waits for this reader
        fresh_bench.send_signal(signal.SIGTERM)
        assert first[:2] == b"\x82\x7f"
        assert connection.read_exactly(len(message)) == message
        assert connection.read_close()[0] == 1001
        connection.send(frames.encode_close(1001))
        connection.expect_end_of_stream()


def test_clients_that_do_not_answer_are_waited_for_no_longer_than_the_close_timeout(start_probe):
    server = start_probe("--close-timeout-ms", 500)
    with (
        open_websocket(server.port) as silent,
        open_websocket(server.port) as within_a_message,
        RawConnection(server.port) as within_the_head,
        RawConnection(server.port) as kept_alive,
    ):
        within_a_message.send_frame(frames.TEXT, b"never ending", fin=False)
        within_the_head.send(b"GET /echo HTTP/1.1\r\n")
        kept_alive.send(request(path="/plain"))
        assert kept_alive.read_response().status == 200
        assert server.seconds_to_stop() < 5
        assert silent.read_close()[0] == 1001
        assert within_a_message.read_close()[0] == 1001


def test_a_client_that_does_not_read_does_not_keep_the_server(start_probe):
    server = start_probe("--close-timeout-ms", 500, "--backpressure-limit", 1 << 26)
    with open_websocket(server.port, "/burst", receive_buffer=4096) as stalled:
        stalled.send_frame(frames.TEXT, b"30 1000000")
        assert server.output.wait_for(lambda lines: any(line.startswith("{") for line in lines))
        assert server.seconds_to_stop() < 5


def test_an_idle_server_stops_at_once(fresh_bench):
    assert fresh_bench.seconds_to_stop() < 3


def test_a_second_signal_ends_the_process_at_once():
    server = Server([PROBE, "--port", 0, "--close-timeout-ms", 60_000]).__enter__()
    with open_websocket(server.port) as silent:
        server.send_signal(signal.SIGTERM)
        assert silent.read_close()[0] == 1001
        server.send_signal(signal.SIGTERM)
        assert server.wait() == -signal.SIGTERM


def test_the_port_is_free_again_when_the_server_has_stopped(fresh_bench):
    with open_websocket(fresh_bench.port) as connection:
        fresh_bench.send_signal(signal.SIGTERM)
        assert connection.read_close()[0] == 1001
        connection.send(frames.encode_close(1001))
        fresh_bench.stop()
    with Server([PROBE, "--port", fresh_bench.port]) as successor, open_websocket(successor.port) as connection:
        connection.send_frame(frames.TEXT, b"hello")
        assert connection.read_frame().payload == b"hello"


def test_many_threads_stop_together(start_probe):
    server = start_probe("--threads", 8)
    connections = [open_websocket(server.port) for _ in range(40)]
    server.send_signal(signal.SIGTERM)
    for connection in connections:
        assert connection.read_close()[0] == 1001
        connection.send(frames.encode_close(1001))
        connection.expect_end_of_stream()
        connection.socket.close()
    server.stop()
