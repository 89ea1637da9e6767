"""The guide's units of systemd: checked by systemd, and run by it; no connection is refused while the program restarts."""

import contextlib
import grp
import shutil
import signal
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest
import websockets
from websockets.sync.client import connect

from support import frames
from support.deadline import DEADLINE, eventually
from support.deployment import (
    Deployed,
    UnixConnection,
    command,
    free_port,
    put_program,
    reachable_folder,
    recipe,
    static_program,
)
from support.programs import DEPLOYED, IS_SANITIZED
from support.raw import RawConnection, open_websocket, upgrade_request
from support.systemd import own_systemd, why_not

ENABLE = "systemctl enable --now app.socket app.service"


def write_units(folder, port, program="/usr/local/bin/app"):
    units = {
        "/etc/systemd/system/app.socket": ("ListenStream=8080", f"ListenStream={port}"),
        "/etc/systemd/system/app.service": ("/usr/local/bin/app", program),
    }
    written = [folder / Path(unit).name for unit in units]
    for path, (unit, change) in zip(written, units.items(), strict=True):
        path.write_text(recipe(unit, replace=[change]))
    return written


def is_greeted(connection):
    return connection.read_frame().payload.startswith(b"You come from 127.0.0.1:")


@contextlib.contextmanager
def member_told_to_leave(port):
    """A client that answers a close frame at once: it stays until the server closes, with 1001."""
    with connect(f"ws://127.0.0.1:{port}/echo", proxy=None) as member:
        member.recv(DEADLINE)
        yield
        with pytest.raises(websockets.ConnectionClosed):
            member.recv(DEADLINE)
        assert member.close_code == 1001


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
def test_systemd_understands_every_line_of_the_units(tmp_path):
    units = write_units(tmp_path, 8080, program=DEPLOYED)
    result = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=50)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="there is no systemd")
def test_the_program_takes_the_socket_that_another_listens_on():
    port = free_port()
    activate = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--setenv=LISTEN=activated", DEPLOYED]
    # The first connection makes it become the program; then it catches signals.
    with Deployed({"LISTEN": "activated"}, activate, port) as server, open_websocket(port) as connection:
        assert is_greeted(connection)
        connection.send_frame(frames.TEXT, b"hello")
        assert connection.read_frame().payload == b"hello"
        server.send_signal(signal.SIGTERM)
        assert connection.read_close()[0] == 1001


class Newcomers:
    """Clients that connect one after the other, on a thread, until the test has seen enough."""

    def __init__(self, port):
        self.port = port
        self.served = self.ended_with_the_program = 0
        self.failures = []
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._come)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._has_ended.set()
        self._thread.join(DEADLINE)

    def _come(self):
        while not self._has_ended.is_set():
            try:
                self._visit()
            except OSError as error:
                self.failures.append(error)

    def _visit(self):
        """Fails if the connection is refused; one that the program had taken when it stopped may be ended by it."""
        with RawConnection(self.port) as connection:
            try:
                connection.send(upgrade_request())
                if connection.read_response().status == 101 and is_greeted(connection):
                    self.served += 1
                else:
                    self.ended_with_the_program += 1
            except (EOFError, ConnectionError):
                self.ended_with_the_program += 1


@pytest.fixture(scope="module")
def systemd():
    """Runs the guide's units and program; the port of the socket, too."""
    if IS_SANITIZED:
        pytest.skip("the program is built as users build it")
    if reason := why_not():
        pytest.skip(reason)
    port = free_port()
    with reachable_folder() as folder:
        write_units(folder, port)
        put_program(folder / "app", static_program("swift build -c release --static-swift-stdlib"))
        with own_systemd(folder) as systemd:
            systemd.run(*command(ENABLE))
            yield systemd, port


def test_systemd_starts_the_program_and_ends_it_in_order(systemd):
    systemd, port = systemd
    with member_told_to_leave(port):
        systemd.run("systemctl", "stop", "app.socket", "app.service")
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), DEADLINE)
        raise AssertionError("without its socket's unit nobody listens")
    systemd.run("systemctl", "start", "app.socket")
    with open_websocket(port) as connection:
        assert is_greeted(connection), "the first client starts the program"


def test_no_connection_is_refused_while_the_program_restarts(systemd):
    systemd, port = systemd
    systemd.run("systemctl", "start", "app.service")
    with member_told_to_leave(port), Newcomers(port) as newcomers:
        for _ in range(3):
            before, served = systemd.main_pid("app.service"), newcomers.served
            systemd.run("systemctl", "restart", "app.service")
            assert systemd.main_pid("app.service") not in (0, before)
            eventually(lambda: newcomers.served > served + 1, "who comes after the restart is served")
    assert newcomers.failures == []
    assert newcomers.ended_with_the_program < newcomers.served


def test_a_program_that_fails_is_started_again(systemd):
    systemd, port = systemd
    systemd.run("systemctl", "start", "app.service")
    before = systemd.main_pid("app.service")
    systemd.run("kill", "-KILL", str(before))
    eventually(lambda: systemd.main_pid("app.service") not in (0, before), "it was started again")
    with open_websocket(port) as connection:
        assert is_greeted(connection)


def test_behind_nginx_the_socket_is_a_file_of_nginxs_group(systemd):
    """The last one: it changes the units. A connection as nginx makes it, by its header."""
    systemd, _ = systemd
    for name in ["/etc/systemd/system/app.socket.d/nginx.conf", "/etc/systemd/system/app.service.d/nginx.conf"]:
        systemd.write(name, recipe(name))
    systemd.run("systemctl", "stop", "app.socket", "app.service")
    systemd.run("systemctl", "daemon-reload")
    systemd.run("systemctl", "start", "app.socket")
    path = systemd.path("/run/app/app.sock")
    assert stat.filemode(path.stat().st_mode) == "srw-rw----"
    assert grp.getgrgid(path.stat().st_gid).gr_name == "www-data"
    with UnixConnection(path) as connection:
        connection.send(upgrade_request(x_forwarded_for="192.0.2.7"))
        assert connection.read_response().status == 101
        assert connection.read_frame().payload == b"You come from 192.0.2.7:0."
