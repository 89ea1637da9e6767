"""The events of one connection: one open, messages, at most one error, exactly one close."""

import signal

import pytest

from support import events
from support.deadline import eventually
from support.frames import BINARY, CONTINUATION, PING, PONG, TEXT, encode, encode_close
from support.process import descriptor_count
from support.raw import RawConnection, open_websocket, upgrade_request

LOST = "the connection was lost"


@pytest.fixture
def server(start_probe):
    return start_probe("--close-timeout-ms", 300)


def end_normally(connection):
    connection.send(encode_close(1000, b"bye"))
    connection.read_close()


def end_without_a_code(connection):
    connection.send(encode_close())
    connection.read_close()


def end_with_reset(connection):
    connection.reset()


def end_with_the_stream(connection):
    connection.socket.close()


def end_within_a_message(connection):
    connection.send(encode(BINARY, b"half", fin=False) + encode(CONTINUATION, b"cut off")[:-1])
    connection.socket.close()


def reset_within_a_message(connection):
    connection.send(encode(BINARY, b"half", fin=False) + encode(CONTINUATION, b"cut off")[:-1])
    connection.reset()


def end_with_a_protocol_error(connection):
    connection.send(encode(TEXT, b"hello", key=None))
    connection.read_close()


def end_with_a_protocol_error_and_more(connection):
    connection.send(encode(TEXT, b"hello", key=None) + encode(TEXT, b"hello") + encode_close(1000))
    connection.read_close()


def end_with_close_and_reset(connection):
    connection.send(encode_close(1000))
    connection.read_close()
    connection.reset()


# How it ends, and then: the events after open, and the close event's code, reason and cleanness.
ENDINGS = {
    "a close frame": (end_normally, ["close"], (1000, b"bye", True)),
    "a close frame without a code": (end_without_a_code, ["close"], (1005, b"", True)),
    "a close frame, then a reset": (end_with_close_and_reset, ["close"], (1000, b"", True)),
    "a reset": (end_with_reset, ["error", "close"], (1006, b"", False)),
    "a reset within a message": (reset_within_a_message, ["error", "close"], (1006, b"", False)),
    "the end of the stream": (end_with_the_stream, ["close"], (1006, b"", False)),
    "the end of the stream within a message": (end_within_a_message, ["close"], (1006, b"", False)),
    "a protocol error": (end_with_a_protocol_error, ["error", "close"], (1002, b"", False)),
    "a protocol error and more frames": (end_with_a_protocol_error_and_more, ["error", "close"], (1002, b"", False)),
}


@pytest.mark.parametrize(("end", "expected", "close"), ENDINGS.values(), ids=ENDINGS)
def test_a_connection_has_one_open_and_one_close_however_it_ends(server, end, expected, close):
    with open_websocket(server.port, "/events") as connection:
        end(connection)
        told = events.of_connection(server)
    server.stop()  # so that a wrong event would have been reported by now
    told = events.parse(server.output.all())
    assert events.names(told) == ["open", *expected]
    assert (told[-1]["code"], told[-1]["reason"], told[-1]["clean"]) == close


def test_a_connection_is_open_in_its_open_event_and_closed_in_its_close_event(server):
    with open_websocket(server.port, "/events") as connection:
        connection.send_frame(TEXT, b"hello")
        end_normally(connection)
        told = events.of_connection(server)
    assert [event["is_open"] for event in told] == [True, True, False]
    assert told[-1]["send"] == "closed"


@pytest.mark.parametrize(("host", "form"), [("127.0.0.1", "{}:{}"), ("::1", "[{}]:{}")])
def test_the_handler_is_told_the_clients_address(server, host, form):
    with open_websocket(server.port, "/remote-address", host=host) as connection:
        assert connection.read_frame().payload.decode() == form.format(*connection.socket.getsockname()[:2])


def test_messages_come_in_the_order_they_were_sent(server):
    with open_websocket(server.port, "/events") as connection:
        connection.send(
            encode(TEXT, b"one ", fin=False)
            + encode(PING, b"between")
            + encode(CONTINUATION, b"two")
            + encode(BINARY, b"\x00\xff")
            + encode(PONG)
            + encode(TEXT)
            + encode_close(1000)
        )
        told = events.of_connection(server)
    assert [(event["kind"], event["bytes"]) for event in told[1:-1]] == [
        ("ping", b"between"),
        ("text", b"one two"),
        ("binary", b"\x00\xff"),
        ("pong", b""),
        ("text", b""),
    ]


def test_the_error_event_says_what_was_wrong(server):
    with open_websocket(server.port, "/events") as masked_not:
        masked_not.send(encode(TEXT, key=None))
        assert "mask" in events.of_connection(server, 0)[1]["failure"]
    with open_websocket(server.port, "/events") as vanishing:
        vanishing.reset()
        assert events.of_connection(server, 1)[1]["failure"] == LOST


def test_a_refused_handshake_causes_no_event(server):
    with RawConnection(server.port) as connection:
        connection.send(upgrade_request("/events", sec_websocket_version="12"))
        assert connection.read_response().status == 426
    with open_websocket(server.port, "/events") as connection:
        end_normally(connection)
        events.of_connection(server)
    assert events.names(events.parse(server.output.all())) == ["open", "close"]


def test_every_connection_has_a_handle_of_its_own(server):
    for number in range(20):
        with open_websocket(server.port, "/events") as connection:
            end_normally(connection)
        events.of_connection(server, number)
    told = events.parse(server.output.all())
    assert len({event["ws"] for event in told}) == 20


def closes(server):
    return [event for event in events.parse(server.output.all()) if event["event"] == "close"]


def test_stopping_the_server_closes_each_connection_once(start_probe):
    server = start_probe("--close-timeout-ms", 5000)  # within which those who answer do so on a busy machine
    answering = [open_websocket(server.port, "/events") for _ in range(3)]
    silent = open_websocket(server.port, "/events")
    eventually(lambda: len(events.parse(server.output.all())) == 4, "four connections are open")
    server.send_signal(signal.SIGTERM)
    for connection in answering:
        code, _ = connection.read_close()
        assert code == 1001
        connection.send(encode_close(1001))
    assert server.wait() == 0
    told = events.parse(server.output.all())
    assert events.names(told) == ["open"] * 4 + ["close"] * 4
    assert sorted((event["code"], event["clean"]) for event in closes(server)) == [(1001, True)] * 3 + [(1006, False)]
    for connection in [*answering, silent]:
        connection.socket.close()


def test_a_client_that_never_answers_a_close_is_let_go(server):
    with open_websocket(server.port, "/close-me") as silent:
        silent.send_frame(TEXT, b"4000 because")
        assert silent.read_close() == (4000, "because")
        silent.expect_end_of_stream()


def test_a_client_that_never_ends_its_side_is_let_go(server):
    before = descriptor_count(server.pid)
    with open_websocket(server.port) as lingering:
        lingering.send_frame(TEXT, b"hello", key=None)
        lingering.read_close()
        lingering.expect_end_of_stream()
        eventually(lambda: descriptor_count(server.pid) == before, "the server has let go of the connection")
