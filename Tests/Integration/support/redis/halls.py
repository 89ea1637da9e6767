"""Servers whose topics have members, over Redis; members, and watches that add up what they are told of them."""

import contextlib
import json
import os
import re
import signal
import sys
import threading
import time

from support.deadline import DEADLINE, eventually
from support.deployment import free_port
from support.frames import CLOSE, PING, PONG, TEXT
from support.process import is_stopped
from support.programs import REDIS_PROBE
from support.raw import open_websocket
from support.redis.members import QUICKLY
from support.server import Server

ROOM = "room"

# Seconds. A server says that it lives every 3 s; who is silent for 12 s is gone, and whoever was its member is, too.
BEAT = 3
SILENCE = 12
GHOSTS_AT_MOST = 15

# Seconds until all know who is there, whatever has happened, on a busy machine.
PATIENCE = 30


class Hall:
    """`with Hall(url) as hall`: a server. It may end in any way, and be started again on its port."""

    def __init__(self, url, *, name="", flags=None):
        self.name = name
        own = {"--stop-timeout-ms": 300, "--conceal-gaps": 1}  # so that members are told nothing but answers
        # On a busy machine Redis may not have answered in time when a server starts.
        self._settings = {"--redis": url, "--redis-starts-alone": 1, **QUICKLY, **own, **(flags or {})}
        self.server = None
        self.port = free_port()  # which is still its own when it comes back
        self._visitors = []

    def __enter__(self):
        self.start()
        try:
            self.await_joined()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, exception, traceback):
        if kind is not None:
            print(f"{self.name} said:\n{self.server.errors.text()}")
        self.resume()
        for visitor in self._visitors:
            visitor.vanish()
        if self.server.is_running:
            self.server.__exit__(kind, exception, traceback)

    def start(self):
        flags = {**self._settings, "--port": self.port}
        self.server = Server([REDIS_PROBE, *(word for pair in flags.items() for word in pair)]).__enter__()
        self.port = self.server.port

    def kill(self):
        """With -9: it can tell nobody."""
        self.server.send_signal(signal.SIGKILL)
        assert self.server.wait() == -signal.SIGKILL

    def stop(self):
        """In order: its clients are told, and leave."""
        self.server.send_signal(signal.SIGTERM)
        for visitor in self._visitors:
            visitor.follow()
        self.server.stop()

    def suspend(self):
        os.kill(self.server.pid, signal.SIGSTOP)
        eventually(lambda: is_stopped(self.server.pid), "the server is suspended")

    def resume(self):
        """If it is suspended."""
        if self.server.is_running:
            os.kill(self.server.pid, signal.SIGCONT)

    def ask(self, command, path="/members"):
        with open_websocket(self.port, path) as connection:
            connection.send_frame(TEXT, command.encode())
            return connection.read_frame().payload.decode()

    def members(self, topic=ROOM):
        """Their infos, by their keys."""
        head, *lines = self.ask(f"members {topic}").split("\n")
        members = dict(line.split(" ") for line in lines)
        assert head == f"!members {len(lines)}" and len(members) == len(lines), f"one is told twice: {head}, {lines}"
        return members

    def presence(self):
        """What is counted of members."""
        return json.loads(self.ask("statistics")[1:])

    def redis_statistics(self):
        return json.loads(self.ask("now", "/redis-statistics"))

    def await_joined(self):
        eventually(lambda: self.redis_statistics()["is_up"], f"{self.name} has joined the others")

    def await_members(self, expected, topic=ROOM, deadline=PATIENCE):
        await_equal(lambda: self.members(topic), expected, f"those are there on {self.name}", deadline)

    def visitor(self, key="", info="", topic=ROOM):
        """It stays until it is told otherwise, or its server ends."""
        self._visitors.append(Visitor(self, key, info, topic))
        return self._visitors[-1]

    def watch(self, topic=ROOM, *, is_prefix=False):
        return Watch(self.port, topic, is_prefix=is_prefix)


def await_all(halls, expected, topic=ROOM):
    for hall in halls:
        hall.await_members(expected, topic)


def await_agreement(halls, keys, watches=()):
    """All of them, and the watches of the same topic, say the same of these members, which is returned."""

    def agreed():
        views = [hall.members() for hall in halls] + [watch.known() for watch in watches]
        return views if set(views[0]) == set(keys) and all(view == views[0] for view in views) else None

    try:
        return eventually(agreed, "all servers say the same", PATIENCE)[0]
    except AssertionError as error:
        views = [*(f"{hall.name} {hall.members()}" for hall in halls), *(f"a watch {each.known()}" for each in watches)]
        raise AssertionError(f"{error}: {sorted(keys)} are there; " + "; ".join(views)) from None


def await_equal(ask, expected, what, deadline=PATIENCE):
    last = None

    def is_equal():
        nonlocal last
        last = ask()
        return last == expected

    try:
        eventually(is_equal, what, deadline)
    except AssertionError as error:
        wanted, missing = _difference(expected, last), _difference(last, expected)
        raise AssertionError(f"{error}; missing {wanted}; too many {missing}") from None


