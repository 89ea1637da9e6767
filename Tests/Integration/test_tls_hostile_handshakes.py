"""Attacks before TLS is agreed on: each ends with a server that is as it was (support/siege.py)."""

import contextlib
import random
import socket
import time

import pytest

from support import tls_records as tls
from support.deadline import DEADLINE, eventually
from support.frames import TEXT
from support.process import descriptor_count
from support.raw import open_websocket
from support.siege import (
    MEBIBYTE,
    PATIENCE,
    allow_many_descriptors,
    besieged,
    crowd_of,
    echo_of,
    expect_echo,
    scaled,
    seconds_for,
)
from support.tls_by_hand import Stopped, TLSByHand, end_of, open_by_hand, open_within
from support.tls_records import ALERT, DATA, FATAL, HANDSHAKE, TLS12, TLS13, WARNING, AlertReceived, message, record

VERSIONS = {"1.2": TLS12, "1.3": TLS13}

every_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)

# What a handshake may cost while it goes on, and a connection after it.
HANDSHAKE_MEMORY = 100 * 1024


class Counting(TLSByHand):
    """Counts the bytes that the client sends."""

    sent = 0

    def send_bytes(self, data):
        self.sent += len(data)
        super().send_bytes(data)


@every_version
@pytest.mark.parametrize("end", ["an end", "a reset"])
def test_a_handshake_may_end_after_any_byte(start_secure, version, end):
    server = start_secure()
    with Counting(server.port, version=version) as whole:
        whole.shake_hands()
    with besieged(server):
        for most in range(0, whole.sent, 3 if end == "a reset" else 1):
            with TLSByHand(server.port, version=version, most=most) as client:
                with contextlib.suppress(Stopped):
                    client.shake_hands()
                if end == "a reset":
                    client.reset()


@every_version
def test_a_handshake_may_come_byte_by_byte(secure_probe, version):
    with besieged(secure_probe), open_by_hand(secure_probe.port, version=version, chunk=1) as slow:
        slow.send_frame(TEXT, b"byte by byte")
        assert slow.read_frame().payload == b"byte by byte"


@every_version
def test_a_hello_may_come_in_records_of_a_byte(secure_probe, version):
    with besieged(secure_probe), TLSByHand(secure_probe.port, version=version) as client:
        client.send_bytes(b"".join(record(HANDSHAKE, bytes([byte])) for byte in client.hello()))
        client.take_answer()
        client.finish()


def test_handshakes_of_a_byte_now_and_then_are_cut_off_in_time(start_secure):
    server = start_secure("--handshake-timeout-ms", 2500)
    with besieged(server, peak=50 * HANDSHAKE_MEMORY):
        with crowd_of(50, lambda: TLSByHand(server.port)) as slow:
            start = time.monotonic()
            hellos = [record(HANDSHAKE, each.hello()) for each in slow]
            for place in range(4):
                for each, hello in zip(slow, hellos):
                    with contextlib.suppress(ConnectionError):  # where its time was over before
                        each.send_bytes(hello[place : place + 1])
                time.sleep(0.3)
            for each in slow:
                assert end_of(each) in ("end", "reset")
            assert time.monotonic() - start < DEADLINE


STEPS = {
    "before the hello": lambda client: None,
    "within the hello": lambda client: client.send_bytes(record(HANDSHAKE, client.hello())[:100]),
    "after the hello": TLSByHand.begin,
    "after the server's answer": lambda client: (client.begin(), client.take_answer()),
    "before the request": TLSByHand.shake_hands,
}


@every_version
def test_who_stops_at_any_step_of_a_handshake_is_let_go_in_time(start_secure, version):
    server = start_secure("--handshake-timeout-ms", 2500)
    steps = [*STEPS.values()] * 8
    with besieged(server, peak=len(steps) * HANDSHAKE_MEMORY + MEBIBYTE):
        with crowd_of(len(steps), lambda: TLSByHand(server.port, version=version)) as silent:
            for each, step in zip(silent, steps):
                with contextlib.suppress(EOFError, ConnectionError, AlertReceived):  # where its time was over before
                    step(each)
            for each in silent:
                assert end_of(each) in ("end", "reset", tls.CLOSE_NOTIFY)


