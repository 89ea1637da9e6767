"""What a port of TLS says to those who speak no TLS, what a plain port says to those who do; proxies, origins, ends."""

import contextlib
import signal
import socket
import ssl
import subprocess

import pytest

from support import frames
from support import tls_records as tls
from support.deadline import DEADLINE
from support.deployment import Front, free_port
from support.frames import TEXT
from support.programs import PROBE
from support.raw import RawConnection, request, upgrade_request
from support.secure import SecureSocket
from support.server import Server
from support.siege import besieged
from support.tls_by_hand import TLSByHand
from support.tls_clients import VERSIONS, SecureClient, context_for, told_of

every_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)

PLAIN = {
    "a GET": request(path="/plain"),
    "a HEAD": request("HEAD", "/plain"),
    "a POST with a body": request("POST", "/plain", {"Host": "localhost", "Content-Length": "4"}) + b"body",
    "an upgrade": upgrade_request(),
    "OPTIONS": request("OPTIONS", "*"),
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "several requests": request() * 3,
    "part of a request": b"GET /plain HTTP/1.1\r\nHo",
}


@pytest.mark.parametrize("sent", PLAIN.values(), ids=PLAIN)
def test_plain_http_is_told_that_the_port_speaks_tls(secure_probe, sent):
    with besieged(secure_probe), RawConnection(int(secure_probe.port)) as plain:
        plain.send(sent)
        response = plain.read_response(has_body=not sent.startswith(b"HEAD"))
        assert response.status == 400
        assert response.header("Connection") == "close"
        if response.body:
            assert b"this port speaks TLS" in response.body
        plain.socket.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert plain.socket.recv(1) == b""


def test_curl_shows_what_plain_http_is_told(secure_probe):
    command = ["curl", "--silent", "--noproxy", "*", "--max-time", str(DEADLINE), "--write-out", "%{http_code}"]
    done = subprocess.run([*command, f"http://localhost:{secure_probe.port}/plain"], capture_output=True, check=True)
    assert b"this port speaks TLS" in done.stdout and done.stdout.endswith(b"400")


def test_a_request_that_comes_byte_by_byte_is_told_it_too(secure_probe):
    with besieged(secure_probe), RawConnection(int(secure_probe.port)) as plain:
        with contextlib.suppress(ConnectionError):
            for byte in request(path="/plain"):
                plain.send(bytes([byte]))
        assert plain.read_response().status == 400


@every_version
def test_a_plain_port_names_a_client_that_speaks_tls(start_probe, version):
    server = start_probe("--log-level", 0)  # what peers do wrong is not printed unless everything is
    hand = tls.TLS12 if version == VERSIONS["1.2"] else tls.TLS13
    with besieged(server), TLSByHand(server.port, version=hand) as client:
        client.begin()
        with contextlib.suppress(EOFError, ConnectionError):
            while client.plain.recv(4096):
                pass
    told = server.errors.wait_for(lambda lines: any("TLS" in line for line in lines))
    assert told, server.errors.text()


def test_a_client_of_tls_fails_at_a_plain_port_at_once(probe, authority):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        SecureClient(probe.port, context_for(authority.path))


ORIGINS = {
    "https://localhost": 101,
    "https://localhost:443": 101,
    "http://localhost": 403,
    "http://localhost:443": 403,
    "https://localhost:8443": 403,
    "https://elsewhere": 403,
    "null": 403,
}


@pytest.mark.parametrize(("origin", "status"), ORIGINS.items(), ids=ORIGINS)
def test_pages_come_from_the_same_scheme(secure_probe, authority, origin, status):
    with SecureClient(secure_probe.port, context_for(authority.path)) as client:
        client.send(upgrade_request(origin=origin))
        assert client.read_response().status == status


def test_tls_is_spoken_over_ipv6_and_unix_domain_sockets(start_secure, authority, tmp_path):
    path = tmp_path / "s"
    server = start_secure("--unix", path)
    context = context_for(authority.path)
    with socket.create_connection(("::1", int(server.port)), DEADLINE) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(upgrade_request())
            assert secure.recv(12) == b"HTTP/1.1 101"
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(DEADLINE)
        plain.connect(str(path))
        secure = SecureSocket(plain, context, "localhost")
        secure.sendall(upgrade_request())
        assert secure.recv(12) == b"HTTP/1.1 101"
        secure.close()


