"""A proxy between a server and Redis that cuts connections, even within a reply, holds bytes back, or loses them."""

import contextlib
import socket
import struct
import threading

from support.deadline import DEADLINE
from support.deployment import free_port
from support.redis.resp import encode

COMMANDS, REPLIES = "commands", "replies"

# A reset (RST) instead of an orderly end (FIN).
ABRUPTLY = struct.pack("ii", 1, 0)


def split_commands(data):
    """The whole commands that bytes begin with, each with its first word, and the rest."""
    commands, position = [], 0
    while (found := _end_of_command(data, position)) is not None:
        end, word = found
        commands.append((word, data[position:end]))
        position = end
    return commands, data[position:]


def _end_of_command(data, position):
    line_end = data.find(b"\r\n", position)
    if line_end < 0:
        return None
    count, position, first = int(data[position + 1 : line_end]), line_end + 2, None
    for _ in range(count):
        line_end = data.find(b"\r\n", position)
        if line_end < 0:
            return None
        length = int(data[position + 1 : line_end])
        end = line_end + 2 + length + 2
        if end > len(data):
            return None
        first = first or data[line_end + 2 : end - 2].upper()
        position = end
    return position, first


class Link:
    """One connection through the proxy: two threads, one for each direction."""

    def __init__(self, proxy, client, server):
        self._proxy = proxy
        self._sockets = {COMMANDS: (client, server), REPLIES: (server, client)}
        self._replies_left = None
        self._lock = threading.Lock()
        self.is_subscribed = False
        self._may_reply = threading.Event()
        self._may_reply.set()
        self._threads = [threading.Thread(target=self._pump, args=(way,), daemon=True) for way in self._sockets]
        for thread in self._threads:
            thread.start()

    def cut_after(self, count):
        """So many more bytes of replies pass, and then the connection ends, for both."""
        with self._lock:
            self._replies_left = count

    def deafen(self):
        """No reply passes any more. That it ends is not hidden."""
        self._may_reply.clear()

    def end(self):
        self._may_reply.set()
        for each in self._sockets[COMMANDS]:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)
                each.shutdown(socket.SHUT_RDWR)  # also wakes the thread that reads it
            each.close()

    @property
    def has_ended(self):
        return not any(thread.is_alive() for thread in self._threads)

    def join(self):
        for thread in self._threads:
            thread.join(DEADLINE)

    def _pump(self, way):
        source, sink = self._sockets[way]
        kept = b""
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                self._proxy.await_flow(way)
                if way == REPLIES:
                    self._may_reply.wait(DEADLINE)
                if way == COMMANDS:
                    data, kept = self._rewrite(kept + data)
                elif (left := self._count_replies(len(data))) is not None:
                    sink.sendall(data[:left])
                    break
                sink.sendall(data)
        self.end()

    def _count_replies(self, count):
        """How many of them still pass, where the connection is to be cut within these."""
        with self._lock:
            if self._replies_left is None:
                return None
            left = self._replies_left
            self._replies_left = max(0, left - count)
            return left if left <= count else None

    def _rewrite(self, data):
        if data[:1] != b"*":  # TLS
            return data, b""
        refusal = self._proxy.refusal
        commands, rest = split_commands(data)
        self.is_subscribed |= any(word == b"SUBSCRIBE" for word, _ in commands)
        if refusal is None:
            return b"".join(command for _, command in commands), rest
        # Redis itself answers, in order, with the error that this script returns.
        instead = encode("EVAL", f"return redis.error_reply('{refusal}')", 0)
        return b"".join(instead if word == b"PUBLISH" else command for word, command in commands), rest


def _listening():
    """A socket that listens on a free port."""
    while True:
        with contextlib.suppress(OSError):  # somebody else was faster
            return socket.create_server(("127.0.0.1", free_port()), backlog=128)


class Proxy:
    """`with Proxy(port) as proxy`: connections to proxy.port reach that port, except for the faults."""

    def __init__(self, target):
        self.target = target
        self.refusal = None
        self._flow = {COMMANDS: threading.Event(), REPLIES: threading.Event()}
        self._links = []
        self._lock = threading.Lock()
        self._listener = _listening()
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.flow()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.flow()
        self._thread.join(DEADLINE)
        self.cut()
        for link in self._links:
            link.join()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.await_flow(COMMANDS)
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._links.append(Link(self, client, server))

    def await_flow(self, way):
        """However long it takes: what is held back would pass else while a test waits for that to be noticed."""
        self._flow[way].wait()

    def hold(self, *ways):
        """Nothing passes any more, or none of these (COMMANDS, REPLIES), and nobody is told by an end or a reset."""
        for way in ways or self._flow:
            self._flow[way].clear()

    def flow(self):
        """What was held back passes after all."""
        for event in self._flow.values():
            event.set()

    def lose(self):
        """The same as flow, for new connections; what was held back is lost, and its connections end."""
        self.cut()
        self.flow()

    def cut(self, after=None, *, subscribed=None):
        """
        Ends all connections, or only the subscribed ones, or only the others, with a reset: now, or when so many more
        bytes of replies have passed. Returns them.
        """
        links = self._links_that_are(subscribed)
        for link in links:
            if after is None:
                link.end()
            else:
                link.cut_after(after)
        return links

    def deafen(self):
        """Nothing that is published reaches the subscribed connections there are, which do not end."""
        for link in self._links_that_are(subscribed=True):
            link.deafen()

    def _links_that_are(self, subscribed):
        with self._lock:
            return [each for each in self._links if subscribed is None or each.is_subscribed == subscribed]

    @contextlib.contextmanager
    def refusing(self, error):
        """Redis takes no PUBLISH meanwhile, and answers each with this error."""
        self.refusal = error
        try:
            yield
        finally:
            self.refusal = None
