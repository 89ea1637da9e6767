"""The guide's program behind Debian's nginx and HAProxy, by the guide's recipes: TLS in front, real clients before it."""

import asyncio
import contextlib
import functools
import re
import socket
import ssl

import pytest
import websockets

from support import frames
from support.clients import CLIENTS
from support.deadline import DEADLINE, eventually
from support.deployment import (
    Certificate,
    Deployed,
    Front,
    SecureConnection,
    environment,
    free_port,
    is_superuser,
    reachable_folder,
    recipe,
)
from support.raw import request

LARGEST = 1024 * 1024  # the default limit of a message

# What Debian's nginx.conf says around the files of conf.d, with a test's folder for all that nginx writes.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
worker_processes 2;
{user}
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""

HAPROXY = """
global
    stats socket {folder}/stats.sock
{site}
"""


class Deployment:
    """The program, and the proxy in front of it."""

    def __init__(self, server, front, certificate, folder):
        self.server, self.front, self.folder = server, front, folder
        self.port, self.authority = front.port, certificate.certificate

    def client(self, kind, path="/echo"):
        return kind(self.port, path, authority=self.authority)

    def raw(self, source="127.0.0.1"):
        return SecureConnection(self.port, self.authority, source)

    def websocket(self):
        """A connection after its handshake and the server's greeting."""
        connection = self.raw()
        assert connection.upgrade().status == 101
        connection.read_frame()
        return connection


@contextlib.contextmanager
def behind_nginx(folder, certificate, time_out="90s", without="", **variables):
    path, port = folder / "app.sock", free_port()
    if not is_superuser():
        variables["SOCKET_OWNER"] = ""  # the workers are the same user
    replace = [
        ("/run/app/app.sock", path),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen [::]:443 ssl;", f"listen [::1]:{port} ssl;"),
        ("/etc/ssl/example.org.pem", certificate.certificate),
        ("/etc/ssl/example.org.key", certificate.key),
        ("example.org", "localhost"),
        ("proxy_read_timeout 90s;", f"proxy_read_timeout {time_out};"),
    ]
    site = recipe("/etc/nginx/conf.d/app.conf", replace=replace)
    site = "".join(line for line in site.splitlines(True) if not (without and without in line))
    user = "user www-data;" if is_superuser() else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, user=user, site=site))
    with Deployed({**environment("The environment of the program, behind nginx", LISTEN=path), **variables}) as server:
        with Front(["nginx", "-p", folder, "-e", "stderr", "-c", configuration], port) as front:
            yield Deployment(server, front, certificate, folder)


@contextlib.contextmanager
def behind_haproxy(folder, certificate, time_out="90s", **variables):
    inner, port = free_port(), free_port()
    replace = [
        ("bind :443", f"bind 127.0.0.1:{port},[::1]:{port}"),
        ("/etc/haproxy/example.org.pem", certificate.both),
        ("127.0.0.1:8080", f"127.0.0.1:{inner}"),
        ("timeout client  90s", f"timeout client {time_out}"),
        ("timeout server  90s", f"timeout server {time_out}"),
    ]
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        HAPROXY.format(folder=folder, site=recipe("/etc/haproxy/haproxy.cfg", replace=replace))
    )
    variables = {**environment("The environment of the program, behind HAProxy", LISTEN=inner), **variables}
    with Deployed(variables) as server, Front(["haproxy", "-db", "-f", configuration], port) as front:
        yield Deployment(server, front, certificate, folder)


