"""Servers that share their topics over Redis, and clients of theirs that publish, and log what they are told."""

import contextlib
import json
import queue
import random
import threading
import time
from collections import Counter

from support.deadline import DEADLINE, eventually
from support.frames import BINARY, CLOSE, PING, PONG, TEXT
from support.programs import REDIS_PROBE
from support.raw import open_websocket
from support.redis.checker import Gap, Log, Message
from support.server import Server

# Times that are seconds otherwise. A busy machine has to have the time to answer a probe.
QUICKLY = {
    "--redis-probe-interval-ms": 100,
    "--redis-probe-timeout-ms": 800,
    "--redis-connect-timeout-ms": 800,
    "--redis-stop-timeout-ms": 500,
    "--redis-backoff-least-ms": 10,
    "--redis-backoff-most-ms": 200,
    "--redis-linger-ms": 300,
}

# For plays in which Redis does not fall silent: as long as that a busy machine cannot make anybody lose it, or begin
# without it.
PATIENTLY = {
    "--redis-probe-timeout-ms": 60_000,
    "--redis-connect-timeout-ms": 60_000,
    "--redis-starts-alone": 0,
}

OUTCOMES = {b"sent", b"queued", b"dropped", b"closed"}


class Client:
    """A connection to /topics, and what it is told. It publishes by its own name, and announces by its server's."""

    def __init__(self, port, name, journal, *, must_hear=()):
        self.name = name
        self.log = Log(name, must_hear=must_hear, own=name)
        self.outcomes = Counter()
        self.failure = None
        self._journal = journal
        self._answers = queue.Queue()
        self._is_closing = False
        self._order = threading.Lock()
        self._connection = open_websocket(port, "/topics")
        self._connection.socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self):
        self._is_closing = True
        with contextlib.suppress(OSError):
            self._connection.send_frame(CLOSE, b"\x03\xe8")
        self._thread.join(DEADLINE)
        self._connection.socket.close()

    def _read(self):
        try:
            while (frame := self._connection.read_frame()).opcode != CLOSE:
                if frame.opcode == PING:
                    self._connection.send_frame(PONG, frame.payload)
                else:
                    self._take(frame)
        except (OSError, EOFError) as error:
            if not self._is_closing:
                self.failure = f"{self.name} lost its connection: {error}"
        except Exception as error:  # noqa: BLE001 (whatever it is, the test must fail)
            self.failure = f"{self.name}: {error!r}"

    def _take(self, frame):
        now = time.monotonic()
        if frame.payload.startswith(b"!"):
            answer = frame.payload[1:]
            if answer in OUTCOMES:
                self.outcomes[answer.decode()] += 1
            else:
                self._answers.put(answer.decode())
            return
        kind, topic, *rest = frame.payload.split(b" ", 5)
        topic = topic.decode()
        if kind == b"gap":
            self.log.add(topic, Gap(now))
            return
        publisher, number, length, padding = rest
        assert kind == b"m", frame.payload[:100]
        assert len(padding) == int(length), f"{number} of {publisher} was changed"
        assert frame.opcode == opcode_of(int(number)), f"{number} of {publisher} is of the wrong kind"
        self.log.add(topic, Message(publisher.decode(), int(number), now))

    def ask(self, command):
        self._connection.send_frame(TEXT, command.encode())
        return self._answers.get(timeout=DEADLINE)

    def is_live(self, topic):
        return self.ask(f"live {topic}") == f"live {topic} yes"

    def subscribe(self, *topics):
        """From when it returns, it is told what is published anywhere."""
        for topic in topics:
            self.ask(f"subscribe {topic}")
        for topic in topics:
            eventually(lambda: self.is_live(topic), f"{topic} is live at {self.name}")
            self.log.begin(topic)

    def begin_where_live(self, topics):
        """From now on it is to be told of everything in those topics that are live, which are returned."""
        live = [topic for topic in topics if topic not in self.log.topics() and self.is_live(topic)]
        for topic in live:
            self.log.begin(topic)
        return live

    def publish(self, topic, length=10):
        self._publish("publish", self.name, topic, length)

    def announce(self, topic, length=10):
        self._publish("announce", server_of(self.name), topic, length)

    def _publish(self, command, publisher, topic, length):
        with self._order:  # of numbers and of what is sent, on whichever thread
            number = self._journal.note(topic, publisher)
            message = f"{command} {topic} m {topic} {publisher} {number} {length} {'x' * length}"
            self._connection.send_frame(opcode_of(number), message.encode())

    def heard(self, topic, publisher):
        """The numbers of that publisher's messages."""
        return {each.number for each in self.log.entries(topic) if getattr(each, "publisher", None) == publisher}


