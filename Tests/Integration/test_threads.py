"""A server of two event loops, each with its own thread and listener on the same port."""

import json

import pytest

from support import frames
from support.frames import TEXT
from support.programs import BENCH
from support.raw import open_websocket
from support.server import Server


@pytest.fixture
def server(start_probe):
    return start_probe("--threads", 2)


def threads_of(server):
    return {json.loads(line)["thread"] for line in server.output.all() if line.startswith("{")}


def test_connections_are_spread_over_both_threads(server):
    # The kernel draws the listener by a hash: that 64 connections all meet one is out of the question.
    connections = [open_websocket(server.port, "/events") for _ in range(64)]
    for connection in connections:
        connection.send(frames.encode_close(1000))
        assert connection.read_close()[0] == 1000
        connection.socket.close()
    server.stop()
    assert len(threads_of(server)) == 2


def test_all_events_of_a_connection_come_on_one_thread(server):
    for _ in range(16):
        with open_websocket(server.port, "/events") as connection:
            connection.send(frames.encode(TEXT, b"hello") * 3 + frames.encode_close(1000))
            assert connection.read_close()[0] == 1000
    server.stop()
    told = [json.loads(line) for line in server.output.all() if line.startswith("{")]
    by_connection = {}
    for event in told:
        by_connection.setdefault(event["ws"], []).append(event)
    assert len(by_connection) == 16
    for own in by_connection.values():
        assert [event["event"] for event in own] == ["open", "message", "message", "message", "close"]
        assert len({event["thread"] for event in own}) == 1


def test_a_broadcast_reaches_the_connections_of_both_threads(server):
    connections = [open_websocket(server.port, "/chat") for _ in range(64)]
    # A client that has received anything has joined.
    for connection in connections:
        connection.send_frame(TEXT, b"joined")
    for connection in connections:
        assert connection.read_frame().payload == b"User: joined"
    for connection in connections[:8]:
        connection.send_frame(TEXT, b"to all")
    for connection in connections:
        heard = 0
        while heard < 8:
            heard += connection.read_frame().payload == b"User: to all"
        connection.socket.close()


def test_messages_of_one_sender_keep_their_order_across_threads(server):
    listeners = [open_websocket(server.port, "/chat") for _ in range(16)]
    for listener in listeners:
        listener.send_frame(TEXT, b"joined")
        while listener.read_frame().payload != b"User: joined":
            pass
    sender = listeners[0]
    for number in range(200):
        sender.send_frame(TEXT, str(number).encode())
    for listener in listeners:
        numbers = []
        while len(numbers) < 200:
            payload = listener.read_frame().payload
            if payload != b"User: joined":
                numbers.append(int(payload.removeprefix(b"User: ")))
        assert numbers == list(range(200))
        listener.socket.close()


def test_a_handler_can_close_the_connections_of_both_threads(server):
    connections = [open_websocket(server.port, "/close-everyone") for _ in range(64)]
    connections[0].send_frame(TEXT, b"now")
    for connection in connections:
        assert connection.read_close() == (4002, "everyone out")
        connection.send(frames.encode_close(4002))
        connection.expect_end_of_stream()
        connection.socket.close()


@pytest.mark.parametrize("language", BENCH)
def test_what_is_published_reaches_the_connections_of_every_thread(language):
    with Server([BENCH[language], "--port", 0, "--threads", 3]) as server:
        connections = [open_websocket(server.port, "/fan") for _ in range(32)]
        for number, speaker in enumerate(connections[:4]):
            speaker.send_frame(TEXT, b"%d" % number)
            for connection in connections:
                assert connection.read_frame().payload == b"%d" % number
        for connection in connections:
            connection.socket.close()