def test_thousands_of_hellos_at_once_keep_nobody_waiting(start_secure):
    """Each costs a signature. Whoever has a connection is served meanwhile, and so is who comes behind them."""
    server = start_secure("--handshake-timeout-ms", 60_000)
    count = scaled(5000)
    allow_many_descriptors(server.pid)
    # What each has cost is freed, but glibc keeps most of it, for the next ones.
    with besieged(server, kept=count * HANDSHAKE_MEMORY), open_websocket(server.port) as served:
        with TLSByHand(server.port) as model:
            hello = record(HANDSHAKE, model.hello())
        with crowd_of(count, lambda: TLSByHand(server.port)) as flood:
            eventually(lambda: descriptor_count(server.pid) > count, "all of them are accepted")
            for each in flood:
                each.send_bytes(hello)
            waits = []
            answered = 0
            while answered < count:
                waits.append(seconds_for(server, lambda: echo_of(served)))
                while answered < count and has_answer(flood[answered]):
                    answered += 1
            assert max(waits) < PATIENCE, f"an echo took {max(waits):.2f} s"
            expect_echo(server)


def has_answer(client):
    client.plain.setblocking(False)
    try:
        return bool(client.plain.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_beyond_the_limit_of_handshakes_hellos_are_not_even_answered(start_secure):
    limit = 50
    server = start_secure("--max-handshakes", limit, "--handshake-timeout-ms", 5000)
    before = descriptor_count(server.pid)
    with besieged(server):
        with crowd_of(limit, lambda: TLSByHand(server.port)) as crowd:
            for each in crowd:
                each.begin()
            eventually(lambda: descriptor_count(server.pid) == before + limit, "all of them are accepted")
            with TLSByHand(server.port) as refused:
                with contextlib.suppress(ConnectionError):
                    refused.begin()
                assert end_of(refused) in ("end", "reset")
        eventually(lambda: descriptor_count(server.pid) == before, "there is room again")


GARBAGE = {
    **{f"bytes of {byte:#04x}": bytes([byte]) * 1000 for byte in (0, 1, 20, 21, 23, 24, 127, 128, 255)},
    "random bytes": random.Random(1).randbytes(20_000),
    "random bytes in a record of a handshake": record(HANDSHAKE, random.Random(2).randbytes(10_000)),
    "random bytes behind a record's kind": bytes([HANDSHAKE]) + random.Random(3).randbytes(1000),
    "a hello of SSL 2.0": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(37),
    "a hello of SSL 2.0 that can 1.2": b"\x80\x2e\x01\x03\x03\x00\x15\x00\x00\x00\x10" + bytes(37),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a PROXY header": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "a PROXY header of version 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
    "a request of a method that nobody knows": b"GIMME / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_instead_of_a_hello_ends_the_connection_at_once(secure_probe, garbage):
    with besieged(secure_probe, peak=2 * MEBIBYTE), crowd_of(20, lambda: TLSByHand(secure_probe.port)) as crowd:
        for each in crowd:
            with contextlib.suppress(ConnectionError):
                each.send_bytes(garbage)
        for each in crowd:
            each.settimeout(5)  # half of the time-out of handshakes
            ended_at_once(each)


def ended_at_once(client):
    with contextlib.suppress(ConnectionError, EOFError):
        while True:
            client.read_bytes(1)


def sample(version=TLS13, **changes):
    """A hello that is answered, unless it is changed."""
    with_share = {"shares": [(tls.X25519, bytes([9]) + bytes(31))]} if version == TLS13 else {"versions": ()}
    suites = (tls.AES128_GCM_13,) if version == TLS13 else (tls.ECDHE_ECDSA_AES128_GCM,)
    return tls.client_hello(**{"suites": suites, **with_share, **changes})


GOOD = sample()

# What comes first, and the alerts of which one must be the answer.
WRONG_STARTS = {
    "a record longer than any": (record(HANDSHAKE, bytes(16_641)), {tls.RECORD_OVERFLOW}),
    "a record of 65,535 bytes": (record(HANDSHAKE, GOOD, length=65_535), {tls.RECORD_OVERFLOW}),
    "a record of data": (record(HANDSHAKE, GOOD[:9]) + record(DATA, b"data"), {tls.UNEXPECTED_MESSAGE}),
    "a change of cipher within the hello": (
        record(HANDSHAKE, GOOD[:9]) + record(tls.CHANGE_CIPHER_SPEC, b"\1"),
        {tls.UNEXPECTED_MESSAGE},
    ),
    "a heartbeat within the hello": (record(HANDSHAKE, GOOD[:9]) + record(tls.HEARTBEAT, b"\1\xff\xff"), {10}),
    "a message longer than any": (
        record(HANDSHAKE, message(tls.CLIENT_HELLO, bytes(1000), length=0xFFFFFF)),
        {tls.ILLEGAL_PARAMETER},
    ),
    "a message that ends early": (record(HANDSHAKE, message(tls.CLIENT_HELLO, GOOD[4:60])), {tls.DECODE_ERROR}),
    "a message that goes on behind its end": (record(HANDSHAKE, message(tls.CLIENT_HELLO, GOOD[4:] + b"x")), {50}),
    "an empty message": (record(HANDSHAKE, message(tls.CLIENT_HELLO)), {tls.DECODE_ERROR}),
    "a session number of 33 bytes": (record(HANDSHAKE, sample(session=bytes(33))), {tls.DECODE_ERROR}),
    "an odd number of bytes of suites": (
        record(HANDSHAKE, GOOD.replace(b"\0\2\x13\1", b"\0\3\x13\1\x13")),
        {tls.DECODE_ERROR},
    ),
    "no suites": (record(HANDSHAKE, sample(suites=())), {tls.DECODE_ERROR, tls.ILLEGAL_PARAMETER}),
    "no compression": (record(HANDSHAKE, sample(compressions=b"")), {tls.DECODE_ERROR}),
    "a name twice": (record(HANDSHAKE, sample(more=tls.server_name(b"localhost"))), {tls.ILLEGAL_PARAMETER}),
    "a ticket that is not the last": (
        record(HANDSHAKE, sample(more=tls.extension(tls.PRE_SHARED_KEY, bytes(10)))),
        {tls.ILLEGAL_PARAMETER},
    ),
    "a key of another length": (record(HANDSHAKE, sample(shares=[(tls.X25519, bytes(31))])), {tls.ILLEGAL_PARAMETER}),
    "a key that is no secret": (record(HANDSHAKE, sample(shares=[(tls.X25519, bytes(32))])), {47, 80}),
    "a point that is not on its curve": (
        record(HANDSHAKE, sample(shares=[(tls.P256, b"\4" + b"\1" * 64)], groups=(tls.P256,))),
        {tls.ILLEGAL_PARAMETER},
    ),
    **{
        f"a handshake message of kind {kind}": (record(HANDSHAKE, message(kind, bytes(32))), {tls.UNEXPECTED_MESSAGE})
        for kind in (0, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 24, 67, 254, 255)
    },
}


@pytest.mark.parametrize("start", WRONG_STARTS)
def test_a_wrong_start_is_answered_with_its_alert(secure_probe, start):
    data, alerts = WRONG_STARTS[start]
    with besieged(secure_probe, peak=2 * MEBIBYTE), TLSByHand(secure_probe.port) as client:
        client.send_bytes(data)
        assert end_of(client) in alerts


# The rest of a handshake, told wrongly: what is done after the server's answer, and the alert.
WRONG_ENDS = {
    "a Finished that is wrong": (TLS13, lambda client: client.send(HANDSHAKE, message(tls.FINISHED, bytes(32))), 51),
    "a Finished that is too short": (TLS13, lambda client: client.send(HANDSHAKE, message(tls.FINISHED, bytes(9))), 50),
    "a Finished in the open": (
        TLS13,
        lambda client: client.send_bytes(record(HANDSHAKE, message(tls.FINISHED, bytes(32)))),
        10,
    ),
    "another hello": (TLS13, lambda client: client.send_bytes(record(HANDSHAKE, GOOD)), 10),
    "data before the Finished": (TLS13, lambda client: client.send(DATA, b"GET / HTTP/1.1\r\n\r\n"), 10),
    "a certificate that nobody asked for": (TLS13, lambda client: client.send(HANDSHAKE, message(11, bytes(4))), 10),
    "a key update before the Finished": (TLS13, lambda client: client.send(HANDSHAKE, message(24, b"\1")), 10),
    "random bytes": (TLS13, lambda client: client.send_bytes(record(DATA, random.Random(4).randbytes(100))), 20),
    "a change of cipher too early": (TLS12, lambda client: client.send(tls.CHANGE_CIPHER_SPEC, b"\1"), 10),
    "a Finished too early": (TLS12, lambda client: client.send(HANDSHAKE, message(tls.FINISHED, bytes(12))), 10),
    "data too early": (TLS12, lambda client: client.send(DATA, b"GET / HTTP/1.1\r\n\r\n"), 10),
    "an empty key": (TLS12, lambda client: client.send(HANDSHAKE, message(16, b"\0")), 47),
    "a key of another length": (TLS12, lambda client: client.send(HANDSHAKE, message(16, b"\5abcde")), 47),
    "a key with more behind it": (TLS12, lambda client: client.send(HANDSHAKE, message(16, b"\x20" + bytes(40))), 50),
}


@pytest.mark.parametrize(("version", "act", "alert"), WRONG_ENDS.values(), ids=WRONG_ENDS)
def test_a_wrong_rest_of_a_handshake_is_answered_with_its_alert(secure_probe, version, act, alert):
    with besieged(secure_probe), TLSByHand(secure_probe.port, version=version) as client:
        client.begin()
        client.take_answer()
        act(client)
        assert end_of(client) == alert


# All that there are, and two that there are not.
ALERTS = (0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100, 109, 110,
          111, 112, 113, 114, 115, 116, 120, 1, 255)  # fmt: skip


@every_version
@pytest.mark.parametrize("level", [WARNING, FATAL, 0, 3], ids=["warnings", "fatal ones", "level 0", "level 3"])
@pytest.mark.parametrize("step", ["before the hello", "after the hello", "after the server's answer"])
def test_alerts_of_each_kind_end_a_handshake_or_are_passed_over(secure_probe, version, level, step):
    with besieged(secure_probe):
        for description in ALERTS:
            with TLSByHand(secure_probe.port, version=version) as client:
                STEPS[step](client)
                client.send(ALERT, bytes([level, description]))
                if level != FATAL or (version, description) == (TLS13, tls.USER_CANCELED):
                    with contextlib.suppress(OSError):  # where the server has ended the connection already
                        client.plain.shutdown(socket.SHUT_WR)
                client.settimeout(5)
                ended_at_once(client)


def test_a_hello_that_asks_for_early_data_gets_nothing_early(start_secure):
    """Its data is passed over, or ends the connection; a request that came early is never answered."""
    server = start_secure()
    identity, binder = tls.vector(bytes(100), 2) + bytes(4), tls.vector(bytes(32), 1)
    psk = tls.extension(tls.PRE_SHARED_KEY, tls.vector(identity, 2) + tls.vector(binder, 2))
    early = record(DATA, random.Random(5).randbytes(200))
    with besieged(server), TLSByHand(server.port, last=tls.extension(tls.EARLY_DATA) + psk) as client:
        client.begin()
        client.send_bytes(early * 3)
        with contextlib.suppress(AlertReceived):
            client.take_answer()
            agreed = dict(client.server_messages)[tls.ENCRYPTED_EXTENSIONS]
            assert tls.EARLY_DATA not in dict(tls.extensions_of(agreed[2:]))
            client.finish()
            client.plain.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                assert client.recv(1) == b""


def test_a_flood_of_changes_of_cipher_within_a_handshake_ends(start_secure):
    server = start_secure()
    with besieged(server, peak=2 * MEBIBYTE), TLSByHand(server.port, session=bytes(32)) as client:
        client.begin()
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                client.send_bytes(record(tls.CHANGE_CIPHER_SPEC, b"\1") * 1000)
        ended_at_once(client)


NAMES = {
    "none": None,
    "empty": b"",
    "of 255 bytes": b"a" * 255,
    "of 256 bytes": b"a" * 256,
    "of 16,000 bytes": b"a." * 8000,
    "with a NUL": b"localhost\0.example.org",
    "an address": b"127.0.0.1",
    "a wildcard": b"*",
    "with a dot behind it": b"localhost.",
    "in capitals": b"LOCALHOST",
    "not ASCII": "gr\u00fc\u00dfe.example".encode(),
    "not UTF-8": b"\xff\xfe\xfd",
    "with line ends": b"a\r\nb: c",
    "another one": b"elsewhere.example",
}


@every_version
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_whatever_name_a_client_asks_for_it_is_served_or_refused(secure_probe, version, name):
    with besieged(secure_probe), TLSByHand(secure_probe.port, version=version, name=name) as client:
        client.begin()
        try:
            client.take_answer()
        except AlertReceived as refused:
            assert refused.description in (tls.UNRECOGNIZED_NAME, tls.DECODE_ERROR)
            return
        client.finish()
        connection = open_within(client)
        connection.send_frame(TEXT, b"hello")
        assert connection.read_frame().payload == b"hello"
