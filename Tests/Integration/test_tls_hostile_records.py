"""Attacks within TLS, once it is agreed on: each ends with a server that is as it was (support/siege.py)."""

import contextlib
import socket

import pytest

from support import events, frames
from support import tls_records as tls
from support.frames import BINARY, PING, PONG, TEXT, encode
from support.raw import open_websocket, request
from support.siege import MEBIBYTE, PATIENCE, besieged, echo_of, expect_echo, scaled, seconds_for
from support.tls_by_hand import TLSByHand, end_of, open_by_hand
from support.tls_records import ALERT, DATA, FATAL, HANDSHAKE, TLS12, TLS13, WARNING, message, record

VERSIONS = {"1.2": TLS12, "1.3": TLS13}

every_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)

# What a flood may cost, as over plain sockets (test_attacks_on_frames.py).
FLOOD = 2 * MEBIBYTE

# What peers do wrong is logged at JZ_LOG_INFO, which is not printed unless everything is.
TELLING = ("--log-level", 0)

HELLO = encode(TEXT, b"hello")


def expect_unclean_end(server, number=0, messages=1):
    """The handler saw so many messages of this connection, none twice or changed, and an end that is not clean."""
    told = events.of_connection(server, number)
    heard = [event for event in told if event["event"] == "message"]
    assert [event["bytes"] for event in heard] == [b"hello"] * messages
    assert (told[-1]["event"], told[-1]["code"], told[-1]["clean"]) == ("close", 1006, False)


# How a connection ends without a close_notify: behind its messages, and within a record.
CUTS = {
    "behind a record": lambda sealed: b"",
    "within a record's header": lambda sealed: sealed[:3],
    "behind a record's header": lambda sealed: sealed[:5],
    "within a record": lambda sealed: sealed[:20],
    "one byte before a record's end": lambda sealed: sealed[:-1],
}


@every_version
@pytest.mark.parametrize("end", ["an end", "a reset"])
def test_a_cut_without_close_notify_is_no_clean_end_and_never_data(start_secure, version, end):
    server = start_secure(*TELLING)
    with besieged(server):
        for number, part in enumerate(CUTS.values()):
            with open_by_hand(server.port, "/events", version=version) as client:
                client.send(HELLO)
                client.tls.send_bytes(part(client.tls.seal(DATA, HELLO)))
                assert server.output.wait_for(lambda lines: sum('"message"' in line for line in lines) > number)
                if end == "a reset":
                    client.reset()
                else:
                    client.tls.plain.shutdown(socket.SHUT_WR)
                    assert end_of(client.tls) in ("end", "reset", tls.CLOSE_NOTIFY, tls.DECODE_ERROR)
        for number in range(len(CUTS)):
            expect_unclean_end(server, number)
        if end == "an end":
            told = server.errors.wait_for(lambda lines: any("cut without close_notify" in line for line in lines))
            assert told, server.errors.text()


@every_version
def test_a_message_that_was_not_whole_when_the_connection_was_cut_is_never_heard_of(start_secure, version):
    server = start_secure()
    with besieged(server), open_by_hand(server.port, "/events", version=version) as client:
        client.send(HELLO + encode(BINARY, b"x" * 100)[:50])
        client.tls.plain.shutdown(socket.SHUT_WR)
        end_of(client.tls)
    expect_unclean_end(server)


@every_version
def test_a_close_notify_without_a_close_frame_is_an_end_like_that_of_a_socket(start_secure, version):
    """What the client still sends behind it is not read; what the server had to say comes, and its own close_notify."""
    server = start_secure()
    with besieged(server), open_by_hand(server.port, version=version) as client:
        client.send(HELLO * 3)
        client.tls.send(ALERT, bytes([WARNING, tls.CLOSE_NOTIFY]))
        with contextlib.suppress(OSError):  # where the server has ended the connection already
            client.tls.send(DATA, HELLO)
            client.tls.plain.shutdown(socket.SHUT_WR)
        for _ in range(3):
            assert client.read_frame() == frames.Frame(TEXT, b"hello")
        assert client.socket.recv(1) == b""
        with pytest.raises(EOFError):
            client.tls.read_bytes(1)


