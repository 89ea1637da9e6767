"""The measurements. Each returns what it measured, as numbers by name, for one row or several of the results."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from runner.servers import Failure, Server, prepare_child
from runner.statistics import paired_ratios

from .goals import ROUNDS
from .load import json_of, run_load
from .processes import cpu_seconds
from .services import ALONE, BARE, BARE_THREADS, JAZZY, NGINX, OTHER_CORES, PYTHON, RELEASE, SERVER_CORES, Kind, redis, servers
from .wire import Commands, Redis

BOTH_CORES = SERVER_CORES | OTHER_CORES
Figures = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float  # of a round
    messages: int  # that are published for a rate
    topics: int
    storm_seconds: float
    connections: int  # of the crowd
    servers: int  # that hold the crowd
    depths: tuple[int, ...] = (1, 32, 256)  # messages in flight, of which instructions are counted


def _middle(readings: list[dict[str, Any]], part: str, quantile: str) -> float:
    return median(reading[part][quantile] for reading in readings)


def _with_rounds(name: str, readings: Sequence[float]) -> Figures:
    """Their median, and they themselves beside it: what goals are judged by."""
    return {name: median(readings) if readings else None, f"{name}{ROUNDS}": list(readings)}


def latency(plan: Plan) -> Figures:
    """
    One message of 100 bytes at a time, from a client on one server to a client on the same and to one on another. Added
    is the difference between the two, for each message. Programs run where the kernel puts them.
    """
    ours, floor, local = [], [], []
    with redis(BOTH_CORES) as broker:
        for _ in range(plan.rounds):
            with servers(JAZZY, broker.port, 2, BOTH_CORES) as joined:
                ours.append(run_load("latency", joined[0], joined[1], (), [], plan.seconds, BOTH_CORES))
            with servers(BARE, broker.port, 2, BOTH_CORES) as bare:
                floor.append(run_load("latency", bare[0], bare[1], (), [], plan.seconds, BOTH_CORES))
            with servers(ALONE, broker.port, 1, BOTH_CORES) as alone:
                local.append(run_load("latency", alone[0], None, (), [], plan.seconds, BOTH_CORES))
    quantiles = ("p50", "p99", "p99.9")
    added: Figures = {}
    for quantile in quantiles:
        added |= _with_rounds(quantile, [reading["added_us"][quantile] for reading in ours])
    return {
        "added_us": added,
        "local_us": {quantile: _middle(ours, "local_us", quantile) for quantile in quantiles},
        "remote_us": {quantile: _middle(ours, "remote_us", quantile) for quantile in quantiles},
        "local_without_broker_us": {quantile: _middle(local, "local_us", quantile) for quantile in quantiles},
        "bare_remote_us": {quantile: _middle(floor, "remote_us", quantile) for quantile in quantiles},
        "messages": sum(reading["messages"] for reading in ours),
    }


def _redis_benchmark(port: int, messages: int) -> float:
    """
    Messages a second of `redis-benchmark -P 32 PUBLISH`, 100 bytes each, with its 50 connections, on the core that ours
    has: where the kernel puts it, it shares the core of Redis every other time, and is half as fast then.
    """
    command = ["redis-benchmark", "-p", str(port), "-P", "32", "-n", str(messages), "-q", "PUBLISH", "bench:fan", "x" * 100]
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=180, preexec_fn=lambda: prepare_child(SERVER_CORES)
    )
    found = re.findall(r"([\d.]+) requests per second", finished.stdout)
    if finished.returncode != 0 or not found:
        raise Failure(f"redis-benchmark: {finished.stdout[-200:]} {finished.stderr}")
    return float(found[-1])


def rate(plan: Plan) -> Figures:
    """Messages of 100 bytes that one process publishes by itself, as fast as Redis takes them."""
    count = ["--publish", str(plan.messages), "--size", "100"]
    ours: dict[int, float] = {}
    bare: dict[int, float] = {}
    benchmark: dict[int, float] = {}
    our_cpu: dict[int, float] = {}
    bare_cpu: dict[int, float] = {}
    with redis() as broker:
        url = f"redis://127.0.0.1:{broker.port}"
        for turn in range(plan.rounds):
            reading = json_of([f"{RELEASE}/bench-redis-server", "--redis", url, *count], SERVER_CORES)
            if reading["dropped"]:
                raise Failure(f"{reading['dropped']} messages were dropped")
            ours[turn] = reading["messages"] / reading["seconds"]
            our_cpu[turn] = reading["cpu_seconds"] / reading["messages"] * 1e6
            reading = json_of([f"{RELEASE}/bench-redis-bare", "--redis", str(broker.port), *count], SERVER_CORES)
            bare[turn] = reading["messages"] / reading["seconds"]
            bare_cpu[turn] = reading["cpu_seconds"] / reading["messages"] * 1e6
            benchmark[turn] = _redis_benchmark(broker.port, plan.messages)
    return {
        "messages_per_second": median(ours.values()),
        "bare_messages_per_second": median(bare.values()),
        "redis_benchmark_per_second": median(benchmark.values()),
        **_with_rounds("of_redis_benchmark", paired_ratios(ours, benchmark)),
        "cpu_us": median(our_cpu.values()),
        "bare_cpu_us": median(bare_cpu.values()),
        **_with_rounds("cpu_of_bare", paired_ratios(our_cpu, bare_cpu)),
    }


# Receivers, and messages in flight.
SHAPES = {"one-by-one": (1, 1), "in-flight": (1, 32), "many": (100, 1), "many-in-flight": (100, 8)}


def costs(plan: Plan, shape: str, peers: bool) -> Figures:
    """
    CPU of two servers, one of which publishes messages of 100 bytes, and the other one delivers each to all receivers:
    ours, the bare program, and the peers, which get the load in turn, each time by processes of their own.
    """
    receivers, depth = SHAPES[shape]
    kinds = [JAZZY, BARE, BARE_THREADS, *([NGINX, PYTHON] if peers else [])]
    readings: dict[str, dict[int, dict[str, Any]]] = {kind.name: {} for kind in kinds}
    failures: dict[str, str] = {}
    with redis() as broker:
        for turn in range(plan.rounds):
            for kind in kinds:
                if kind.name in failures:
                    continue
                try:
                    with servers(kind, broker.port, 2) as pair:
                        readings[kind.name][turn] = _cost(kind, pair, broker, receivers, depth, plan.seconds)
                except Failure as failure:
                    if kind in (JAZZY, BARE, BARE_THREADS):
                        raise
                    failures[kind.name] = str(failure)
    rows = {}
    for name, taken in readings.items():
        if not taken:
            continue
        rows[name] = {
            figure: median(reading[figure] for reading in taken.values()) for figure in next(iter(taken.values()))
        }
        for figure in ("published_cpu_us", "received_cpu_us", "delivered_cpu_us", "delivered_with_redis_cpu_us"):
            values = {turn: reading[figure] for turn, reading in taken.items()}
            jazzy = {turn: reading[figure] for turn, reading in readings[JAZZY.name].items()}
            rows[name] |= _with_rounds(f"{figure}_of_it", paired_ratios(jazzy, values))  # ours as a part of theirs
    return {"receivers": receivers, "depth": depth, "servers": rows, "failed_peers": failures}


def _cost(kind: Kind, pair: list[Server], broker: Server, receivers: int, depth: int, seconds: float) -> dict[str, float]:
    arguments = ("--connections", str(receivers), "--depth", str(depth), *kind.load)
    pids = [pair[0].pid, pair[1].pid, broker.pid]
    reading = run_load("deliver", pair[0], pair[1], arguments, pids, seconds)
    publishing, receiving, redis_cpu = reading["cpu_us"]
    return {
        "published_cpu_us": publishing / reading["published"],
        "received_cpu_us": receiving / reading["published"],
        "redis_cpu_us": redis_cpu / reading["published"],
        "delivered_cpu_us": (publishing + receiving) / reading["delivered"],
        "delivered_with_redis_cpu_us": (publishing + receiving + redis_cpu) / reading["delivered"],
        "published_per_second": reading["published"] / reading["seconds"],
        "latency_p50_us": reading["latency_us"]["p50"],
    }


SUBSCRIBERS = 8


def redis_cost(plan: Plan) -> Figures:
    """CPU of Redis for a published message, and for each process that it goes to."""
    spent: dict[int, list[float]] = {0: [], SUBSCRIBERS: []}
    count = ["--publish", str(plan.messages), "--size", "100"]
    with redis() as broker:
        command = [f"{RELEASE}/bench-redis-server", "--redis", f"redis://127.0.0.1:{broker.port}", *count]
        for _ in range(plan.rounds):
            for subscribers, readings in spent.items():
                with _listeners(broker, subscribers):
                    before = cpu_seconds(broker.pid)
                    reading = json_of(command, SERVER_CORES)
                    readings.append((cpu_seconds(broker.pid) - before) / reading["messages"] * 1e6)
    alone, heard = median(spent[0]), median(spent[SUBSCRIBERS])
    return {"published_cpu_us": alone, "subscriber_cpu_us": max(0.0, heard - alone) / SUBSCRIBERS}


@contextlib.contextmanager
def _listeners(broker: Server, count: int) -> Iterator[None]:
    """So many programs that are subscribed and do nothing else."""
    command = ["redis-cli", "-p", str(broker.port), "SUBSCRIBE", "bench:fan"]
    listeners = [
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=lambda: prepare_child(SERVER_CORES))
        for _ in range(count)
    ]
    try:
        asking = Redis(broker.port)
        deadline = time.monotonic() + 10
        while asking.ask("PUBLISH", "bench:fan", "") != str(count):
            if time.monotonic() > deadline:
                raise Failure("redis-cli did not subscribe within 10 s")
            time.sleep(0.01)
        asking.close()
        yield
    finally:
        for listener in listeners:
            listener.terminate()
            listener.wait()


TOPICS_PER_CLIENT = 1000


def _await_channels(broker: Redis, is_right: Any, seconds: float) -> float:
    """When the number of channels is right, by the clock that only goes forward."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_right(broker.number_of_channels()):
            return time.monotonic()
        time.sleep(0.002)
    raise Failure(f"Redis has {broker.number_of_channels()} channels after {seconds} s")


