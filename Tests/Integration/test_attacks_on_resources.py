"""Attacks on memory, descriptors and time: each ends with a server that is as it was (support/siege.py)."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import time

import pytest

from support import frames, puppet
from support.deadline import DEADLINE, eventually
from support.frames import BINARY, TEXT, encode
from support.process import address_space, descriptor_count, stopped
from support.programs import BENCH, IS_SANITIZED, PROBE, ROOT
from support.raw import RawConnection, open_websocket, request, upgrade_request
from support.secure import SecurePort
from support.server import Server
from support.siege import MEBIBYTE, besieged, crowd_of, deflated, echo_of, expect_echo, scaled, seconds_for


# Seconds after which a server that still has no descriptors says so again.
TOLD_EVERY = 10

# Within TLS, so much of what a peer does not take yet is encrypted before the kernel takes it: eight records.
ENCRYPTED_AHEAD = 8 * (16 * 1024 + 512)


def test_slow_readers_cost_no_more_than_the_backpressure_limit_each(start_probe):
    server = start_probe("--backpressure-limit", MEBIBYTE)
    readers = 20
    with besieged(server, peak=readers * 3 * MEBIBYTE // 2 + 4 * MEBIBYTE):
        with crowd_of(readers, lambda: open_websocket(server.port, "/burst", receive_buffer=4096)) as slow:
            for connection in slow:
                connection.send_frame(TEXT, b"1000 16384")
            expect_echo(server)
            for connection in slow:  # a byte now and then
                connection.read_exactly(1)
            expect_echo(server)


def test_slow_readers_of_a_large_page_cost_no_copy_of_it(start_probe):
    server = start_probe()
    readers = 100
    encrypted = readers * ENCRYPTED_AHEAD if isinstance(server.port, SecurePort) else 0
    with besieged(server, peak=MEBIBYTE + encrypted):
        with crowd_of(readers, lambda: RawConnection(server.port, receive_buffer=4096)) as slow:
            for connection in slow:
                connection.send(request(path="/large"))
            for connection in slow:
                connection.read_exactly(100)
            expect_echo(server)


def test_peers_that_never_answer_a_close_frame_are_let_go_in_time(start_probe, descriptors_each):
    server = start_probe("--close-timeout-ms", 500)
    with besieged(server), crowd_of(300, lambda: open_websocket(server.port, "/close-me")) as silent:
        before = descriptor_count(server.pid)
        for connection in silent:
            connection.send_frame(TEXT, b"4000 because")

        def see_them_end():
            for connection in silent:
                assert connection.read_close() == (4000, "because")
                connection.expect_end_of_stream()

        assert seconds_for(server, see_them_end) < 5
        left = before - 300 * descriptors_each
        eventually(lambda: descriptor_count(server.pid) <= left, "the server has let go, whatever they do")


def test_peers_that_never_end_their_side_after_an_error_are_let_go_in_time(start_probe, descriptors_each):
    server = start_probe("--close-timeout-ms", 500)
    with besieged(server), crowd_of(300, lambda: open_websocket(server.port)) as silent:
        before = descriptor_count(server.pid)
        for connection in silent:
            connection.send_frame(TEXT, b"hello", key=None)
        for connection in silent:
            assert connection.read_close()[0] == 1002
            connection.expect_end_of_stream()
        left = before - 300 * descriptors_each

        def await_letting_go():
            eventually(lambda: descriptor_count(server.pid) <= left, "the server has let go, whatever they do")

        assert seconds_for(server, await_letting_go) < 5


def test_connections_that_are_kept_alive_for_nothing_are_ended(start_probe):
    server = start_probe("--keep-alive-timeout-ms", 1_000, "--handshake-timeout-ms", 60_000)
    with besieged(server), crowd_of(300, lambda: RawConnection(server.port)) as idle:
        for connection in idle:
            connection.send(request(path="/plain"))
        for connection in idle:
            assert connection.read_response().status == 200
            connection.expect_end_of_stream()


@pytest.mark.not_within_tls("who is not accepted cannot agree on TLS; the wait is the same")
@pytest.mark.not_in_memory("a bridge in the same process takes the descriptors first, and cannot wait for more")
def test_without_descriptors_clients_wait_and_are_served_when_others_leave(start_probe):
    server = start_probe("--handshake-timeout-ms", 60_000)
    limit = 100
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
    start = time.monotonic()
    with besieged(server):
        with crowd_of(limit * 3, lambda: RawConnection(server.port)) as crowd:
            eventually(lambda: descriptor_count(server.pid) == limit, "the descriptors are used up")
            for _ in range(scaled(500)):  # they wait, and leave again
                RawConnection(server.port).reset()
            for connection in crowd:
                connection.send(upgrade_request())
            served = crowd[0]
            assert served.read_response().status == 101
            assert echo_of(served) == b"still there?"
            # Each is served in the end, in any order in which the others leave.
            for connection in crowd[1:]:
                assert connection.read_response().status == 101
                connection.reset()
        # What it has said long ago is gathered by a thread of its own.
        told = server.errors.wait_for(lambda lines: [line for line in lines if "no file descriptors left" in line])
        assert 1 <= len(told) <= 1 + (time.monotonic() - start) / TOLD_EVERY, told


@pytest.mark.not_in_memory("a bridge is stopped with its process: what is sent meanwhile comes to the server after it")
def test_a_server_that_was_stopped_for_a_while_answers_all_that_was_sent_meanwhile(start_probe):
    server = start_probe("--handshake-timeout-ms", 3000)
    # Nobody can agree on TLS with a server that is stopped.
    new = 0 if isinstance(server.port, SecurePort) else 50
    with besieged(server), crowd_of(50, lambda: open_websocket(server.port)) as crowd:
        before_the_head = RawConnection(server.port)
        expect_echo(server)  # so that connection has been accepted, and its time runs
        with stopped(server.pid):
            for number, connection in enumerate(crowd):
                connection.send_frame(TEXT, f"from {number}".encode())
            newcomers = [RawConnection(server.port) for _ in range(new)]
            for connection in [before_the_head, *newcomers]:
                connection.send(upgrade_request() + encode(TEXT, b"hello"))
            for connection in newcomers[40:]:
                connection.reset()
            time.sleep(3.5)  # longer than a handshake may take, though it took none
        for number, connection in enumerate(crowd):
            assert connection.read_frame() == frames.Frame(TEXT, f"from {number}".encode())
        for connection in [before_the_head, *newcomers[:40]]:
            assert connection.read_response().status == 101
            assert connection.read_frame() == frames.Frame(TEXT, b"hello")
            connection.reset()


@contextlib.contextmanager
def puppet_of(port):
    path = {"PYTHONPATH": str(ROOT / "Tests/Integration")}
    authority = [port.authority] if isinstance(port, SecurePort) else []
    command = [sys.executable, puppet.__file__, str(int(port)), *authority]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **path})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_client_that_is_stopped_for_a_while_misses_messages_and_nobody_else_does(start_probe):
    server = start_probe("--backpressure-limit", MEBIBYTE)
    with besieged(server, peak=6 * MEBIBYTE), open_websocket(server.port, "/chat") as speaker:
        with puppet_of(server.port) as listener:
            assert speaker.read_frame().payload == b"User: here"
            with stopped(listener.pid):
                for start in range(0, 20_000, 100):
                    said = [f"{number} {'x' * 900}".encode() for number in range(start, start + 100)]
                    speaker.send(b"".join(encode(TEXT, text) for text in said))
                    for text in said:
                        assert speaker.read_frame().payload == b"User: " + text
                expect_echo(server)
            # The end may be dropped, too, until the waiting output has been read.
            end = time.monotonic() + DEADLINE
            while listener.poll() is None:
                assert time.monotonic() < end, "the listener never heard the end"
                assert echo_of(speaker, b"end") == b"User: end"
                time.sleep(0.02)
            told = json.loads(listener.stdout.read())
    assert told["is_ordered"]
    assert 100 < told["received"] < 20_000, told


def send_half_messages(connection):
    connection.send(encode(BINARY, bytes(400_000), fin=False))


def send_much_and_read_nothing(connection):
    # More than the kernel buffers for a peer that does not read (tcp_wmem): the rest waits in the server.
    connection.send(encode(BINARY, bytes(500_000)) * 20)


def send_a_compressed_message(connection):
    connection.send(encode(TEXT, deflated([b"a message that is long enough to be compressed " * 50]), reserved=4))


def has_ended(connection):
    connection.socket.settimeout(0.01)
    try:
        while connection.socket.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


NEEDS_MEMORY = {
    "messages that are half there": (PROBE, (), send_half_messages),
    "echoes that are not read": (PROBE, (), send_much_and_read_nothing),
    "contexts of compression": (BENCH["c"], ("--deflate", "dedicated"), send_a_compressed_message),
}


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes terabytes of address space, which cannot be limited")
@pytest.mark.parametrize(("program", "flags", "spend"), NEEDS_MEMORY.values(), ids=NEEDS_MEMORY)
def test_without_memory_connections_end_and_the_server_goes_on(program, flags, spend):
    extension = "permessage-deflate" if flags else None
    with Server([program, "--port", 0, *flags]) as server:
        with besieged(server, kept=8 * MEBIBYTE):
            most = address_space(server.pid) + 2 * MEBIBYTE
            resource.prlimit(server.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
            with contextlib.ExitStack() as crowd:
                clients = [crowd.enter_context(RawConnection(server.port, receive_buffer=4096)) for _ in range(200)]
                for connection in clients:
                    connection.socket.settimeout(0.05)
                    with contextlib.suppress(TimeoutError, ConnectionError):
                        connection.send(upgrade_request(sec_websocket_extensions=extension))
                        spend(connection)
                eventually(lambda: any(has_ended(connection) for connection in clients), "memory runs out")
                assert server.is_running
                resource.prlimit(server.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def begin_or_fail(port, spend):
    """A connection within TLS that spends memory; None where there was not enough for its handshake."""
    try:
        connection = RawConnection(port, receive_buffer=4096)
    except OSError:  # of which ssl's are
        return None
    connection.socket.settimeout(0.05)
    with contextlib.suppress(OSError):
        connection.send(upgrade_request())
        spend(connection)
    return connection


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes terabytes of address space, which cannot be limited")
@pytest.mark.parametrize("spend", [send_half_messages, send_much_and_read_nothing], ids=["messages", "echoes"])
def test_without_memory_handshakes_of_tls_fail_and_the_server_goes_on(start_secure, spend):
    server = start_secure()
    with besieged(server, kept=8 * MEBIBYTE):
        most = address_space(server.pid) + 2 * MEBIBYTE
        resource.prlimit(server.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        with contextlib.ExitStack() as crowd:
            for _ in range(200):
                connection = begin_or_fail(server.port, spend)
                if connection is None:
                    break
                crowd.enter_context(connection)
            assert connection is None, "memory never runs out"
            assert server.is_running
            resource.prlimit(server.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            expect_echo(server)