@every_version
def test_the_server_ends_with_a_close_notify(secure_probe, version):
    with besieged(secure_probe), open_by_hand(secure_probe.port, version=version) as client:
        client.send(frames.encode_close(1000))
        assert client.read_close()[0] == 1000
        assert end_of(client.tls) == tls.CLOSE_NOTIFY
        with pytest.raises(EOFError):
            client.tls.read_bytes(1)


def changed(sealed, place, bit=1):
    return sealed[:place] + bytes([sealed[place] ^ bit]) + sealed[place + 1 :]


@every_version
def test_a_record_with_any_bit_changed_ends_the_connection_and_is_never_data(start_secure, version):
    server = start_secure()
    count = 0
    with besieged(server):
        for place in (0, 1, 2, 3, 4, 5, 6, 12, 13, 20, -17, -16, -1):
            for bit in (1, 128):
                with open_by_hand(server.port, "/events", version=version) as client:
                    sealed = client.tls.seal(DATA, HELLO)
                    # Where the record says that it is longer, the rest of it comes, too.
                    client.tls.send_bytes(changed(sealed, place % len(sealed), bit))
                    client.tls.plain.shutdown(socket.SHUT_WR)
                    end_of(client.tls)
                count += 1
        for number in range(count):
            expect_unclean_end(server, number, messages=0)


# What an agreed connection sends that it may not, and the alert with which it ends.
WRONG = {
    "a record that is none of this connection": (lambda client: client.send_bytes(record(DATA, bytes(100))), 20),
    "a record shorter than its tag": (lambda client: client.send_bytes(record(DATA, bytes(7))), {20, 22, 50, 80}),
    "an empty record without a tag": (lambda client: client.send_bytes(record(DATA)), {20, 22, 50, 80}),
    "a record longer than any": (lambda client: client.send_bytes(record(DATA, bytes(17_000))), 22),
    "65,535 bytes": (lambda client: client.send_bytes(record(DATA, bytes(65_535))), 22),
    "a record with more content than any": (lambda client: client.send(DATA, bytes(16_385)), 22),
    "a record of an unknown kind": (lambda client: client.send_bytes(client.seal(99, b"what?")), 10),
    "a heartbeat": (lambda client: client.send_bytes(client.seal(tls.HEARTBEAT, b"\1\xff\xff")), 10),
    "a record that comes twice": (lambda client: client.send_bytes(client.seal(DATA, HELLO) * 2), 20),
    "random bytes": (lambda client: client.send_bytes(b"\xa5" * 1000), {10, 20, 22, 70}),
    "a request that is not encrypted": (lambda client: client.send_bytes(request()), {10, 20, 22, 70}),
    "an alert of one byte": (lambda client: client.send(ALERT, b"\2"), {10, 50, "end"}),
    "a Finished": (lambda client: client.send(HANDSHAKE, message(tls.FINISHED, bytes(32))), 10),
    "a certificate": (lambda client: client.send(HANDSHAKE, message(tls.CERTIFICATE, bytes(4))), 10),
    "a ticket": (lambda client: client.send(HANDSHAKE, message(tls.NEW_SESSION_TICKET, bytes(20))), 10),
}
WRONG_13 = {
    "a hello": (lambda client: client.send(HANDSHAKE, client.hello()), 10),
    "a record of nothing but padding": (lambda client: client.send_bytes(client.seal(0, b"", padding=30)), 10),
    "an empty record of the handshake": (lambda client: client.send(HANDSHAKE), 10),
    "an empty alert": (lambda client: client.send(ALERT), {10, 50}),
    "a change of cipher": (lambda client: client.send_bytes(record(tls.CHANGE_CIPHER_SPEC, b"\1")), 10),
    "a key update that says 2": (lambda client: client.send(HANDSHAKE, message(tls.KEY_UPDATE, b"\2")), 47),
    "a key update that says nothing": (lambda client: client.send(HANDSHAKE, message(tls.KEY_UPDATE)), 50),
    "a key update that is too long": (lambda client: client.send(HANDSHAKE, message(tls.KEY_UPDATE, bytes(9))), 50),
    "data behind a key update in its record": (
        lambda client: client.send(HANDSHAKE, message(tls.KEY_UPDATE, b"\0") * 2),
        10,
    ),
    "a key update, and the old keys": (
        lambda client: client.send_bytes(
            client.seal(HANDSHAKE, message(tls.KEY_UPDATE, b"\0")) + client.seal(DATA, HELLO)
        ),
        20,
    ),
}
WRONG_ROWS = [
    pytest.param(version, *row, id=f"{name}, 1.{(version & 15) - 1}")
    for version, rows in ((TLS12, WRONG), (TLS13, WRONG | WRONG_13))
    for name, row in rows.items()
]