def opcode_of(number):
    """Messages are of both kinds."""
    return BINARY if number % 5 == 0 else TEXT


def server_of(name):
    """In whose name a client announces."""
    return f"{name}-server"


class Member:
    """One server with two clients, of which one publishes, and the other only listens; both subscribe to all topics."""

    def __init__(self, name, url, journal, *, is_ordered=False, flags=None):
        self.name = name
        self._journal = journal
        self._own = () if is_ordered else (name, server_of(name))
        settings = {"--redis": url, "--redis-ordered": int(is_ordered), **QUICKLY, **(flags or {})}
        self.server = Server([REDIS_PROBE, "--port", 0, *(word for pair in settings.items() for word in pair)])
        self.publisher = self.listener = self.newcomer = None

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, kind, exception, traceback):
        for client in self.clients():
            client.close()
        self.server.__exit__(kind, exception, traceback)

    def connect(self, topics):
        self.publisher = self._client(self.name)
        self.listener = self._client(f"{self.name}-listener")
        for client in self.clients():
            client.subscribe(*topics)

    def _client(self, name):
        return Client(self.server.port, name, self._journal, must_hear=self._own)

    def clients(self):
        return [client for client in (self.publisher, self.listener, self.newcomer) if client is not None]

    def welcome(self, topics):
        """Another client comes, and subscribes, whether that can be live yet or not."""
        self.newcomer = self._client(f"{self.name}-newcomer")
        for topic in topics:
            self.newcomer.ask(f"subscribe {topic}")
        self.newcomer.begin_where_live(topics)

    def stop(self):
        """Returns how many seconds it took."""
        for client in self.clients():
            client.close()
        return self.server.seconds_to_stop()

    def statistics(self):
        with open_websocket(self.server.port, "/redis-statistics") as connection:
            connection.send_frame(TEXT, b"now")
            return json.loads(connection.read_frame().payload)

    def await_joined(self, deadline=DEADLINE):
        eventually(lambda: self.statistics()["is_up"], f"{self.name} has joined the others", deadline)

    def await_alone(self):
        eventually(lambda: not self.statistics()["is_up"], f"{self.name} knows that it is alone")


class Publishing:
    """
    `with Publishing(client, topics, seed):` it publishes something every few milliseconds, by a thread of its own. What
    is awaited is published with these pauses, and more meanwhile, slowly.
    """

    SLOWLY = 0.02

    def __init__(self, client, topics, seed, *, lengths=(0, 30, 200, 3000), pause=0.006):
        self._client = client
        self._topics = topics
        self._random = random.Random(seed)
        self._lengths = lengths
        self._pause = pause
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.count = self._end = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._has_ended.set()
        self._thread.join(DEADLINE)

    def _run(self):
        while not self._has_ended.wait(self._random.uniform(0, 2 * self._pause_now())):
            publish = self._random.choice((self._client.publish, self._client.publish, self._client.announce))
            publish(self._random.choice(self._topics), self._random.choice(self._lengths))
            self.count += 1

    def _pause_now(self):
        return self._pause if self.count < self._end else max(self._pause, self.SLOWLY)

    def begin_more(self, count):
        self._end = self.count + count

    def await_more(self):
        eventually(lambda: self.count >= self._end or not self._thread.is_alive(), "more messages are published")
        assert self._thread.is_alive(), self._client.failure
