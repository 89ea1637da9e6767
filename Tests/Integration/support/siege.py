"""What must hold after every attack: the server answers others at once, its pages too, and has freed all that it used."""

import contextlib
import os
import re
import resource
import socket
import time
import zlib

from support import frames
from support.deadline import eventually
from support.frames import TEXT
from support.process import (
    descriptor_count,
    descriptors_without_clients,
    has_bridge,
    peak_memory,
    reset_peak_memory,
    resident_memory,
    seconds_without_a_core,
)
from support.programs import IS_SANITIZED, ROOT
from support.raw import RawConnection, open_websocket, request
from support.secure import SecurePort

MEBIBYTE = 1024 * 1024

# Freed memory that the allocator may keep; with a sanitizer, its quarantine and its records of all allocations.
KEPT = (26 if IS_SANITIZED else 3) * MEBIBYTE

# What a bridge (servers/bridge.h) has of the bytes of 100 connections, in buffers of up to twice their length. A
# sanitizer keeps more besides: what one thread allocates, and another frees, is in the caches of both.
BRIDGED = 100 * 2 * 2 * 8000
KEPT_BESIDES = 8 * MEBIBYTE if IS_SANITIZED else 0

# What a connection within TLS costs besides, while it is opened or its bytes are on their way: keys, and two records.
# Of what is freed, glibc may keep all that lies below something that is not.
SECURED = 64 * 1024
SECURED_KEPT = (128 if IS_SANITIZED else 16) * 1024

# Seconds in which a newcomer has to be served while the attack's remains are still there.
PATIENCE = 1.0


def scaled(count):
    """So many of something; fewer where each costs far more."""
    return max(count // 5, 1) if IS_SANITIZED else count


def echo_of(connection, message=b"still there?"):
    """The answer of an echo route, or of one that answers, to this message."""
    connection.send_frame(TEXT, message)
    return connection.read_frame().payload


def seconds_for(server, act):
    """How long something takes this process and the server; what other programs take of the machine does not count."""
    pids = (server.pid, os.getpid())
    others = seconds_without_a_core(*pids)
    start = time.monotonic()
    act()
    return time.monotonic() - start - (seconds_without_a_core(*pids) - others)


def expect_echo(server):
    """A newcomer connects, and has its echo, in time."""

    def come():
        with open_websocket(server.port) as newcomer:
            assert echo_of(newcomer) == b"still there?"

    waited = seconds_for(server, come)
    assert waited < PATIENCE, f"a newcomer waited {waited:.2f} s for its echo"


# Of every kind: kept in memory, made on a loop, by a worker and later, files, and those for operators.
PAGES = {
    "/plain": b"plain text\n",
    "/made/1": b'{"id": "1", "query": "", "secure": false}\n',
    "/made-by-worker/1": b'{"id": "1", "query": "", "secure": false}\n',
    "/made-later": b"later\n",
    "/files/tap.py": (ROOT / "Tests/Integration/clients/tap.py").read_bytes(),
    "/health": b'{"state":"running","live":true,"ready":true}\n',
    "/health/live": b'{"state":"running","live":true,"ready":true}\n',
    "/metrics": None,
}


def expect_pages(server):
    """A newcomer gets each page whole, in time, where the server has them all."""

    def come():
        with RawConnection(server.port) as newcomer:
            newcomer.send(b"".join(request(path=path) for path in PAGES))
            for path, expected in PAGES.items():
                response = newcomer.read_response()
                assert response.status == 200, path
                assert response.body == expected if expected is not None else b"\njazzy_build_info{" in response.body

    if "--folder" in server.flags:
        waited = seconds_for(server, come)
        assert waited < PATIENCE, f"a newcomer waited {waited:.2f} s for the pages"


@contextlib.contextmanager
def besieged(server, *, peak=None, kept=KEPT):
    """
    The body is the attack. Afterwards a new client must be served within a second, and memory and descriptors must be
    as before. `peak`: how many additional bytes the server may use meanwhile.
    """
    expect_echo(server)
    expect_pages(server)
    # Their connections may not be gone yet, and are none of the attack's. A bridge has more than a socket of each.
    descriptors_without_clients(server.pid)
    descriptors = settled(lambda: descriptor_count(server.pid))
    memory = resident_memory(server.pid)
    reset_peak_memory(server.pid)
    is_bridged = has_bridge(server.pid)
    is_secure = isinstance(server.port, SecurePort)
    if is_secure:
        server.port.reset_most()
    yield
    assert server.is_running, f"the server is gone: {server.errors.text()}"
    expect_echo(server)
    expect_pages(server)
    if peak is not None:
        grown = peak_memory(server.pid) - memory
        allowed = peak + (KEPT if IS_SANITIZED else 0) + (BRIDGED + KEPT_BESIDES if is_bridged else 0)
        allowed += server.port.most * SECURED if is_secure else 0
        assert grown <= allowed, f"the server grew by {grown} bytes, more than {allowed}"
    # Fewer, if the first client's was among them, because the machine stood still.
    eventually(lambda: descriptor_count(server.pid) <= descriptors, "every descriptor is given back")
    most = memory + kept + (KEPT_BESIDES if is_bridged else 0) + (server.port.most * SECURED_KEPT if is_secure else 0)
    eventually(lambda: resident_memory(server.pid) <= most, "the memory is given back")


def settled(measure, quiet=0.05):
    """Measures until the value has not changed for a while."""
    last, since = measure(), time.monotonic()

    def is_quiet():
        nonlocal last, since
        now = measure()
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since >= quiet

    eventually(is_quiet, "the measure settles")
    return last


def allow_many_descriptors(*pids):
    """As many as the machine gives, for this process and these."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))


@contextlib.contextmanager
def crowd_of(count, connect):
    """So many connections, which all are gone at the end, with a reset: closing would use up this machine's ports."""
    connections = []
    try:
        for _ in range(count):
            connections.append(connect())
        yield connections
    finally:
        for connection in connections:
            if connection.socket.fileno() >= 0:
                connection.reset()


def statuses_of(port, data):
    """The status codes of all responses to these bytes, to the end of the stream."""
    received = bytearray()
    with RawConnection(port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(data)
            connection.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.socket.recv(1 << 16):
                received += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def deflated(chunks):
    """A message as permessage-deflate has it, RFC 7692 §7.2.1."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(compressor.compress(chunk) for chunk in chunks) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


def send_until_refused(connection, data, most, pause=0.0):
    """Sends the same bytes again and again, until the server ends the connection or `most` bytes are sent."""
    sent = 0
    try:
        while sent < most:
            sent += connection.socket.send(data)
            if pause:
                time.sleep(pause)
    except (ConnectionError, TimeoutError):
        pass
    return sent


def close_code_of(connection):
    """The code of the server's final close frame; earlier frames are skipped."""
    while (frame := connection.read_frame()).opcode != frames.CLOSE:
        pass
    return frames.close_code(frame)[0]
