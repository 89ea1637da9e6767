"""Measuring: all servers of a workload run, and get the load in turn."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from .load import run_load
from .servers import Failure, Server
from .statistics import Summary, paired_ratio
from .workloads import Workload

CLIENT_CORES = {1}


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

    def figures(self, workload: str, label: str, figure: str) -> dict[int, float]:
        taken = self.readings.get(workload, {}).get(label, {})
        values = {turn: figure_of(reading, figure) for turn, reading in taken.items()}
        return {turn: value for turn, value in values.items() if value is not None}

    def summary(self, workload: str, label: str, figure: str) -> Summary | None:
        figures = self.figures(workload, label, figure)
        return Summary.of(list(figures.values())) if figures else None

    def ratio(self, workload: str, label: str, versus: str, figure: str) -> float | None:
        return paired_ratio(self.figures(workload, label, figure), self.figures(workload, versus, figure))


@dataclass(frozen=True)
class Plan:
    load_program: str
    rounds: int
    seconds: float
    warm_up: float


def measure(workload: Workload, plan: Plan, results: Results) -> None:
    """Adds the readings of a workload. Servers that fail are noted, and excluded from later rounds."""
    results.workloads.append(workload)
    results.readings[workload.key] = {}
    servers: dict[str, Server] = {}
    try:
        for run in workload.runs:
            try:
                server = Server(run.label, run.command, set(run.server_cores))
                server.start()
                servers[run.label] = server
            except Failure as failure:
                _note(results, workload, failure)
        for turn in range(workload.rounds or plan.rounds * workload.factor):
            for run in workload.runs:
                if run.label in servers:
                    _take_turn(workload, run.label, list(run.load), servers, turn, plan, results)
    finally:
        for server in servers.values():
            server.stop()


def _take_turn(
    workload: Workload, label: str, load: list[str], servers: dict[str, Server], turn: int, plan: Plan, results: Results
) -> None:
    times = ["--warm-up", str(plan.warm_up), "--seconds", str(plan.seconds)]
    try:
        reading = run_load(plan.load_program, [*load, *times], servers[label], CLIENT_CORES)
        results.readings[workload.key].setdefault(label, {})[turn] = reading
    except Failure as failure:
        _note(results, workload, failure)
        servers.pop(label).stop()


def _note(results: Results, workload: Workload, failure: Failure) -> None:
    results.failures.append(f"{workload.title}: {failure}")
    print(f"  failed: {failure}", file=sys.stderr)