def resubscribe(plan: Plan) -> Figures:
    """
    How long it takes from when Redis ends the connection of a server that has many topics until it has all of them
    again, by Redis's own count.
    """
    clients: list[Commands] = []
    taken, at_first = [], []
    with redis() as broker, servers(JAZZY, broker.port, 1) as (server,):
        asking = Redis(broker.port)
        before = asking.number_of_channels()
        began = time.monotonic()
        for first in range(0, plan.topics, TOPICS_PER_CLIENT):
            client = Commands(server.port, "/topics")
            client.send(f"subscribe {first} {min(TOPICS_PER_CLIENT, plan.topics - first)}")
            clients.append(client)
        wanted = before + plan.topics
        at_first.append(_await_channels(asking, lambda count: count >= wanted, 60) - began)
        for _ in range(plan.rounds):
            began = time.monotonic()
            asking.ask("CLIENT", "KILL", "TYPE", "pubsub")
            _await_channels(asking, lambda count: count < wanted, 60)
            taken.append(_await_channels(asking, lambda count: count >= wanted, 60) - began)
        server.check()
        for client in clients:
            client.close()
    at_most = {"longest_seconds": max(taken), "at_first_seconds": at_first[0]}
    return {"topics": plan.topics, **_with_rounds("seconds", taken), **at_most}