@pytest.mark.parametrize(("version", "act", "alert"), WRONG_ROWS)
def test_what_may_not_be_sent_ends_the_connection_with_its_alert(secure_probe, version, act, alert):
    with besieged(secure_probe, peak=FLOOD), open_by_hand(secure_probe.port, version=version) as client:
        client.send(HELLO)
        assert client.read_frame().payload == b"hello"
        with contextlib.suppress(ConnectionError):
            act(client.tls)
        assert end_of(client.tls) in (alert if isinstance(alert, set) else {alert})


# All that there are, and two that there are not.
ALERTS = (0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100, 109, 110,
          111, 112, 113, 114, 115, 116, 120, 1, 255)  # fmt: skip


@every_version
@pytest.mark.parametrize("level", [WARNING, FATAL, 0, 3], ids=["warnings", "fatal ones", "level 0", "level 3"])
def test_alerts_of_each_kind_end_a_connection_or_are_passed_over(secure_probe, version, level):
    with besieged(secure_probe):
        for description in ALERTS:
            with open_by_hand(secure_probe.port, version=version) as client:
                client.tls.send(ALERT, bytes([level, description]))
                with contextlib.suppress(ConnectionError):
                    client.send(HELLO)
                if level == FATAL and (version, description) != (TLS13, tls.USER_CANCELED):
                    with contextlib.suppress(EOFError, ConnectionError):
                        client.read_frame()
                        raise AssertionError(f"the server went on after {description}")
                else:
                    with contextlib.suppress(EOFError, ConnectionError):
                        assert client.read_frame().payload == b"hello"


def flood_of(make, count, most=200):
    """So many records, in pieces of up to `most`."""
    while count > 0:
        yield b"".join(make() for _ in range(min(count, most)))
        count -= most


# Records that bring nothing. Each of them is allowed now and then.
FLOODS = {
    "empty records, 1.2": (TLS12, lambda client: client.seal(DATA)),
    "empty records, 1.3": (TLS13, lambda client: client.seal(DATA)),
    "records of nothing but padding, 1.3": (TLS13, lambda client: client.seal(DATA, padding=1000)),
    "warnings, 1.2": (TLS12, lambda client: client.seal(ALERT, bytes([WARNING, tls.USER_CANCELED]))),
    "warnings, 1.3": (TLS13, lambda client: client.seal(ALERT, bytes([WARNING, tls.USER_CANCELED]))),
    "key updates, 1.3": (TLS13, lambda client: client.sealed_updates(1, asks=False)),
    "key updates that ask for one, 1.3": (TLS13, lambda client: client.sealed_updates(1, asks=True)),
    "renegotiations, 1.2": (TLS12, lambda client: client.seal(HANDSHAKE, client.hello())),
}


