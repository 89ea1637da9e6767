"""Many connections on several server processes, all of which get one message."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from runner.servers import Failure, Server, prepare_child

from .figures import BOTH_CORES, Figures, Plan
from .processes import kernel_bytes, private_bytes
from .services import JAZZY, RELEASE, redis, servers

PATIENCE_SECONDS = 300
MESSAGES = 5


class Holder:
    """A process of clients, which holds its part of the connections to one server."""

    def __init__(self, server: Server, connections: int, times: Path) -> None:
        self.times = times
        self.connections = connections
        command = [f"{RELEASE}/bench-redis-load", "crowd", "--publish-port", str(server.port), "--port", str(server.port),
                   "--connections", str(connections), "--times", str(times)]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            preexec_fn=lambda: prepare_child(BOTH_CORES),
        )  # fmt: skip

    def expect(self, beginning: str) -> str:
        """The rest of its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(beginning):
            raise Failure(f"a process of clients said {line!r} instead of {beginning!r}")
        return line[len(beginning) :].strip()

    def publish(self) -> int:
        """Publishes a message; returns when, in nanoseconds."""
        assert self.process.stdin is not None
        self.process.stdin.write("publish\n")
        self.process.stdin.flush()
        return int(self.expect("published at "))

    def arrivals(self) -> list[int]:
        """The moments when its connections had the last message."""
        return [int(line) for line in self.times.read_text().split()]

    def close(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def shares(connections: int, count: int) -> list[int]:
    """As equal as they can be."""
    return [connections // count + (1 if number < connections % count else 0) for number in range(count)]


def reach(began: int, arrivals: list[int]) -> dict[str, float]:
    """How long a message took, in ms, to the first, the middle and the last receiver."""
    taken = sorted((arrival - began) / 1e6 for arrival in arrivals)
    return {"first": taken[0], "median": median(taken), "p99": taken[int(len(taken) * 0.99)], "last": taken[-1]}


def crowd(plan: Plan) -> Figures:
    """
    One message, published by a client of the first server, to all connections of all servers. Memory is that of servers
    after all have connected, less before; of the kernel's, half, because the other half is the clients'.
    """
    with redis(BOTH_CORES) as broker, tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        started = stack.enter_context(servers(JAZZY, broker.port, plan.servers, BOTH_CORES))
        own_before = [private_bytes(server.pid) for server in started]
        kernel_before = kernel_bytes()
        began = time.monotonic()
        holders: list[Holder] = []
        for number, (server, share) in enumerate(zip(started, shares(plan.connections, plan.servers))):
            holders.append(Holder(server, share, Path(folder) / str(number)))
            stack.callback(holders[-1].close)
        for holder in holders:
            holder.expect("connected")
        connecting = time.monotonic() - began
        time.sleep(2)
        kernel = kernel_bytes() - kernel_before
        own = [private_bytes(server.pid) - before for server, before in zip(started, own_before)]
        client_own = sum(private_bytes(holder.process.pid) for holder in holders)
        reached = [_publish(holders) for _ in range(MESSAGES)]
        own_after = [private_bytes(server.pid) - before for server, before in zip(started, own_before)]
        for server in started:
            server.check()
    return {
        "connections": plan.connections,
        "servers": plan.servers,
        "connecting_seconds": connecting,
        "first_message_ms": reached[0],
        "message_ms": {part: median(message[part] for message in reached) for part in reached[0]},
        "own_bytes": sum(own) / plan.connections,
        "own_bytes_after_messages": sum(own_after) / plan.connections,
        "kernel_bytes": kernel / 2 / plan.connections,
        "client_bytes": client_own / plan.connections,
    }


def _publish(holders: list[Holder]) -> dict[str, float]:
    began = holders[0].publish()
    for holder in holders:
        holder.expect("everybody has message")
    return reach(began, [arrival for holder in holders for arrival in holder.arrivals()])
