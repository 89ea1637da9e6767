"""Peers that vanish without a word: no FIN, no RST, no answer to anything (support/network.py)."""

from support.deadline import eventually
from support.frames import TEXT, Frame, encode
from support.network import in_its_own_network, without_network
from support.process import descriptor_count
from support.raw import RawConnection, open_websocket, upgrade_request
from support.siege import besieged, crowd_of, echo_of


def await_only(server, count):
    eventually(lambda: descriptor_count(server.pid) == count, "the server lets go of those that are gone")


@in_its_own_network
def test_who_vanishes_within_its_head_is_let_go(start_probe):
    server = start_probe("--handshake-timeout-ms", 5000, "--close-timeout-ms", 500)
    before = descriptor_count(server.pid)
    with besieged(server), crowd_of(20, lambda: RawConnection(server.port)) as gone:
        for connection in gone:
            connection.send(upgrade_request()[:-2])
        eventually(lambda: descriptor_count(server.pid) == before + 20, "all of them are accepted")
        with without_network():
            await_only(server, before)


@in_its_own_network
def test_who_vanishes_before_it_answers_a_close_frame_is_let_go(start_probe):
    server = start_probe("--close-timeout-ms", 500)
    before = descriptor_count(server.pid)
    with besieged(server), crowd_of(20, lambda: open_websocket(server.port, "/close-me")) as gone:
        for connection in gone:
            connection.send_frame(TEXT, b"4000 because")
            assert connection.read_close()[0] == 4000
        with without_network():
            await_only(server, before)


@in_its_own_network
def test_who_vanishes_while_output_waits_for_it_is_let_go_when_the_server_stops(start_probe):
    server = start_probe("--close-timeout-ms", 500)
    with open_websocket(server.port, "/burst", receive_buffer=4096) as gone:
        gone.send_frame(TEXT, b"100 100000")
        assert server.output.wait_for(lambda lines: any(line.startswith("{") for line in lines))
        with without_network():
            assert server.seconds_to_stop() < 5


@in_its_own_network
def test_what_is_sent_while_the_network_is_away_arrives_when_it_is_back(start_probe):
    server = start_probe()
    with besieged(server), open_websocket(server.port) as patient:
        assert echo_of(patient) == b"still there?"
        with without_network():
            patient.send(encode(TEXT, b"sent into the void"))
        assert patient.read_frame() == Frame(TEXT, b"sent into the void")
