"""Handlers that do what handlers had better not do (servers/attack-routes.c): the server lives on."""

import time

import pytest

from support import events, frames
from support.deadline import eventually
from support.frames import TEXT, encode, encode_close
from support.raw import RawConnection, open_websocket, upgrade_request
from support.siege import besieged, crowd_of, expect_echo, scaled


def test_who_waits_for_a_handler_that_blocks_its_loop_is_served_after_it(start_probe):
    server = start_probe("--handshake-timeout-ms", 3000)
    with (
        besieged(server),
        open_websocket(server.port, "/block") as blocking,
        crowd_of(50, lambda: open_websocket(server.port)) as crowd,
    ):
        before_the_head = RawConnection(server.port)
        expect_echo(server)  # so that connection has been accepted, and its time runs
        blocking.send_frame(TEXT, b"3500 ms")  # longer than a handshake may take
        time.sleep(0.1)  # the handler has been called by now
        for number, connection in enumerate(crowd):
            connection.send_frame(TEXT, f"from {number}".encode())
        newcomer = RawConnection(server.port)
        for connection in (before_the_head, newcomer):
            connection.send(upgrade_request() + encode(TEXT, b"hello"))
        assert blocking.read_frame().payload == b"3500 ms"
        for number, connection in enumerate(crowd):
            assert connection.read_frame().payload == f"from {number}".encode()
        for connection in (before_the_head, newcomer):
            assert connection.read_response().status == 101
            assert connection.read_frame().payload == b"hello"
            connection.reset()


def test_who_is_gone_when_a_handler_has_blocked_its_loop_leaves_nothing(start_probe):
    server = start_probe()
    with besieged(server), open_websocket(server.port, "/block") as blocking:
        blocking.send_frame(TEXT, b"500 ms")
        time.sleep(0.1)
        for _ in range(scaled(1000)):
            vanishing = RawConnection(server.port)
            vanishing.send(upgrade_request() + encode(TEXT, b"hello"))
            vanishing.reset()
        assert blocking.read_frame().payload == b"500 ms"


def break_a_rule(connection):
    connection.send_frame(TEXT, b"hello", key=None)


def leave(connection):
    connection.send(encode_close(1000))


# When the handler closes, what the client does, the events in order, and the close code that the client reads.
CLOSED_IN = {
    "open": (lambda connection: None, ["open", "close"], 4001),
    "message": (lambda connection: connection.send_frame(TEXT, b"hello"), ["open", "message", "close"], 4001),
    "error": (break_a_rule, ["open", "error", "close"], 1002),
    "close": (leave, ["open", "close"], 1000),
}


@pytest.mark.parametrize("event", CLOSED_IN)
def test_a_handler_may_close_in_any_event_and_go_on_using_the_connection(start_probe, event):
    act, expected, code = CLOSED_IN[event]
    server = start_probe("--close-timeout-ms", 500)
    count = scaled(100)
    with besieged(server):
        for _ in range(count):
            with open_websocket(server.port, f"/close-in-{event}") as connection:
                act(connection)
                assert connection.read_close()[0] == code
                if code == 4001:
                    connection.send(encode_close(4001))
                connection.expect_end_of_stream()
        eventually(lambda: len(events.parse(server.output.all())) >= count * len(expected), "every event was told")
    told = events.parse(server.output.all())
    assert events.names(told) == expected * count
    closed = "sent" if code == 4001 else "closed"
    assert {(each["closed"], each["all_closed"]) for each in told if "closed" in each} == {(closed, True)}


@pytest.mark.parametrize("threads", [1, 4])
def test_a_handler_may_stop_its_server_which_ends_in_order(start_probe, threads):
    server = start_probe("--threads", threads)
    others = [open_websocket(server.port) for _ in range(20)]
    with open_websocket(server.port, "/stop") as stopping:
        stopping.send(encode(TEXT, b"now") + encode(TEXT, b"again"))
        assert stopping.read_frame() == frames.Frame(TEXT, b"stopping")
        for connection in [*others, stopping]:
            while (frame := connection.read_frame()).opcode == TEXT:
                assert frame.payload == b"stopping"
            assert frames.close_code(frame)[0] == 1001
            connection.send(encode_close(1001))
            connection.expect_end_of_stream()
            connection.socket.close()
        assert server.wait() == 0


def test_a_handler_may_stop_its_server_when_somebody_connects(start_probe):
    server = start_probe("--close-timeout-ms", 500)
    with open_websocket(server.port, "/stop-in-open") as connection:
        assert connection.read_close()[0] == 1001
        assert server.wait() == 0
