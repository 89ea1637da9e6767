"""What attackers rely on before a server that has only memory (servers/bridge.h): it sees of them what sockets show."""

import socket

import pytest

from support import events, frames
from support.deadline import eventually
from support.frames import TEXT
from support.process import descriptor_count, has_bridge
from support.programs import PROBE
from support.raw import RawConnection, open_websocket, request
from support.server import Server
from support.siege import allow_many_descriptors, besieged, crowd_of, scaled


@pytest.fixture
def bridged():
    with Server([PROBE, "--port", 0, "--memory", 4000]) as server:
        yield server


def closes_of(server):
    return [told for told in events.parse(server.output.all()) if told["event"] == "close"]


def test_bytes_pass_in_both_directions_whole_and_in_order(bridged):
    assert has_bridge(bridged.pid)
    with open_websocket(bridged.port) as client:
        message = bytes(range(256)) * 2000
        client.send_frame(frames.BINARY, message)
        assert client.read_frame() == frames.Frame(frames.BINARY, message)


def test_who_ends_its_side_still_gets_its_answer_and_then_the_end(bridged):
    with RawConnection(bridged.port) as client:
        client.send(request(path="/plain"))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_response().status == 200
        client.expect_end_of_stream()


def test_a_reset_is_a_loss(bridged):
    before = descriptor_count(bridged.pid)
    client = open_websocket(bridged.port, "/events")
    client.send_frame(TEXT, b"here")
    eventually(lambda: '"message"' in bridged.output.text(), "the message has come")
    client.reset()
    eventually(lambda: closes_of(bridged), "the server knows")
    assert not closes_of(bridged)[0]["clean"]
    eventually(lambda: descriptor_count(bridged.pid) == before, "nothing of it is left")


def test_a_thousand_are_served_at_a_time(bridged):
    allow_many_descriptors(bridged.pid)
    with besieged(bridged), crowd_of(scaled(1000), lambda: open_websocket(bridged.port)) as crowd:
        for number, connection in enumerate(crowd):
            connection.send_frame(TEXT, f"from {number}".encode())
        for number, connection in enumerate(crowd):
            assert connection.read_frame().payload == f"from {number}".encode()
