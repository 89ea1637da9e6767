"""A play with a topic that Redis keeps: several servers, clients that come and go among them, and faults."""

import contextlib
import json
import random
import time

from support.deadline import eventually
from support.deployment import free_port
from support.frames import TEXT
from support.programs import REDIS_PROBE
from support.raw import open_websocket
from support.redis.history_faults import TOPIC
from support.redis.members import QUICKLY
from support.redis.proxy import Proxy
from support.redis.resuming import Ledger, Publisher, Resumer
from support.server import Server

# Seconds: longer than anything is waited for by servers, in which clients may find that they cannot continue yet.
PATIENCE = 30


class HistoryPlay:
    """`with HistoryPlay(redis, seed) as play`: servers have joined, clients have begun."""

    def __init__(self, redis, seed, *, servers=2, clients=4, publishers=2, is_ordered=False, url=None):
        self.redis = redis
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.ports = []
        self.proxies = []
        self._url = url
        self._is_ordered = is_ordered
        self._servers = []
        self._stack = contextlib.ExitStack()
        self._count = servers
        self._clients = [self._cast(Resumer, f"client-{i}") for i in range(clients)]
        self._publishers = [self._cast(Publisher, f"publisher-{i}") for i in range(publishers)]

    def _cast(self, role, name):
        return role(name, self.ports, TOPIC, self.ledger, self.random.random())

    def _begin_server(self, place, port):
        """It reaches Redis through a proxy of its own, unless it has to find it."""
        url = self._url or f"redis://127.0.0.1:{self.proxies[place].port}"
        flags = {"--redis": url, "--history": 1, "--conceal-gaps": 1, "--redis-starts-alone": 1, **QUICKLY}
        flags |= {"--redis-ordered": int(self._is_ordered), "--stop-timeout-ms": 300, "--port": port}
        return Server([REDIS_PROBE, *(word for pair in flags.items() for word in pair)]).__enter__()

    def restart(self, place, *, is_killed):
        """A server ends, by -9 or in order, and is started again on its port."""
        server = self._servers[place]
        if is_killed:
            server.send_signal(9)
            server.wait()
        else:
            server.stop()
        time.sleep(self.random.uniform(0, 0.2))
        self._servers[place] = self._begin_server(place, self.ports[place])

    def __enter__(self):
        for _ in range(self._count):
            if self._url is None:
                self.proxies.append(self._stack.enter_context(Proxy(self.redis.port)))
            server = self._begin_server(len(self._servers), free_port())
            self._servers.append(server)
            self.ports.append(server.port)
        for actor in (*self._clients, *self._publishers):
            actor.start()
        self.await_more()
        return self

    def __exit__(self, kind, *exception):
        for actor in (*self._publishers, *self._clients):
            with contextlib.suppress(AssertionError):
                actor.end()
        for server in self._servers:
            if kind is not None:
                print(f"a server said:\n{server.errors.text()}")
            server.__exit__(kind, *exception)
        self._stack.__exit__(kind, *exception)

    def await_more(self, count=6):
        """So many more clients have continued where they were."""
        goal = self.ledger.recovered + count
        eventually(lambda: self.ledger.recovered >= goal, "clients continue", PATIENCE)

    def dropped(self):
        """How many messages all servers have given up."""
        return sum(map(self._dropped_by, self.ports))

    @staticmethod
    def _dropped_by(port):
        with open_websocket(port, "/redis-statistics") as connection:
            connection.send_frame(TEXT, b"now")
            return json.loads(connection.read_frame().payload)["dropped"]

    def conclude(self):
        """When all is well again, all clients get the last message; and nothing was wrong on the way."""
        for publisher in self._publishers:
            publisher.end()
        for client in self._clients:
            client.is_calm.set()
        number = 0
        deadline = time.monotonic() + 30
        while not self._have_all(f"m end-{number} 1 "):
            assert time.monotonic() < deadline, "not all clients get messages again: " + ", ".join(
                f"{client.name} at {client.position}" for client in self._clients
            )
            number += 1
            # Another name for each connection, as other publishers have.
            self._publish(f"m end-{number} 1 ")
            with contextlib.suppress(AssertionError):
                eventually(lambda: self._have_all(f"m end-{number} 1 "), "all have the last message", 1)
        for client in self._clients:
            client.end()
        failures = [client.failure for client in self._clients if client.failure]
        complaints = failures + self.ledger.complaints
        assert not complaints, "\n".join(complaints[:20])

    def _have_all(self, text):
        return all(client.last == text for client in self._clients)

    def _publish(self, text):
        with open_websocket(self.random.choice(self.ports), "/topics") as connection:
            connection.send_frame(TEXT, f"publish {TOPIC} {text}".encode())
            connection.read_frame()
