"""Clients that continue in a topic with history, over several servers, and what must be true of their logs."""

import contextlib
import json
import random
import threading
import time

from support.deadline import DEADLINE
from support.frames import CLOSE, PING, PONG, TEXT, encode
from support.raw import open_websocket

# The epoch of who begins where nobody knows where the topic is: its positions are none, and nobody recovers there.
NOWHERE = "0" * 16

# What a client does when it has read for a while, or is told to come back.
WAYS_TO_LEAVE = ("closes", "resets", "ends within a frame", "stays")


class Ledger:
    """What is known of all positions: one means one message, whoever was told."""

    def __init__(self):
        self._lock = threading.Lock()
        self._messages = {}
        self.complaints = []
        self.recovered = self.not_recovered = self.received = 0

    def begin(self, name, since, told):
        """A subscription that asked for `since`, a pair or None, has begun as it was told. Returns where it is."""
        position = (told["epoch"], told["offset"])
        with self._lock:
            if told["recovered"]:
                self.recovered += 1
                if since != position or told["epoch"] == NOWHERE:
                    self.complaints.append(f"{name} asked for {since}, and has recovered at {position}")
            else:
                self.not_recovered += since is not None
                if told["count"]:
                    self.complaints.append(f"{name} has not recovered, and gets {told['count']} old messages")
        return position

    def take(self, name, position, text):
        with self._lock:
            self.received += 1
            if position[0] == NOWHERE:
                return
            known = self._messages.setdefault(position, text)
            if known != text:
                self.complaints.append(f"at {position} {name} has {text[:40]}, and others have {known[:40]}")

    def check(self, name, texts):
        """Of what a client has got without having to begin anew: nothing twice, and each publisher's in its order."""
        last = {}
        for text in texts:
            publisher, number = text.split(" ")[1:3]
            if int(number) <= last.get(publisher, 0):
                self.complaints.append(f"{name} has {publisher}'s {number} behind {last[publisher]}")
            last[publisher] = max(int(number), last.get(publisher, 0))


class Resumer:
    """A client that comes, continues, reads, and leaves, again and again, at any of the ports."""

    def __init__(self, name, ports, topic, ledger, seed):
        self.name = name
        self.failure = None
        self.position = None
        self.last = None
        self._ports = ports
        self._topic = topic
        self._ledger = ledger
        self._random = random.Random(seed)
        self._texts = []
        self._has_ended = threading.Event()
        self.is_calm = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def end(self):
        self._has_ended.set()
        self._thread.join(DEADLINE)
        self._ledger.check(self.name, self._texts)
        assert not self._thread.is_alive(), f"{self.name} hangs"

    def _run(self):
        while not self._has_ended.is_set() and self.failure is None:
            try:
                self._visit()
            except (OSError, EOFError, AssertionError):
                time.sleep(0.02)  # the server is away, or was killed
            except Exception as error:  # noqa: BLE001 (whatever it is, the test must fail)
                self.failure = f"{self.name}: {error!r}"

    def _visit(self):
        connection = open_websocket(self._random.choice(self._ports), "/topics")
        try:
            connection.socket.settimeout(DEADLINE)
            since = self.position
            words = ["resume", self._topic, *([f"{since[0]}:{since[1]}"] if since is not None else [])]
            if self._random.random() < 0.05:
                words = ["resume", self._topic, f"{self._random.getrandbits(64):016x}:5"]  # of nobody
                since = None
            connection.send_frame(TEXT, " ".join(words).encode())
            told = self._next(connection)
            if told is None:
                return
            told = json.loads(told)
            position = self._ledger.begin(self.name, since, told)
            if not told["recovered"]:
                self._ledger.check(self.name, self._texts)
                self._texts = []
            self.position = position
            self._read(connection, self._random.choice((0, 0.02, 0.1, 0.4)))
        finally:
            connection.socket.close()

    def _read(self, connection, seconds):
        end = time.monotonic() + seconds
        while not self._has_ended.is_set() and (self.is_calm.is_set() or time.monotonic() < end):
            if not connection.has_more(0.05):
                continue
            text = self._next(connection)
            if text is None:
                return
            epoch, offset = self.position
            self.position = (epoch, offset + 1)
            self._ledger.take(self.name, self.position, text)
            self._texts.append(text)
            self.last = text
        self._leave(connection)

    def _leave(self, connection):
        way = self._random.choice(WAYS_TO_LEAVE)
        if way == "closes":
            connection.send_frame(CLOSE, b"\x03\xe8")
        elif way == "resets":
            connection.reset()
        elif way == "ends within a frame":
            connection.socket.sendall(encode(TEXT, b"unknown")[:-3])

    @staticmethod
    def _next(connection):
        """The next text; None: the server has closed the connection."""
        while True:
            frame = connection.read_frame()
            if frame.opcode == CLOSE:
                return None
            if frame.opcode == PING:
                connection.send_frame(PONG, frame.payload)
            elif not frame.payload.startswith(b"!"):
                return frame.payload.decode()


class Publisher:
    """Publishes numbered messages through any of the servers, one after the other; a lost one is not its concern."""

    def __init__(self, name, ports, topic, ledger, seed):
        self.name = name
        self.count = 0
        self._ports = ports
        self._topic = topic
        self._ledger = ledger
        self._random = random.Random(seed)
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def end(self):
        self._has_ended.set()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), f"{self.name} hangs"

    def _run(self):
        visit = 0
        while not self._has_ended.is_set():
            visit += 1
            # Another name for each connection: what is on its way from an old one may come later.
            with contextlib.suppress(OSError, EOFError, AssertionError):
                self._visit(f"{self.name}-{visit}")
            time.sleep(0.02)

    def _visit(self, name):
        connection = open_websocket(self._random.choice(self._ports), "/topics")
        try:
            for number in range(1, self._random.choice((20, 100, 400))):
                if self._has_ended.is_set():
                    return
                padding = "x" * self._random.choice((0, 10, 10, 100, 3000))
                connection.send_frame(TEXT, f"publish {self._topic} m {name} {number} {padding}".encode())
                connection.read_frame()
                self.count += 1
                if self._random.random() < 0.5:
                    time.sleep(self._random.uniform(0, 0.004))
        finally:
            connection.socket.close()