STORM_PER_SECOND = 10_000
STORM_STEPS_PER_SECOND = 100
LINGER_SECONDS = 5.5


def storm(plan: Plan) -> Figures:
    """
    10,000 topics a second that get their first subscriber, and as many that lose their last: no topic twice, and for
    longer than topics linger. All of the server's CPU counts.
    """
    step = STORM_PER_SECOND // STORM_STEPS_PER_SECOND
    with redis() as broker, servers(JAZZY, broker.port, 1) as (server,):
        client = Commands(server.port, "/topics")
        asking = Redis(broker.port)
        own_channels = most_channels = asking.number_of_channels()
        began = time.monotonic()
        lingered = cpu = redis_cpu = 0.0
        measured_from = began
        steps = int((plan.storm_seconds + LINGER_SECONDS) * STORM_STEPS_PER_SECOND)
        for number in range(steps):
            if lingered == 0 and time.monotonic() - began >= LINGER_SECONDS:
                lingered, cpu, redis_cpu = 1, cpu_seconds(server.pid), cpu_seconds(broker.pid)
                measured_from = time.monotonic()
                first_measured = number
            client.send(f"subscribe {number * step} {step}")
            client.send(f"unsubscribe {(number - 1) * step if number else 0} {step if number else 0}")
            if number % STORM_STEPS_PER_SECOND == 0:
                most_channels = max(most_channels, asking.number_of_channels())
            pause = began + (number + 1) / STORM_STEPS_PER_SECOND - time.monotonic()
            time.sleep(max(0, pause))
        seconds = time.monotonic() - measured_from
        cpu, redis_cpu = cpu_seconds(server.pid) - cpu, cpu_seconds(broker.pid) - redis_cpu
        _await_channels(asking, lambda count: count <= own_channels + step, 60)
        server.check()
        client.close()
    return {
        "subscribed_per_second": (steps - first_measured) * step / seconds,
        "unsubscribed_per_second": (steps - first_measured) * step / seconds,
        "part_of_a_core": cpu / seconds,
        "redis_part_of_a_core": redis_cpu / seconds,
        "most_channels": most_channels,
    }
