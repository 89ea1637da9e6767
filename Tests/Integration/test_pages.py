"""Plain GET and HEAD from memory, RFC 9110 and RFC 9112, seen by curl and by a plain socket."""

import contextlib
import socket
import subprocess
import time

import pytest

from support import frames
from support.deadline import DEADLINE, eventually
from support.process import descriptor_count
from support.raw import ACCEPT, RawConnection, open_websocket, request, upgrade_request

PAGE = "<!doctype html><title>Probe</title><p>Grüße</p>\n".encode()
# More than all the kernel's buffers between server and client hold.
LARGE_LENGTH = 16 * 1024 * 1024
LARGE = (b"abcdefghijklmnopqrstuvwxyz" * (LARGE_LENGTH // 26 + 1))[:LARGE_LENGTH]

PAGES = {
    "/": ("text/html; charset=utf-8", PAGE),
    "/plain": ("text/plain; charset=utf-8", b"plain text\n"),
    "/empty": ("text/plain; charset=utf-8", b""),
    "/page-and-socket": ("text/plain; charset=utf-8", b"page\n"),
    "/large": ("application/octet-stream", LARGE),
}


def curl(server, *arguments, paths=("/",)):
    """Runs curl on paths of the server, and returns its standard output."""
    addresses = [f"http://localhost:{server.port}{path}" for path in paths]
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(DEADLINE)]
    return subprocess.run([*command, *arguments, *addresses], capture_output=True, check=True).stdout


@pytest.mark.parametrize("path", PAGES)
def test_curl_gets_a_page(probe, path):
    kind, body = PAGES[path]
    assert curl(probe, paths=[path]) == body
    assert curl(probe, "-o", "/dev/null", "-w", "%{http_code} %{content_type}", paths=[path]).decode() == f"200 {kind}"


@pytest.mark.parametrize("path", PAGES)
def test_curl_gets_the_head_of_a_page(probe, path):
    kind, body = PAGES[path]
    head = curl(probe, "--head", paths=[path]).decode().lower()
    assert head.startswith("http/1.1 200 ")
    assert f"\r\ncontent-type: {kind}\r\n" in head
    assert f"\r\ncontent-length: {len(body)}\r\n" in head


def test_curl_reuses_its_connection(probe):
    connects = curl(probe, "-w", "%{num_connects}\n", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
                    paths=["/", "/plain", "/nowhere"])
    assert connects.decode().split() == ["1", "0", "0"]


def test_curl_speaks_http_1_0(probe):
    assert curl(probe, "--http1.0", paths=["/plain"]) == b"plain text\n"


@pytest.mark.parametrize(
    ("arguments", "path", "status"),
    [
        ((), "/nowhere", 404),
        ((), "/echo", 426),
        (("--request", "POST"), "/plain", 405),
        (("--request", "OPTIONS"), "/plain", 204),
        (("--request", "OPTIONS"), "/nowhere", 404),
        (("--request", "OPTIONS", "--http1.0"), "/echo", 204),
        (("--request", "OPTIONS", "--request-target", "*"), "/", 204),
        (("--header", "Host: a b"), "/plain", 400),
        (("--upload-file", "/dev/null"), "/plain", 405),
        (("--data", "name=value"), "/plain", (400, 405)),
        (("--header", "Host:"), "/plain", 400),
        (("--header", "Long: " + "x" * 9000), "/plain", 431),
    ],
)
def test_curl_is_told_the_error(probe, arguments, path, status):
    answered = int(curl(probe, "-o", "/dev/null", "-w", "%{http_code}", *arguments, paths=[path]))
    assert answered in (status if isinstance(status, tuple) else (status,))


def test_a_page_allows_get_head_and_options(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request("POST", "/plain"))
        allowed = connection.read_response().header("Allow")
    assert sorted(method.strip() for method in allowed.split(",")) == ["GET", "HEAD", "OPTIONS"]


def test_requests_in_a_pipeline_are_answered_in_order(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request(path="/") + request(path="/nowhere") + request(path="/plain"))
        assert connection.read_response().body == PAGE
        assert connection.read_response().status == 404
        assert connection.read_response().body == b"plain text\n"


def test_a_long_pipeline_is_answered_whole(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request(path="/plain") * 1000 + request(path="/"))
        for _ in range(1000):
            assert connection.read_response().body == b"plain text\n"
        assert connection.read_response().body == PAGE


def test_who_asks_for_far_more_than_it_reads_gets_whole_answers_and_is_told_the_last(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request(path="/large") * 20)
        answers = [connection.read_response()]
        while answers[-1].header("Connection") != "close":
            answers.append(connection.read_response())
        assert all(answer.body == LARGE for answer in answers)
        assert 1 <= len(answers) < 20
        connection.expect_end_of_stream()


def test_the_answer_to_head_has_no_body(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request("HEAD", "/") + request("HEAD", "/nowhere") + request(path="/plain"))
        response = connection.read_response(has_body=False)
        assert (response.status, response.header("Content-Length")) == (200, str(len(PAGE)))
        assert connection.read_response(has_body=False).status == 404
        assert connection.read_response().body == b"plain text\n"


@pytest.mark.parametrize(
    ("version", "connection_header"),
    [("HTTP/1.1", "close"), ("HTTP/1.1", "x, Close"), ("HTTP/1.0", None), ("HTTP/1.0", "close")],
)
def test_the_connection_ends_after_the_answer_where_the_client_says_so(probe, version, connection_header):
    with RawConnection(probe.port) as connection:
        headers = {"Host": "localhost", "Connection": connection_header}
        connection.send(request(path="/plain", headers=headers, version=version))
        response = connection.read_response()
        assert response.body == b"plain text\n"
        assert response.header("Connection") == "close"
        connection.expect_end_of_stream()


def test_a_large_page_is_whole_though_the_connection_ends_after_it(probe):
    with RawConnection(probe.port, receive_buffer=65536) as connection:
        connection.send(request(path="/large", headers={"Host": "localhost", "Connection": "close"}))
        assert connection.read_response().body == LARGE
        connection.expect_end_of_stream()


@pytest.mark.parametrize("connection_header", [None, "close"])
def test_who_reads_slowly_gets_the_whole_page_whatever_the_timeouts(start_probe, connection_header):
    server = start_probe("--handshake-timeout-ms", 3000, "--close-timeout-ms", 3000)
    seconds = 7.5
    with RawConnection(server.port, receive_buffer=64 * 1024) as connection:
        connection.send(request(path="/large", headers={"Host": "localhost", "Connection": connection_header}))
        start = time.monotonic()
        taken = b""
        while (elapsed := time.monotonic() - start) < seconds:
            taken += connection.read_exactly(int(LARGE_LENGTH * elapsed / seconds) - len(taken))
            time.sleep(0.01)  # the reader's pace, not a wait for the server
        head, _, body = taken.partition(b"\r\n\r\n")
        assert body + connection.read_exactly(len(head) + 4 + LARGE_LENGTH - len(taken)) == LARGE


def test_a_client_that_reads_no_page_is_let_go(start_probe):
    server = start_probe("--handshake-timeout-ms", 200, "--close-timeout-ms", 200)
    before = descriptor_count(server.pid)
    with contextlib.ExitStack() as clients:

        def is_answered():
            """Another client. Whose request does not come within the time-out is let go without an answer."""
            client = clients.enter_context(RawConnection(server.port, receive_buffer=4096))
            with contextlib.suppress(EOFError, ConnectionError):
                client.send(request(path="/large"))
                return client.read_exactly(1)
            return b""

        eventually(is_answered, "a client is answered")
        eventually(lambda: descriptor_count(server.pid) == before, "the server has let go of the connection")


def test_a_client_that_has_ended_its_side_gets_its_answer(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request(path="/large"))
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.read_response().body == LARGE
        connection.expect_end_of_stream()


def test_http_1_0_needs_no_host(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request(path="/plain", headers=(), version="HTTP/1.0"))
        assert connection.read_response().status == 200


def test_a_query_does_not_change_the_page(probe):
    assert curl(probe, paths=["/plain?a=b&c=/nowhere"]) == b"plain text\n"


def test_a_page_and_a_websocket_share_a_path(probe):
    assert curl(probe, paths=["/page-and-socket"]) == b"page\n"
    with open_websocket(probe.port, "/page-and-socket") as connection:
        connection.send_frame(frames.TEXT, b"hello")
        assert connection.read_frame().payload == b"hello"


def test_a_connection_that_got_a_page_can_become_a_websocket(probe):
    with RawConnection(probe.port) as connection:
        connection.send(request(path="/plain") + upgrade_request() + frames.encode(frames.TEXT, b"hello"))
        assert connection.read_response().body == b"plain text\n"
        assert connection.read_response().header("Sec-WebSocket-Accept") == ACCEPT
        assert connection.read_frame().payload == b"hello"