def _difference(these, those):
    if not isinstance(these, dict):
        return these
    return {key: value for key, value in these.items() if those.get(key) != value}


class Visitor:
    """A connection that is a member; `with` ends it."""

    def __init__(self, hall, key, info, topic):
        self.hall, self.key, self.info, self.topic = hall, key, info, topic
        self._connection = open_websocket(hall.port, "/members")
        self.join(info)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.vanish()

    def _ask(self, command):
        self._connection.send_frame(TEXT, command.encode())
        while (frame := self._connection.read_frame()).opcode == PING:
            self._connection.send_frame(PONG, frame.payload)
        return frame.payload.decode()

    def join(self, info):
        """It is a member, or one with another info."""
        self.info = info
        answer = self._ask(f"join {self.topic} {self.key} {info}")
        assert answer in ("!sent", "!queued"), answer

    def has_been_told_more(self):
        """Whether anything came but the answers to its commands."""
        return self._connection.has_more(0.5)

    def leave(self):
        """It unsubscribes, and stays connected."""
        assert self._ask(f"leave {self.topic}") == f"!done {self.topic}"

    def close(self):
        self._connection.send_frame(CLOSE, b"\x03\xe8")
        self._await_close()
        self._connection.socket.close()

    def vanish(self):
        """Unless it has left already."""
        with contextlib.suppress(OSError):
            self._connection.reset()

    def follow(self):
        """It answers the server's farewell, if it is still there."""
        self._await_close()
        with contextlib.suppress(OSError):
            self._connection.send_frame(CLOSE, b"\x03\xe9")
        self._connection.socket.close()

    def _await_close(self):
        with contextlib.suppress(OSError, EOFError):
            while self._connection.read_frame().opcode != CLOSE:
                pass


WAYS_TO_LEAVE = (Visitor.leave, Visitor.close, Visitor.vanish)


class Watch:
    """
    `with hall.watch() as watch`: what is told of a topic, added up in `known`, and as it came in `log`. It may not be
    told twice that somebody has come, nor that somebody has left who was not there.
    """

    def __init__(self, port, topic, *, is_prefix=False):
        self.topic = topic
        self.log = []
        self.calls = 0
        self.complaints = []
        self._known = {}
        self._lock = threading.Lock()
        self._is_over = False
        self._connection = open_websocket(port, "/members")
        self._connection.send_frame(TEXT, f"{'watch-prefix' if is_prefix else 'watch'} {topic}".encode())
        assert self._connection.read_frame().payload.decode() == f"!done {topic}"
        self._connection.socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end()
        if kind is None:
            self.demand_sense()

    def end(self):
        """What it was told remains. The server may have ended before."""
        self._is_over = True
        with contextlib.suppress(OSError):
            self._connection.send_frame(CLOSE, b"\x03\xe8")
        self._thread.join(DEADLINE)
        self._connection.socket.close()

    def demand_sense(self):
        assert not self.complaints, "\n".join(self.complaints[:10])

    def known(self, topic=None):
        with self._lock:
            return dict(self._known.get(topic or self.topic, {}))

    def told(self, key):
        """What was told of a member, such as ["+", "-"]."""
        with self._lock:
            return [kind for _, kind, told in self.log if told == key]

    def moment(self, kind, key):
        """When that was told last."""
        with self._lock:
            return max(moment for moment, told, whom in self.log if (told, whom) == (kind, key))

    def await_known(self, expected, topic=None, deadline=PATIENCE):
        await_equal(lambda: self.known(topic), expected, "the watch is told", deadline)

    def _read(self):
        with contextlib.suppress(OSError, EOFError):
            while (frame := self._connection.read_frame()).opcode != CLOSE:
                if frame.opcode == PING:
                    self._connection.send_frame(PONG, frame.payload)
                else:
                    self._take(frame.payload.decode())

    def _take(self, change):
        head, *lines = change.split("\n")
        found = re.fullmatch(r"change (\S+) (\d+)", head)
        now = time.monotonic()
        with self._lock:
            self.calls += 1
            if not found or not lines:
                self.complaints.append(f"told {change[:200]!r}")
                return
            known = self._known.setdefault(found[1], {})
            for line in lines:
                self._add(known, line[0], *line[1:].split(" "), now)
            if len(known) != int(found[2]):
                self.complaints.append(f"{len(known)} members by what was told, not {found[2]}: {change[:200]}")

    def _add(self, known, kind, key, info, now):
        self.log.append((now, kind, key))
        if kind == "+":
            if known.get(key) == info:
                self.complaints.append(f"{key} came with {info!r}, and was there with it")
            known[key] = info
        elif known.get(key) == info:
            del known[key]
        else:
            self.complaints.append(f"{key} left with {info!r}, and was there with {known.pop(key, None)!r}")
