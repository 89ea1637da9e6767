"""Measuring: in each round all servers of a workload run, and get the load in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Any

from .load import run_load
from .servers import Failure, Server
from .statistics import Summary, paired_ratios
from .workloads import Run, Workload

CLIENT_CORES = {1}
ENOUGH_ROUNDS = 9  # for an interval of 95 %: the fewest (`verdict.RULE`)
FIRST_RATE = 5_000  # messages a second that any server can do
MOST_TRIES = 3  # of one reading


def figure_of(reading: dict[str, Any], figure: str) -> float | None:
    memory = reading.get("memory_bytes") or {}
    if figure == "memory_per_connection":
        return memory.get("per_connection")
    if figure == "memory_kept_after_burst":
        return (memory["after_burst"] - memory["with_connections"]) / reading["connections"] if memory else None
    if figure == "memory_kept_after_close":
        return (memory["after_close"] - memory["before"]) / reading["connections"] if memory else None
    if figure.startswith("latency_us."):
        return reading["latency_us"][figure.partition(".")[2]]
    return reading.get(figure)


@dataclass
class Results:
    """Readings by workload and label, each with the round in which it was taken."""

    workloads: list[Workload] = field(default_factory=list)
    readings: dict[str, dict[str, dict[int, dict[str, Any]]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @staticmethod
    def of_json(workloads: list[dict[str, Any]]) -> Results:
        """What `report.as_json` wrote, without how it was measured."""
        results = Results()
        for each in workloads:
            results.workloads.append(Workload(each["key"], each["title"], "", ()))
            results.readings[each["key"]] = {label: dict(enumerate(taken)) for label, taken in each["runs"].items()}
        return results

    def figures(self, workload: str, label: str, figure: str) -> dict[int, float]:
        taken = self.readings.get(workload, {}).get(label, {})
        values = {turn: figure_of(reading, figure) for turn, reading in taken.items()}
        return {turn: value for turn, value in values.items() if value is not None}

    def summary(self, workload: str, label: str, figure: str) -> Summary | None:
        figures = self.figures(workload, label, figure)
        return Summary.of(list(figures.values())) if figures else None

    def ratios(self, workload: str, label: str, versus: str, figure: str) -> list[float]:
        """Of each round that both have."""
        return paired_ratios(self.figures(workload, label, figure), self.figures(workload, versus, figure))

    def ratio(self, workload: str, label: str, versus: str, figure: str) -> float | None:
        ratios = self.ratios(workload, label, versus, figure)
        return median(ratios) if ratios else None


@dataclass(frozen=True)
class Plan:
    load_program: str
    rounds: int
    seconds: float
    warm_up: float


def measure(workload: Workload, plan: Plan, results: Results) -> None:
    """
    Adds the readings of a workload. Servers are started anew each round, because where the memory of a process lies decides
    over a few percent of it. Those that fail are noted, and excluded from later rounds.
    """
    results.workloads.append(workload)
    results.readings[workload.key] = {}
    runs = _at_half_of_capacity(workload, plan, results) if workload.capacity else list(workload.runs)
    for turn in range(workload.rounds or plan.rounds * workload.factor):
        if turn == min(plan.rounds, ENOUGH_ROUNDS):
            runs = [run for run in runs if run.is_in_goals]
        failed = _round(workload, runs, turn, plan, results)
        # Backwards the next time: what came first is last, and neighbours stay neighbours.
        runs = [run for run in reversed(runs) if run.label not in failed]


def _at_half_of_capacity(workload: Workload, plan: Plan, results: Results) -> list[Run]:
    """The same rate for all of them, at which the one that takes most is busy for half of the time. Without those that fail."""
    rates: dict[str, int] = {}
    for run in workload.runs:
        server = Server(run.label, run.command, set(run.server_cores))
        try:
            server.launch()
            server.await_listening()
            rates[run.label] = _half_of_capacity(workload.capacity, plan, server)
        except Failure as failure:
            _note(results, workload, failure)
        finally:
            server.stop()
    rate = min(rates.values(), default=0)
    return [replace(run, load=_with_rate(run.load, rate)) for run in workload.runs if run.label in rates]


def _half_of_capacity(load: tuple[str, ...], plan: Plan, server: Server) -> int:
    """Not half of what a closed loop does: there a server finds many messages at once, each of which then takes less."""
    rate = FIRST_RATE
    for _ in range(2):
        times = ["--warm-up", str(plan.warm_up), "--seconds", str(plan.seconds)]
        reading = _reading_of(server, plan, [*_with_rate(load, rate), *times])
        rate = max(1, int(0.5e6 / reading["server_cpu_us_per_message"]))
    return rate


def _with_rate(load: tuple[str, ...], rate: int) -> tuple[str, ...]:
    return tuple(word.replace("{rate}", str(rate)) for word in load)


def _round(workload: Workload, runs: list[Run], turn: int, plan: Plan, results: Results) -> set[str]:
    """One turn of each. Returns which of them failed."""
    servers = {run.label: Server(run.label, run.command, set(run.server_cores)) for run in runs}
    failed: set[str] = set()

    def attempt(label: str, step: Callable[[], None]) -> None:
        if label in failed:
            return
        try:
            step()
        except Failure as failure:
            failed.add(label)
            _note(results, workload, failure)
            servers[label].stop()

    try:
        for label, server in servers.items():
            attempt(label, server.launch)
        for label, server in servers.items():
            attempt(label, server.await_listening)
        for run in runs:
            attempt(run.label, partial(_take_turn, workload, run, servers[run.label], turn, plan, results))
    finally:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.stop()
    return failed


def _take_turn(workload: Workload, run: Run, server: Server, turn: int, plan: Plan, results: Results) -> None:
    times = ["--warm-up", str(run.warm_up or plan.warm_up), "--seconds", str(workload.seconds or plan.seconds)]
    reading = _reading_of(server, plan, [*run.load, *times])
    results.readings[workload.key].setdefault(run.label, {})[turn] = reading


def _reading_of(server: Server, plan: Plan, load: list[str]) -> dict[str, Any]:
    """Again where the server got no time, because others had all of it: what a message costs is not known by that."""
    for _ in range(MOST_TRIES):
        reading = run_load(plan.load_program, load, server, CLIENT_CORES)
        if reading["memory_bytes"] is not None or reading["server_cpu_us_per_message"] > 0:
            return reading
    raise Failure(f"{server.name} got no time in {MOST_TRIES} readings")


def _note(results: Results, workload: Workload, failure: Failure) -> None:
    results.failures.append(f"{workload.title}: {failure}")
    print(f"  failed: {failure}", file=sys.stderr)