PROXIES = {"nginx": behind_nginx, "haproxy": behind_haproxy}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=PROXIES)
def deploy(request, certificate):
    """Starts the program behind a proxy; both end with the test."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(reachable_folder())
        proxy = functools.partial(PROXIES[request.param], folder, certificate)
        yield lambda **changes: stack.enter_context(proxy(**changes))


@pytest.fixture(scope="module", params=PROXIES)
def deployed(request, certificate):
    """The program behind a proxy, for tests that leave both as they are."""
    with reachable_folder() as folder, PROXIES[request.param](folder, certificate) as deployment:
        yield deployment


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request):
    return request.param


async def test_messages_pings_and_closes_pass(deployed, client):
    async with deployed.client(client) as connection:
        assert re.fullmatch(r"You come from (127\.0\.0\.1|\[::1\]):\d+\.", await connection.receive())
        for size in [0, 1, 125, 126, 65535, 65536, LARGEST]:
            for message in ["é" * (size // 2) + "e" * (size % 2), bytes(range(251)) * (size // 251)]:
                await connection.send(message)
                assert await connection.receive() == message, size
        await connection.ping(b"are you there?")
        assert await connection.close(4321, "on my way") == 4321


async def test_the_servers_close_code_and_reason_pass(deployed, client):
    async with deployed.client(client, "/bye") as connection:
        assert await connection.closed() == (4000, "bye")


async def test_compression_is_agreed_on_by_client_and_server(deployed):
    tls = ssl.create_default_context(cafile=deployed.authority)
    async with websockets.connect(f"wss://localhost:{deployed.port}/echo", ssl=tls, proxy=None) as connection:
        assert "permessage-deflate" in connection.response.headers["Sec-WebSocket-Extensions"]
        await asyncio.wait_for(connection.recv(), DEADLINE)
        for text in ["short", "again and again " * 50_000]:
            await connection.send(text)
            assert await asyncio.wait_for(connection.recv(), DEADLINE) == text


def test_the_server_knows_the_clients_address_and_believes_no_client(deployed):
    with deployed.raw(source="127.0.0.9") as connection:
        claims = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Host": "evil.example", "Forwarded": "for=192.0.2.66"}
        assert connection.upgrade(**claims).status == 101
        assert re.fullmatch(rb"You come from 127\.0\.0\.9:\d+\.", connection.read_frame().payload)


@pytest.mark.parametrize(
    ("origin", "headers", "status"),
    [
        ("https://chat.example:8443", {}, 101),
        ("https://evil.example", {}, 403),
        ("https://app", {}, 403),  # the name of nginx's upstream, which is what its Host says
        ("https://evil.example", {"X-Forwarded-Host": "evil.example"}, 403),
        ("https://evil.example", {"Forwarded": "host=evil.example"}, 403),
    ],
)
def test_pages_come_from_the_host_that_the_client_asked_for(deployed, origin, headers, status):
    with deployed.raw() as connection:
        assert connection.upgrade(host="chat.example:8443", origin=origin, **headers).status == status


def test_pages_are_served(deployed):
    with deployed.raw() as connection:
        connection.send(request(path="/health"))
        response = connection.read_response()
        assert (response.status, response.body) == (200, b'{"state":"running","live":true,"ready":true}\n')


def test_a_silent_connection_lives_on_because_of_the_servers_pings(deploy):
    """A ping each 3 s, and a proxy that waits for 8 s. On a busy machine a pong may come seconds later."""
    deployment = deploy(time_out="8s", IDLE_TIMEOUT="6")
    with deployment.websocket() as connection:
        for _ in range(3):
            ping = connection.read_frame()
            assert ping.opcode == frames.PING
            connection.send_frame(frames.PONG, ping.payload)
        connection.send_frame(frames.TEXT, b"still there?")
        while (frame := connection.read_frame()).opcode == frames.PING:
            connection.send_frame(frames.PONG, frame.payload)
        assert frame.payload == b"still there?"


def test_without_pings_the_proxy_would_cut_it_off(deploy):
    with deploy(time_out="4s").websocket() as connection:
        with contextlib.suppress(ssl.SSLEOFError, ConnectionResetError):
            assert connection.socket.recv(1) == b"", "nothing but the end"


async def test_a_stop_in_order_tells_every_client(deploy):
    deployment = deploy()
    async with contextlib.AsyncExitStack() as clients:
        told = []
        for kind in CLIENTS.values():
            connection = await clients.enter_async_context(deployment.client(kind))
            await connection.receive()
            told.append(connection)
        deployment.server.send_signal(15)
        assert [(await connection.closed())[0] for connection in told] == [1001] * len(told)
    assert await asyncio.to_thread(deployment.server.wait) == 0


def test_nginx_has_to_send_the_upgrade_itself(certificate):
    with reachable_folder() as folder, behind_nginx(folder, certificate, without="$http_upgrade;") as deployment:
        with deployment.raw() as connection:
            assert connection.upgrade().status == 426


def test_haproxy_checks_the_servers_health(certificate):
    def state_of_the_server(folder):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(folder / "stats.sock"))
            control.sendall(b"show stat\n")
            return b"".join(iter(lambda: control.recv(65536), b"")).decode()

    with reachable_folder() as folder, behind_haproxy(folder, certificate) as deployment:
        eventually(lambda: "L7OK" in state_of_the_server(folder), "the check of /health succeeds")
        assert deployment.server.errors.text() == ""
