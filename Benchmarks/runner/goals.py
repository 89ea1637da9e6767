"""The goals, and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .measurement import Results
from .verdict import NOT_MET, Judged
from .workloads import C, FLOOR, ISAL, ISAL_FAST, SWIFT, UWS

CPU = "server_cpu_us_per_message"
MEMORY = "memory_per_connection"
OURS = (FLOOR, C, SWIFT)  # or what begins so, because it does the same in another way


@dataclass(frozen=True)
class Goal:
    """A figure of one run must be at most `limit`, or `limit` times that of another run in the same rounds."""

    text: str
    workload: str
    label: str
    limit: float
    versus: str | None = None
    figure: str = CPU


def _versus(text: str, workload: str, limit: float, versus: str, label: str = C, figure: str = CPU) -> Goal:
    return Goal(text, workload, label, limit, versus, figure)


GOALS: list[Goal] = [
    *(
        _versus("CPU per message of the floor", key, 1.03, FLOOR)
        for key in ("echo-20", "echo-1000", "echo-depth", "echo-16000", "echo-64000", "fan-out-1", "fan-out-8")
    ),
    _versus("CPU per 1 MB echo of uWebSockets", "echo-1m", 0.9, UWS),
    *(_versus("CPU of ASCII text to binary", f"text-{size}", 1.02, "binary", "ascii") for size in (20, 1000, 16000, 64000)),
    *(
        _versus(f"CPU of {kind} text to binary", f"text-{size}", limit, "binary", kind)
        for kind in ("russian", "chinese", "emoji")
        for size, limit in ((1000, 1.05), (16000, 1.05), (64000, 1.1))
    ),
    *(
        _versus(f"CPU of {kind} text to binary", "clock-text-64000", limit, "binary", kind)
        for kind, limit in (("ascii", 1.02), ("russian", 1.1), ("chinese", 1.1), ("emoji", 1.1))
    ),
    *(_versus("CPU of compressed echo to uWebSockets", f"deflate-{size}", 1.0, UWS) for size in (200, 16000)),
    *(
        _versus("compressed size to uWebSockets", f"deflate-{size}", 1.0, UWS, C, "received_bytes_per_message")
        for size in (200, 16000)
    ),
    *(
        _versus(f"{what} with {label.removeprefix(C + ', ')}", f"deflate-{size}", limit, UWS, label, figure)
        for size, label, cpu, bytes_limit in (
            (200, ISAL, 0.8, 1.0), (200, ISAL_FAST, 0.8, 1.1), (16000, ISAL, 0.5, 1.0), (16000, ISAL_FAST, 0.25, 1.1))
        for what, limit, figure in (
            ("CPU of compressed echo to uWebSockets", cpu, CPU),
            ("compressed size to uWebSockets", bytes_limit, "received_bytes_per_message"),
        )
    ),
    _versus("CPU of a connection to uWebSockets (1 / 1.2)", "connect", 1 / 1.2, UWS),
    _versus("CPU of 1,000 beside idle connections to 1,000 alone", "idle-beside", 1.03, "alone", "beside idle ones"),
    Goal("bytes of an idle connection, C", "memory-0", C, 136, figure=MEMORY),
    Goal("bytes of an idle connection, Swift", "memory-0", SWIFT, 160, figure=MEMORY),
    *(
        _versus("CPU of Swift to C", key, 1.03, C, SWIFT)
        for key in ("echo-20", "echo-1000", "echo-depth", "echo-16000", "echo-64000")
    ),
    _versus("CPU of Swift with strings to C", "swift-text", 1.1, "C, bytes", "Swift, String"),
    _versus(
        "CPU of two loops to two servers that share nothing",
        "two-loops",
        1.05,
        "two servers of one loop",
        "one server of two loops",
    ),
    *(
        _versus("p99.9 from when a message was due to the floor's", f"tail-{kind}", 1.2, FLOOR, C, "latency_us.p99.9")
        for kind in ("quiet", "large", "connects", "slow", "worker", "scraped")
    ),
    *(
        _versus(f"CPU per message of {name}", key, limit, versus)
        for name, limit, versus in (("the floor with OpenSSL", 1.05, FLOOR), ("uWebSockets with TLS", 0.95, UWS))
        for key in ("tls-echo-20", "tls-echo-depth", "tls-echo-apart", "tls-echo-16000")
    ),
    *(
        _versus("CPU of a handshake to OpenSSL's in a bare loop (1 / 0.95)", f"tls-{kind}-{version}", 1 / 0.95, FLOOR)
        for version in ("1.3", "1.2")
        for kind in ("handshake", "resume")
    ),
    _versus(
        "worst echo beside handshakes to that without them",
        "tls-beside",
        2.0,
        f"{C}, alone",
        f"{C}, beside handshakes",
        "latency_us.max",
    ),
    *(
        _versus("memory of an idle connection to a bare SSL object", f"tls-memory-{version}", 1.05, FLOOR, C, MEMORY)
        for version in ("1.3", "1.2")
    ),
    *(
        Goal("bytes of an idle TLS connection, stretch", f"tls-memory-{version}", C, 10_000, figure=MEMORY)
        for version in ("1.3", "1.2")
    ),
]


def judge(results: Results, goals: list[Goal] = GOALS) -> list[Judged]:
    """Only what is about workloads that had their turn: a part of them says nothing about the others."""
    titles = {workload.key: workload.title for workload in results.workloads}
    return [
        Judged(f"{goal.text}: {titles[goal.workload]}", goal.limit, tuple(_readings(results, goal)))
        for goal in goals
        if goal.workload in titles
    ]


def _readings(results: Results, goal: Goal) -> list[float]:
    if goal.versus is not None:
        return results.ratios(goal.workload, goal.label, goal.versus, goal.figure)
    return list(results.figures(goal.workload, goal.label, goal.figure).values())


def judge_micro(micro: list[dict[str, Any]]) -> list[Judged]:
    """Goals of bench-micro: its rows, in nanoseconds for one operation, in GB/s, or in GB/s of the first row's, memcpy's."""
    return [
        Judged(f"{row['name']}, {UNITS[row['limit_of']]}", row["limit"], _micro_readings(row, micro[0]), row["limit_of"] != "ns")
        for row in micro
        if row.get("limit_of") is not None
    ]


UNITS = {"ns": "ns", "GB/s": "GB/s", "memcpy": "of memcpy's GB/s"}


def _micro_readings(row: dict[str, Any], memcpy: dict[str, Any]) -> tuple[float, ...]:
    if row["limit_of"] == "ns":
        return tuple(row["readings_ns"])
    yardstick = memcpy["gigabytes_per_second"] if row["limit_of"] == "memcpy" else 1
    return tuple(row["bytes"] / nanoseconds / yardstick for nanoseconds in row["readings_ns"])


def rivals(results: Results) -> list[Judged]:
    """Peers that beat the server in C, beyond noise: its part of the peer's CPU, or of its memory, in each round."""
    found = []
    for workload in results.workloads:
        figure = MEMORY if results.figures(workload.key, C, MEMORY) else CPU
        for label in results.readings[workload.key]:
            if not label.startswith(OURS):
                ratios = results.ratios(workload.key, C, label, figure)
                found.append(Judged(f"{label}: {workload.title}", 1.0, tuple(ratios)))
    return [judged for judged in found if judged.verdict == NOT_MET]
