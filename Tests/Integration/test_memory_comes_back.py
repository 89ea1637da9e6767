"""After a burst of large messages its memory goes back to the system, even if small pieces stay allocated."""

import os
import resource
import select
import socket
import struct
import zlib
from pathlib import Path

import pytest
from support.deadline import eventually
from support.programs import BENCH, IS_SANITIZED
from support.raw import upgrade_request
from support.server import Server

CONNECTIONS = 1_000
IDLE = 3_000
SIZE = 1_000_000
COMPRESSED_SIZE = 200_000  # takes as long to compress
# Bytes that may remain, in addition to a tenth of the memory before: more than the slots of these connections, and far
# less than malloc would keep of them.
MARGIN = 8 * 1024 * 1024
DEFLATE = "Sec-WebSocket-Extensions", "permessage-deflate"

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer keeps memory for a while after it was freed")


def private_memory(pid):
    """Bytes that are the process's own: proc(5), smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) * 1024


@pytest.fixture(params=BENCH)
def start(request):
    """Starts a server with default malloc settings: the other tests make it trim."""

    def started(*flags):
        program = [BENCH[request.param], "--port", 0, "--max-message", 2 * SIZE, *flags]
        return Server(["env", "-u", "MALLOC_TRIM_THRESHOLD_", "-u", "MALLOC_MMAP_THRESHOLD_", *program])

    return started


def connect(port, *headers):
    """A WebSocket; the socket does not block."""
    plain = upgrade_request().removesuffix(b"\r\n")
    each = socket.create_connection(("127.0.0.1", port))
    each.sendall(plain + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers) + b"\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += each.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    each.setblocking(False)
    return each


def burst(sockets, frame, answered):
    """Sends the frame on all sockets at the same time, in pieces, and reads until each has brought so many bytes."""
    left = {each.fileno(): [each, 0, 0] for each in sockets}
    with select.epoll() as poll:
        for number in left:
            poll.register(number, select.EPOLLIN | select.EPOLLOUT)
        while left:
            for number, events in poll.poll(1):
                each = left[number]
                if events & select.EPOLLOUT:
                    each[1] += each[0].send(frame[each[1] : each[1] + 65_536])
                    if each[1] == len(frame):
                        poll.modify(number, select.EPOLLIN)
                if events & select.EPOLLIN:
                    received = each[0].recv(262_144)
                    assert received, "the server ended a connection"
                    each[2] += len(received)
                    if each[2] >= answered:
                        poll.unregister(number)
                        del left[number]


def plain_frame():
    return b"\x82\xff" + struct.pack("!Q", SIZE) + bytes(4) + bytes(SIZE)


def compressed_frame():
    """Of incompressible bytes, so that the compressed message is large, too."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    payload = (deflate.compress(os.urandom(COMPRESSED_SIZE)) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    return b"\xc2\xff" + struct.pack("!Q", len(payload)) + bytes(4) + payload


@pytest.mark.parametrize("idle", [0, IDLE], ids=["alone", "beside idle ones"])
@pytest.mark.parametrize(
    ("flags", "headers", "make_frame", "size"),
    [((), (), plain_frame, SIZE), (("--deflate", "dedicated"), (DEFLATE,), compressed_frame, COMPRESSED_SIZE)],
    ids=["plain", "dedicated compression"],
)
def test_memory_of_a_burst_comes_back(start, flags, headers, make_frame, size, idle):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with start(*flags) as server:
        # Memory that the first connection causes once does not count for connections.
        first = [connect(server.port, *headers)]
        burst(first, make_frame(), size)
        staying = [connect(server.port) for _ in range(idle)]
        before = private_memory(server.pid)
        leaving = [connect(server.port, *headers) for _ in range(CONNECTIONS)]
        burst(leaving, make_frame(), size)
        for each in leaving:
            each.close()
        limit = before * 1.1 + MARGIN
        eventually(lambda: private_memory(server.pid) <= limit, "what the burst needed is given back")
        for each in first + staying:
            each.close()
