"""Attacks before there is a WebSocket: each ends with a server that is as it was (support/siege.py)."""

import contextlib
import time

import pytest

from support.deadline import DEADLINE, eventually
from support.process import descriptor_count
from support.raw import KEY, RawConnection, request, upgrade_request
from support.secure import SecurePort
from support.siege import (
    MEBIBYTE,
    allow_many_descriptors,
    besieged,
    crowd_of,
    expect_echo,
    scaled,
    seconds_for,
    send_until_refused,
    statuses_of,
)

UPGRADE = (
    ("Host", "localhost"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
)


def test_heads_of_a_byte_a_second_are_cut_off_in_time_with_408(start_probe):
    server = start_probe("--handshake-timeout-ms", 4000)
    first, *others = (bytes([byte]) for byte in upgrade_request()[:4])

    def begin():
        """Its first byte comes at once, however long it takes until all are there: who sent nothing is told nothing."""
        connection = RawConnection(server.port)
        connection.send(first)
        return connection

    with besieged(server, peak=2 * MEBIBYTE):
        start = time.monotonic()
        with crowd_of(100, begin) as slow:
            for byte in others:
                time.sleep(1)
                for connection in slow:
                    with contextlib.suppress(ConnectionError):  # its time may be over, where opening all took long
                        connection.send(byte)
            for connection in slow:
                assert connection.read_response().status == 408
                connection.expect_end_of_stream()
        assert time.monotonic() - start < DEADLINE  # not as long as all of the head would have taken


@pytest.mark.not_within_tls("there, handshakes of TLS are half open: test_tls_half_open.py")
@pytest.mark.not_in_memory("a bridge takes three descriptors for each connection: more than a process may have")
def test_ten_thousand_connections_without_a_handshake_shut_nobody_out(start_probe):
    server = start_probe("--handshake-timeout-ms", 12_000)  # more than opening them takes on a busy machine
    count = scaled(10_000)
    allow_many_descriptors(server.pid)
    with besieged(server), crowd_of(count, lambda: RawConnection(server.port)) as silent:
        eventually(lambda: descriptor_count(server.pid) > count, "all of them are accepted")
        expect_echo(server)
        for connection in silent:
            connection.expect_end_of_stream()


FRAME = b"\x82\xfe\x10\x00" + bytes(4) + b"part of 4096 bytes"

STAGES = {
    "before the head": b"",
    "within the head": upgrade_request()[:60],
    "after the head": upgrade_request(),
    "within a frame's header": upgrade_request() + FRAME[:3],
    "within a frame": upgrade_request() + FRAME,
    "after a page was asked for": request(path="/plain"),
    "within a page": request(path="/large"),
}


@pytest.mark.parametrize("sent", STAGES.values(), ids=STAGES)
def test_a_storm_of_resets_leaves_nothing(start_probe, sent):
    server = start_probe()
    with besieged(server):
        for _ in range(scaled(300 if isinstance(server.port, SecurePort) else 3000)):  # a handshake of TLS takes long
            connection = RawConnection(server.port)
            if sent:
                connection.send(sent)
            connection.reset()


BOMBS = {
    "64 KiB of headers": request(path="/echo", headers=(*UPGRADE, *(("Filler", "x" * 1000),) * 64)),
    "1,000 headers": request(path="/echo", headers=(*UPGRADE, *((f"F{number}", "") for number in range(1000)))),
    "a header of 64 KiB": upgrade_request(filler="x" * 65536),
    "a target of 64 KiB": upgrade_request("/" + "a" * 65536),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_headers_is_refused_with_431(start_probe, bomb):
    server = start_probe()
    with besieged(server, peak=2 * MEBIBYTE), crowd_of(100, lambda: RawConnection(server.port)) as bombers:
        for connection in bombers:
            connection.send(bomb)
        for connection in bombers:
            assert connection.read_response().status == 431


@pytest.mark.parametrize("start", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: "], ids=["method", "target", "header"])
def test_an_endless_line_is_refused_and_soon_not_even_read(start_probe, start):
    server = start_probe("--close-timeout-ms", 500)
    with besieged(server, peak=2 * MEBIBYTE), RawConnection(server.port) as endless:
        endless.send(start)

        def go_on():
            end = time.monotonic() + DEADLINE
            while time.monotonic() < end:
                if send_until_refused(endless, b"a" * 65536, 1 << 20, pause=0.01) < 1 << 20:
                    break

        assert seconds_for(server, go_on) < 5


PLAIN = request(path="/plain")

# Input that one server takes for one request, and another for two: there is one response, and the rest is ignored.
SMUGGLED = {
    "two Hosts": request(headers=(("Host", "localhost"), ("Host", "elsewhere"))),
    "two Hosts of one name": request(headers=(("Host", "localhost"), ("host", "localhost"))),
    "a folded header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "a folded header with a tab": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n\tContent-Length: 5\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n Host: localhost\r\nHost: localhost\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "a bare line feed that ends the head": b"GET / HTTP/1.1\r\nHost: localhost\r\n\n",
    "a bare line feed between headers": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nY: b\r\n\r\n",
    "bare carriage returns": b"GET / HTTP/1.1\rHost: localhost\r\r",
    "a carriage return before its line feed twice": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\r\n\r\n",
    "a chunked GET": request(headers=(("Host", "localhost"), ("Transfer-Encoding", "chunked"))) + b"0\r\n\r\n",
    "a GET that says chunked in a way of its own": request(
        headers=(("Host", "localhost"), ("Transfer-Encoding", "xchunked"))
    ),
    "Content-Length twice": request(
        headers=(("Host", "localhost"), ("Content-Length", "0"), ("Content-Length", str(len(PLAIN))))
    ),
    "Content-Length twice the same": request(
        headers=(("Host", "localhost"), ("Content-Length", "0"), ("Content-Length", "0"))
    ),
    "Content-Length as a list": request(headers=(("Host", "localhost"), ("Content-Length", "0, 0"))),
    "Content-Length with a sign": request(headers=(("Host", "localhost"), ("Content-Length", "+0"))),
    "Content-Length in hexadecimal": request(headers=(("Host", "localhost"), ("Content-Length", "0x0"))),
    "Content-Length below zero": request(headers=(("Host", "localhost"), ("Content-Length", "-1"))),
    "Content-Length beyond 64 bits": request(headers=(("Host", "localhost"), ("Content-Length", str(1 << 64)))),
    "Transfer-Encoding and Content-Length": request(
        headers=(("Host", "localhost"), ("Transfer-Encoding", "chunked"), ("Content-Length", "0"))
    )
    + b"0\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\n",
    "a version that is none": b"GET / HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an upgrade with a body": upgrade_request(content_length=str(len(PLAIN))),
    "an upgrade that is chunked": upgrade_request(transfer_encoding="chunked") + b"0\r\n\r\n",
    "an upgrade with a broken key": upgrade_request(sec_websocket_key="x"),
}


@pytest.mark.not_within_tls("what stands in a head is the same there")
@pytest.mark.parametrize("first", SMUGGLED.values(), ids=SMUGGLED)
def test_nothing_is_smuggled_in_behind_a_request_that_can_be_read_in_two_ways(probe, first):
    with besieged(probe):
        assert statuses_of(probe.port, first + PLAIN) == [400]


# A proxy that does not wait for 101 takes what follows for frames, and passes anything on.
REFUSED_UPGRADES = {
    "an unknown version": (upgrade_request(sec_websocket_version="12"), 426),
    "an unknown path": (upgrade_request("/nowhere"), 404),
    "a page": (upgrade_request("/plain"), 200),
    "another method": (upgrade_request().replace(b"GET", b"POST"), 405),
}


@pytest.mark.parametrize(("refused", "status"), REFUSED_UPGRADES.values(), ids=REFUSED_UPGRADES)
def test_requests_behind_an_upgrade_that_is_refused_are_not_answered(probe, refused, status):
    with besieged(probe):
        assert statuses_of(probe.port, refused + PLAIN) == [status]


def test_requests_behind_an_upgrade_that_is_agreed_to_are_no_requests(probe):
    with besieged(probe):
        assert statuses_of(probe.port, upgrade_request() + PLAIN) == [101]


def test_the_body_of_a_request_that_is_refused_is_not_taken_for_a_request(probe):
    headers = (("Host", "localhost"), ("Content-Length", str(len(PLAIN))))
    with besieged(probe):
        assert statuses_of(probe.port, request("POST", "/plain", headers) + PLAIN) == [405]


@pytest.mark.not_within_tls("what stands in a head is the same there")
def test_the_host_of_an_absolute_target_is_the_one_that_counts_and_only_a_path_decides(probe):
    # RFC 9112 §3.2.2: Host is ignored then.
    with besieged(probe):
        assert statuses_of(probe.port, upgrade_request("http://elsewhere/echo")) == [101]
        assert statuses_of(probe.port, upgrade_request("http://elsewhere/nowhere")) == [404]
        assert statuses_of(probe.port, upgrade_request("http:///echo")) == [400]
        assert statuses_of(probe.port, upgrade_request("gopher://localhost/echo")) == [400]


PLACES = {
    "a name": lambda byte: upgrade_request().replace(b"Host:", b"Ho" + byte + b"st: x\r\nHost:"),
    "a name's beginning": lambda byte: upgrade_request().replace(b"Host:", byte + b"Name: x\r\nHost:"),
    "a name's end": lambda byte: upgrade_request().replace(b"Host:", b"Name" + byte + b": x\r\nHost:"),
    "a value": lambda byte: upgrade_request().replace(b"Host: local", b"Host: local" + byte),
    "a value's end": lambda byte: upgrade_request().replace(b"Host:", b"Name: value" + byte + b"\r\nHost:"),
    "the target": lambda byte: upgrade_request().replace(b"/echo", b"/ec" + byte + b"ho"),
    "the query": lambda byte: upgrade_request().replace(b"/echo", b"/echo?a=" + byte),
    "the method": lambda byte: upgrade_request().replace(b"GET", b"G" + byte + b"ET"),
    "the version": lambda byte: upgrade_request().replace(b"HTTP/1.1", b"HTTP/1" + byte + b".1"),
}
CONTROLS = [bytes([value]) for value in (*range(0x20), 0x7F)]


@pytest.mark.not_within_tls("what stands in a head is the same there")
@pytest.mark.parametrize("place", PLACES)
def test_control_bytes_are_refused_wherever_they_stand(probe, place):
    with besieged(probe):
        for byte in CONTROLS:
            if byte == b"\t" and "value" in place:
                continue  # which may stand there, RFC 9110 §5.5
            assert statuses_of(probe.port, PLACES[place](byte) + PLAIN) == [400], byte


TRAVERSALS = [
    b"/../../../../etc/passwd",
    b"/echo/../../../etc/passwd",
    b"/plain/../plain",
    b"/./plain",
    b"//plain",
    b"///etc/passwd",
    b"/plain/",
    b"/plain/.",
    b"/%2e%2e/%2e%2e/etc/passwd",
    b"/%252e%252e/etc/passwd",
    b"/..%2f..%2fetc%2fpasswd",
    b"/%70lain",
    b"/plain%00",
    b"/plain%00.html",
    b"/plain%0d%0aX:%20y",
    b"/..\\..\\etc\\passwd",
    b"\\..\\..\\etc\\passwd",
    b"/..%5c..%5cetc%5cpasswd",
    b"/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    b"/\xc0\xae\xc0\xae/etc/passwd",
    b"/%e0%80%ae%e0%80%ae/etc/passwd",
    b"/..;/etc/passwd",
    b"../../etc/passwd",
    b"plain",
    b"file:///etc/passwd",
    b"http://localhost/../etc/passwd",
    b"http://localhost",
    b"http://localhost/plain#echo",
    b"/plain;x",
    b"*",
    b"",
]


# These are other ways to write "/plain" and "/" (RFC 3986, 6.2.2), which lead there and nowhere else.
EQUIVALENT = (b"/plain/../plain", b"/./plain", b"/%70lain", b"http://localhost")


@pytest.mark.not_within_tls("what stands in a head is the same there")
def test_there_is_no_way_around_a_route(probe):
    with besieged(probe):
        for target in TRAVERSALS:
            for head in (upgrade_request(), PLAIN):
                start, _, rest = head.partition(b" ")
                asked = start + b" " + target + b" " + rest.partition(b" ")[2]
                expected = ([200],) if target in EQUIVALENT else ([404], [400])
                assert statuses_of(probe.port, asked) in expected, target


def test_a_flood_of_requests_whose_answers_are_not_read_is_not_answered_for_ever(start_probe):
    server = start_probe("--backpressure-limit", MEBIBYTE)
    with besieged(server, peak=8 * MEBIBYTE):
        with RawConnection(server.port, receive_buffer=4096) as greedy, contextlib.suppress(ConnectionError):
            greedy.socket.settimeout(0.5)
            send_until_refused(greedy, PLAIN * 1000, 64 * MEBIBYTE)
            greedy.reset()
