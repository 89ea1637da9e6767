"""The opening handshake, RFC 6455 §4.2, and the request head it comes in, RFC 9112."""

import time

import pytest

from support import frames
from support.raw import ACCEPT, KEY, RawConnection, open_websocket, request, upgrade_request

UPGRADE = (
    ("Host", "localhost"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
)


def filled_to(length):
    """An upgrade request of exactly so many bytes."""
    return upgrade_request(filler="x" * (length - len(upgrade_request(filler=""))))


def with_headers(count):
    """An upgrade request with exactly so many headers."""
    fillers = tuple((f"Filler-{number}", "x") for number in range(count - len(UPGRADE)))
    return request(path="/echo", headers=UPGRADE + fillers)


ACCEPTED = {
    "the request of the RFC": upgrade_request(),
    "header names in any case": request(path="/echo", headers=[(name.swapcase(), value) for name, value in UPGRADE]),
    "header values without a space before them": upgrade_request().replace(b": ", b":"),
    "header values with spaces and tabs around them": upgrade_request(sec_websocket_key=f" \t{KEY}\t "),
    "Upgrade in any case": upgrade_request(upgrade="WebSocket"),
    "Upgrade as a list": upgrade_request(upgrade="h2c, websocket"),
    "Connection in any case": upgrade_request(connection="UPGRADE"),
    "Connection as a list of tokens": upgrade_request(connection="keep-alive, Upgrade"),
    "Connection as several lines": request(path="/echo", headers=(("Connection", "keep-alive"), *UPGRADE)),
    "a path with a query": upgrade_request("/echo?room=7&x=/chat"),
    "an empty Host": upgrade_request(host=""),
    "a Host that is an IPv6 address with a port": upgrade_request(host="[2001:db8::7]:8080"),
    "a Host with an empty port": upgrade_request(host="localhost:"),
    "a page of the target's host, which Host is not": upgrade_request(
        "http://elsewhere/echo", origin="http://elsewhere"),
    "a path with escapes that it does not need": upgrade_request("/%65c%68o"),
    "a path with dot segments": upgrade_request("/x/.././%2e/echo"),
    "no subprotocol in the list of them": upgrade_request(sec_websocket_protocol=""),
    "a target in absolute form": upgrade_request("http://localhost/echo"),
    "a target in absolute form with a port": upgrade_request("ws://localhost:8080/echo?x"),
    "headers it does not know": upgrade_request(cookie="a=b", x_obs="\xe4\xf6"),
    "a page of the same host": upgrade_request(origin="http://localhost"),
    "subprotocols it does not know": upgrade_request(sec_websocket_protocol="soap, wamp"),
    "extensions it does not know": upgrade_request(sec_websocket_extensions="x-unknown; a=1"),
    "a head of exactly 8 KiB": filled_to(8192),
    "64 headers": with_headers(64),
}

REFUSED = {
    "a page of elsewhere": (upgrade_request(origin="http://elsewhere"), 403),
    "a page without an origin to tell": (upgrade_request(origin="null"), 403),
    "no key": (upgrade_request(sec_websocket_key=None), 400),
    "an empty key": (upgrade_request(sec_websocket_key=""), 400),
    "a key that is not base64": (upgrade_request(sec_websocket_key="dGhlIHNhbXBsZSBub25j!Q=="), 400),
    "a key of 15 bytes": (upgrade_request(sec_websocket_key="dGhlIHNhbXBsZSBub25j"), 400),
    "a key of 17 bytes": (upgrade_request(sec_websocket_key="dGhlIHNhbXBsZSBub25jZXM="), 400),
    "a key without its padding": (upgrade_request(sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ"), 400),
    "two keys": (request(path="/echo", headers=(*UPGRADE, ("Sec-WebSocket-Key", KEY))), 400),
    "an upgrade that Connection does not name": (upgrade_request(connection="keep-alive"), 400),
    "an upgrade that Connection names in part": (upgrade_request(connection="Upgrade-Insecure"), 400),
    "an upgrade without Connection": (upgrade_request(connection=None), 400),
    "no Host": (upgrade_request(host=None), 400),
    "two Hosts": (request(path="/echo", headers=(*UPGRADE, ("Host", "elsewhere"))), 400),
    "no Host in HTTP/1.1 of an absolute target": (upgrade_request("http://localhost/echo", host=None), 400),
    "an empty Host of an absolute target": (upgrade_request("http://localhost/echo", host=""), 400),
    "a Host with white space": (upgrade_request(host="a b"), 400),
    "a Host with a path": (upgrade_request(host="localhost/"), 400),
    "a Host with userinfo": (upgrade_request(host="user@localhost"), 400),
    "a Host with a port of letters": (upgrade_request(host="localhost:http"), 400),
    "a Host of a port alone": (upgrade_request(host=":80"), 400),
    "a Host of half an IPv6 address": (upgrade_request(host="[::1"), 400),
    "a Host of an ill-formed IPv6 address": (upgrade_request(host="[::1::]"), 400),
    "a Host with an ill-formed escape": (upgrade_request(host="a%zz"), 400),
    "userinfo in an absolute target": (upgrade_request("http://user@localhost/echo"), 400),
    "a page of Host where the target names another": (
        upgrade_request("http://elsewhere/echo", origin="http://localhost"), 403),
    "GET of the whole server": (upgrade_request("*"), 400),
    "a NUL in the path": (upgrade_request("/echo%00"), 400),
    "a body": (upgrade_request(content_length="5") + b"hello", 400),
    "a chunked body": (upgrade_request(transfer_encoding="chunked") + b"0\r\n\r\n", 400),
    "an empty line before the request": (b"\r\n" + upgrade_request(), 400),
    "a folded header": (upgrade_request(cookie="a=b;\r\n c=d"), 400),
    "a header without a colon": (upgrade_request(cookie="a\r\nb"), 400),
    "a space before the colon": (upgrade_request().replace(b"Host:", b"Host :"), 400),
    "a header without a name": (upgrade_request().replace(b"Host:", b":"), 400),
    "a bare line feed": (upgrade_request().replace(b"\r\n", b"\n"), 400),
    "a bare line feed in a header": (upgrade_request(cookie="a\nb: c"), 400),
    "a bare carriage return": (upgrade_request(cookie="a\rb"), 400),
    "a NUL": (upgrade_request(cookie="a\0b"), 400),
    "a control character": (upgrade_request(cookie="a\x01b"), 400),
    "a target without a slash": (upgrade_request("echo"), 400),
    "a target with a space": (upgrade_request("/echo x"), 400),
    "no version of HTTP": (upgrade_request().replace(b" HTTP/1.1", b""), 400),
    "the upgrade in HTTP/1.0": (upgrade_request().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "HTTP/2.0": (upgrade_request().replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
    "no request at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client\r\n\r\n", 400),
    "a head of one byte more than 8 KiB": (filled_to(8193), 431),
    "a head that never ends": (b"GET /" + b"a" * 9000, 431),
    "65 headers": (with_headers(65), 431),
}

# Only the target of these requests is wrong: the connection may continue.
ANSWERED = {
    "version 12": (upgrade_request(sec_websocket_version="12"), 426),
    "version 14": (upgrade_request(sec_websocket_version="14"), 426),
    "a version that is no number": (upgrade_request(sec_websocket_version="13x"), 426),
    "a plain GET": (request(path="/echo"), 426),
    "an upgrade to something else": (upgrade_request(upgrade="h2c"), 426),
    "an unknown path": (upgrade_request("/nowhere"), 404),
    "a path that begins as one that is known": (upgrade_request("/echo/more"), 404),
    "a path in another case": (upgrade_request("/Echo"), 404),
    "a plain GET of an unknown path": (request(path="/nowhere"), 404),
    "POST": (request("POST", "/echo"), 405),
    "DELETE": (request("DELETE", "/echo"), 405),
    "a method in another case": (request("get", "/echo"), 405),
}


def check_acceptance(connection):
    response = connection.read_response()
    assert response.status == 101
    assert response.header("Upgrade").lower() == "websocket"
    assert response.header("Connection").lower() == "upgrade"
    assert response.header("Sec-WebSocket-Accept") == ACCEPT
    # Unknown offers must not be accepted, §4.2.2.
    assert response.header("Sec-WebSocket-Protocol") is None
    assert response.header("Sec-WebSocket-Extensions") is None


@pytest.mark.parametrize("head", ACCEPTED.values(), ids=ACCEPTED)
def test_accepts(bench, head):
    with RawConnection(bench.port) as connection:
        connection.send(head)
        check_acceptance(connection)
        connection.send_frame(frames.TEXT, b"hello")
        assert connection.read_frame() == frames.Frame(frames.TEXT, b"hello")


@pytest.mark.parametrize(("head", "status"), REFUSED.values(), ids=REFUSED)
def test_refuses_and_ends_the_connection(bench, head, status):
    with RawConnection(bench.port) as connection:
        connection.send(head)
        assert connection.read_response().status == status
        connection.expect_end_of_stream()


@pytest.mark.parametrize(("head", "status"), ANSWERED.values(), ids=ANSWERED)
def test_answers_with_an_error(bench, head, status):
    with RawConnection(bench.port) as connection:
        connection.send(head)
        assert connection.read_response().status == status


def test_names_the_version_it_speaks(bench):
    with RawConnection(bench.port) as connection:
        connection.send(upgrade_request(sec_websocket_version="8"))
        response = connection.read_response()
    assert (response.status, response.header("Sec-WebSocket-Version")) == (426, "13")


def test_names_the_protocol_that_a_plain_request_should_upgrade_to(bench):
    with RawConnection(bench.port) as connection:
        connection.send(request(path="/echo"))
        response = connection.read_response()
    assert (response.status, response.header("Upgrade")) == (426, "websocket")
    assert "upgrade" in response.header("Connection").lower()


def test_names_the_methods_it_allows(bench):
    with RawConnection(bench.port) as connection:
        connection.send(request("POST", "/echo"))
        response = connection.read_response()
    assert response.status == 405
    assert "GET" in [method.strip() for method in response.header("Allow").split(",")]


def test_takes_a_head_that_comes_byte_by_byte(bench):
    with RawConnection(bench.port) as connection:
        for byte in upgrade_request():
            connection.send(bytes([byte]))
        check_acceptance(connection)


def test_takes_a_head_in_two_pieces_cut_anywhere(bench):
    head = upgrade_request()
    for cut in range(1, len(head)):
        with RawConnection(bench.port) as connection:
            connection.send(head[:cut])
            connection.send(head[cut:])
            check_acceptance(connection)


def test_takes_frames_that_come_in_the_same_read_as_the_head(bench):
    with RawConnection(bench.port) as connection:
        connection.send(
            upgrade_request()
            + frames.encode(frames.TEXT, b"first")
            + frames.encode(frames.BINARY, b"second")
            + frames.encode(frames.PING, b"third")
            + frames.encode_close(1000, b"done")
        )
        check_acceptance(connection)
        assert connection.read_frame() == frames.Frame(frames.TEXT, b"first")
        assert connection.read_frame() == frames.Frame(frames.BINARY, b"second")
        assert connection.read_frame() == frames.Frame(frames.PONG, b"third")
        assert connection.read_close()[0] == 1000
        connection.expect_end_of_stream()


def test_takes_part_of_a_frame_in_the_same_read_as_the_head(bench):
    frame = frames.encode(frames.TEXT, b"in two pieces")
    for cut in range(1, len(frame)):
        with RawConnection(bench.port) as connection:
            connection.send(upgrade_request() + frame[:cut])
            check_acceptance(connection)
            connection.send(frame[cut:])
            assert connection.read_frame().payload == b"in two pieces"


def test_ends_a_connection_that_sends_no_head_in_time(start_probe):
    server = start_probe("--handshake-timeout-ms", 200)
    with RawConnection(server.port) as silent, RawConnection(server.port) as slow:
        slow.send(upgrade_request()[:-2])
        for connection in (silent, slow):
            start = time.monotonic()
            while connection.socket.recv(4096):
                pass
            assert time.monotonic() - start < 5


def test_a_client_that_drips_its_head_gains_no_time_by_it(start_probe):
    server = start_probe("--handshake-timeout-ms", 300)
    with RawConnection(server.port) as connection:
        connection.socket.settimeout(0.05)
        start = time.monotonic()
        connection.send(b"GET /echo?")
        has_ended = False
        while not has_ended and time.monotonic() - start < 10:
            try:
                connection.send(b"a")
                has_ended = connection.socket.recv(4096) is not None
            except TimeoutError:
                continue
            except ConnectionError:
                has_ended = True
        assert has_ended


def test_a_websocket_outlives_the_handshake_timeout(start_probe):
    server = start_probe("--handshake-timeout-ms", 4000)
    with open_websocket(server.port) as connection, RawConnection(server.port) as silent:
        silent.socket.recv(4096)  # returns when the time-out has ended this later one
        connection.send_frame(frames.TEXT, b"still here")
        assert connection.read_frame().payload == b"still here"