# HAProxy in front: it passes TLS on behind a PROXY header; or speaks TLS itself, and says so in the header.
PASSES_ON = """
listen front
    mode tcp
    bind 127.0.0.1:{port}
    server app 127.0.0.1:{inner} {header}
"""
SPEAKS_TLS = """
listen front
    mode tcp
    bind 127.0.0.1:{port} ssl crt {both}
    server app 127.0.0.1:{inner} {header}
"""

TIMEOUTS = """
defaults
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""


@contextlib.contextmanager
def behind_haproxy(folder, text, server, **values):
    port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(TIMEOUTS + text.format(port=port, inner=int(server.port), **values))
    with Front(["haproxy", "-db", "-f", configuration], port):
        yield port


TRUSTING = ("--client-address", "proxy-protocol", "--trusted-proxy", "127.0.0.1")


@pytest.mark.parametrize("header", ["send-proxy", "send-proxy-v2"])
def test_tls_behind_a_proxy_header_reaches_the_server_with_the_clients_address(
    start_secure, authority, tmp_path, header
):
    server, context = start_secure(*TRUSTING), context_for(authority.path)
    with behind_haproxy(tmp_path, PASSES_ON, server, header=header) as port:
        for source in ("127.0.0.1", "127.0.0.9"):
            with SecureClient(port, context, source=source) as client:
                client.upgrade("/remote-address")
                assert client.read_frame().payload.startswith(f"{source}:".encode())
            with SecureClient(port, context, source=source) as client:
                is_secure, known = told_of(client)
                assert is_secure and known["server_name"] == ["localhost"]
        with SecureClient(port, context) as client:
            client.send(request(path="/large"))
            assert len(client.read_response().body) == 16 << 20


def test_a_header_and_a_hello_in_one_piece_or_byte_by_byte_are_taken(start_secure):
    server = start_secure(*TRUSTING)
    header = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"
    for chunk in (None, 1, 7, 60):
        with TLSByHand(server.port, chunk=chunk) as client:
            client.send_bytes(header + tls.record(tls.HANDSHAKE, client.hello(), version=tls.TLS10))
            client.take_answer()
            client.finish()
            client.sendall(upgrade_request("/remote-address"))
            data = b""
            while b"192.0.2.7:4711" not in data:
                data += client.recv(4096)


@pytest.mark.parametrize("header", ["send-proxy-v2-ssl", "send-proxy-v2"])
def test_a_proxy_that_speaks_tls_itself_says_that_the_client_is_secure(certified, authority, tmp_path, header):
    both = tmp_path / "both.pem"
    both.write_bytes(certified.certificate_text() + certified.key_text())
    with Server([PROBE, "--port", 0, *TRUSTING]) as server:
        with behind_haproxy(tmp_path, SPEAKS_TLS, server, header=header, both=both) as port:
            with SecureClient(port, context_for(authority.path)) as client:
                assert told_of(client) == (header == "send-proxy-v2-ssl", {})


# The ends


@every_version
def test_a_stop_tells_everybody_within_tls_and_ends_with_close_notify(start_secure, authority, version):
    server = start_secure("--threads", 2)
    context = context_for(authority.path, version)
    clients = [SecureClient(server.port, context).upgrade() for _ in range(10)]
    server.send_signal(signal.SIGTERM)
    for client in clients:
        assert client.read_close()[0] == 1001
        client.send(frames.encode_close(1001))
        client.expect_end_of_stream()
        client.socket.close()
    server.stop()


def test_handshakes_that_go_on_do_not_keep_a_server_that_stops(start_secure):
    server = start_secure("--close-timeout-ms", 500)
    silent, begun, finished = (TLSByHand(server.port) for _ in range(3))
    begun.begin()
    finished.shake_hands()
    assert server.seconds_to_stop() < 5
    for client in (silent, begun, finished):
        client.close()


@every_version
def test_a_page_is_whole_though_the_connection_ends_after_it(secure_probe, authority, version):
    with SecureClient(secure_probe.port, context_for(authority.path, version)) as client:
        client.send(request(path="/large", headers={"Host": "localhost", "Connection": "close"}))
        assert len(client.read_response().body) == 16 << 20
        client.expect_end_of_stream()


@every_version
def test_a_client_that_has_ended_its_side_gets_its_answer(start_secure, authority, version):
    # All of it may wait, however late the client reads: beyond the limit messages are dropped.
    server = start_secure("--backpressure-limit", 8 << 20)
    with SecureClient(server.port, context_for(authority.path, version)) as client:
        client.upgrade("/burst")
        client.send_frame(TEXT, b"20 200000")
        client.socket.shutdown(socket.SHUT_WR)
        for _ in range(20):
            assert len(client.read_frame().payload) == 200_000
        client.expect_end_of_stream()