@pytest.mark.parametrize(("version", "make"), FLOODS.values(), ids=FLOODS)
def test_a_flood_of_records_that_bring_nothing_costs_nothing_and_keeps_nobody_waiting(start_secure, version, make):
    """Nothing of it is read on the client's side: answers pile up where they are not limited."""
    server = start_secure()
    with besieged(server, peak=FLOOD), open_websocket(server.port) as other:
        with open_by_hand(server.port, version=version) as flood:
            flood.socket.settimeout(1)
            with contextlib.suppress(ConnectionError, TimeoutError):
                for piece in flood_of(lambda: make(flood.tls), scaled(20_000)):
                    flood.tls.send_bytes(piece)
                    assert seconds_for(server, lambda: echo_of(other)) < PATIENCE
            expect_echo(server)


@every_version
def test_a_few_records_that_bring_nothing_are_passed_over(secure_probe, version):
    with besieged(secure_probe), open_by_hand(secure_probe.port, version=version) as client:
        for _ in range(10):
            client.tls.send_bytes(client.tls.seal(DATA) * 1)
            client.tls.send(DATA)
            client.send(HELLO)
            assert client.read_frame().payload == b"hello"


def test_padded_records_bring_what_they_hold(secure_probe):
    with besieged(secure_probe), open_by_hand(secure_probe.port) as client:
        for padding in (1, 255, 16_000):
            client.tls.send(DATA, HELLO, padding=padding)
            assert client.read_frame().payload == b"hello"


@every_version
def test_a_message_in_records_of_a_byte_is_whole(start_secure, version):
    server = start_secure()
    text = bytes(range(65, 91)) * 400
    with besieged(server, peak=FLOOD), open_by_hand(server.port, version=version) as client:
        client.tls.send_bytes(b"".join(client.tls.seal(DATA, bytes([byte])) for byte in encode(TEXT, text)))
        assert client.read_frame().payload == text


def test_keys_are_updated_as_often_as_the_peer_wishes(secure_probe):
    with besieged(secure_probe), open_by_hand(secure_probe.port) as client:
        for asks in [False, True] * 10:
            client.tls.update_keys(asks)
            client.send(HELLO)
            assert client.read_frame().payload == b"hello"


def test_messages_and_key_updates_in_one_read_are_answered_in_order(secure_probe):
    with besieged(secure_probe), open_by_hand(secure_probe.port) as client:
        sent = b""
        for number in range(5):
            sent += client.tls.seal(DATA, encode(TEXT, b"%d" % number)) + client.tls.sealed_updates(1, asks=True)
        client.tls.send_bytes(sent)
        for number in range(5):
            assert client.read_frame().payload == b"%d" % number


def test_a_renegotiation_is_refused_and_the_connection_goes_on(secure_probe):
    with besieged(secure_probe), open_by_hand(secure_probe.port, version=TLS12) as client:
        client.send(HELLO)
        assert client.read_frame().payload == b"hello"
        client.tls.send(HANDSHAKE, client.tls.hello())
        refused = end_of_or_warning(client.tls)
        assert refused == (WARNING, tls.NO_RENEGOTIATION)
        client.send(HELLO)
        assert client.read_frame().payload == b"hello"


def end_of_or_warning(client):
    with pytest.raises(tls.AlertReceived) as received:
        client.read()
    return received.value.level, received.value.description


@every_version
@pytest.mark.parametrize("flood", [encode(PING, b"x" * 125) * 8000, encode(BINARY, bytes(60_000)) * 17])
def test_a_flood_whose_answers_are_not_read_is_not_read_either(start_secure, version, flood):
    """Hand-made records of any kind between them: the server's own bytes are limited, too."""
    server = start_secure("--backpressure-limit", MEBIBYTE)
    with besieged(server, peak=6 * MEBIBYTE), open_by_hand(server.port, version=version) as greedy:
        greedy.socket.settimeout(0.3)
        with contextlib.suppress(ConnectionError, TimeoutError):
            sent = 0
            while sent < 64 * MEBIBYTE:
                greedy.send(flood)
                sent += len(flood)
            raise AssertionError("the server read everything, though its answers were not read")
        expect_echo(server)
