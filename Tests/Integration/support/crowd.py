"""Very many connections of one process: plain sockets and one epoll, lighter than a client library's objects."""

import contextlib
import select
import socket
import time

from support import frames
from support.raw import upgrade_request

# How many handshakes are under way at once: well below any listener's backlog.
BATCH = 1000


class Crowd(contextlib.AbstractContextManager):
    """`path_of` leads each connection, by its number, to a path."""

    def __init__(self, port, count, deadline, path_of=lambda number: "/echo"):
        self._address = ("127.0.0.1", port)
        self._count = count
        self._path_of = path_of
        self._end = time.monotonic() + deadline
        self._sockets = {}
        self._epoll = select.epoll()

    def __exit__(self, *_):
        for each in self._sockets.values():
            each.close()
        self._epoll.close()

    def open(self):
        """Opens all connections; returns how many were answered with 101."""
        opened = 0
        while len(self._sockets) < self._count:
            first = len(self._sockets)
            batch = [self._connect() for _ in range(min(BATCH, self._count - first))]
            for count, number in enumerate(batch, first):
                self._sockets[number].send(upgrade_request(self._path_of(count)))
            answers = self._gather(batch, lambda data: data.endswith(b"\r\n\r\n"))
            opened += sum(answer.startswith(b"HTTP/1.1 101 ") for answer in answers.values())
        return opened

    def echo(self):
        """Sends one message on each connection, all of them different; returns how many came back as they went."""
        messages = {number: f"connection {number}".encode() for number in self._sockets}
        for number, message in messages.items():
            self._sockets[number].send(frames.encode(frames.TEXT, message))
        answers = self._gather(messages, lambda data: len(data) >= 2 and len(data) == 2 + data[1])
        return sum(answers[number] == bytes([0x81, len(message)]) + message for number, message in messages.items())

    def close(self):
        """Closes all connections; returns how many answered with a close frame of the same code and then ended."""
        for each in self._sockets.values():
            each.send(frames.encode_close(1000))
        answers = self._gather(self._sockets, None)
        for each in self._sockets.values():
            each.close()
        self._sockets.clear()
        return sum(answer == b"\x88\x02\x03\xe8" for answer in answers.values())

    def _connect(self):
        each = socket.create_connection(self._address, self._end - time.monotonic())
        each.setblocking(False)
        self._sockets[each.fileno()] = each
        return each.fileno()

    def _gather(self, numbers, is_complete):
        """Receives on each of these sockets until the condition holds; without one, until the stream ends."""
        received = {number: bytearray() for number in numbers}
        waiting = set(numbers)
        for number in waiting:
            self._epoll.register(number, select.EPOLLIN)
        while waiting:
            remaining = self._end - time.monotonic()
            assert remaining > 0, f"{len(waiting)} of {len(received)} connections still wait for the server"
            for number, _ in self._epoll.poll(remaining, BATCH):
                data = self._sockets[number].recv(4096)
                received[number] += data
                if not data or (is_complete and is_complete(received[number])):
                    self._epoll.unregister(number)
                    waiting.discard(number)
        return received
