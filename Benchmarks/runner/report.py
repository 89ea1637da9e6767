"""The results as Markdown and as JSON."""

from __future__ import annotations

from typing import Any

from . import verdict
from .goals import CPU, rivals
from .measurement import Results
from .verdict import Judged
from .workloads import C, FLOOR, Workload


def _number(value: float | None, digits: int = 2) -> str:
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}f}" if abs(value) >= 1 else f"{value:.3f}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join([_row(head), _row(["---"] + ["---:"] * (len(head) - 1)), *map(_row, rows)])


def _is_memory(workload: Workload) -> bool:
    return workload.runs[0].load[0] == "idle"


def _base(workload: Workload) -> str:
    """The server with which all are compared: the floor, or else the first."""
    return workload.runs[0].label


def _load_table(results: Results, workload: Workload) -> str:
    base = _base(workload)
    has_floor = base == FLOOR
    head = ["server", f"CPU µs/{workload.unit}", "spread", f"× {base}"]
    head += ["Jazzy, C ÷ it"] if has_floor else []
    head += ["messages/s", "p50 µs", "p99 µs", "p99.9 µs", "max µs", "B received", "server", "client"]
    rows = []
    for run in workload.runs:
        cpu = results.summary(workload.key, run.label, CPU)
        if cpu is None:
            continue

        def figure(name: str) -> float | None:
            summary = results.summary(workload.key, run.label, name)
            return summary.median if summary else None

        limited = results.figures(workload.key, run.label, "client_is_the_limit")
        client = f"{100 * (figure('client_cpu_share') or 0):.0f} %" + (" ⚠" if any(limited.values()) else "")
        cells = [run.label, _number(cpu.median, 3), f"{_number(cpu.minimum)}–{_number(cpu.maximum)}, {100 * cpu.spread:.0f} %"]
        cells.append(_number(results.ratio(workload.key, run.label, base, CPU)))
        if has_floor:
            cells.append(_number(results.ratio(workload.key, C, run.label, CPU)))
        cells.append(_number(figure("messages_per_second"), 0))
        cells += [_number(figure(f"latency_us.{part}"), 0) for part in ("p50", "p99", "p99.9", "max")]
        cells.append(_number(figure("received_bytes_per_message"), 1))
        cells += [f"{100 * (figure('server_cpu_share') or 0):.0f} %", client]
        rows.append(cells)
    return _table(head, rows)


def _memory_table(results: Results, workload: Workload) -> str:
    head = ["server", "B/connection", "B/connection more after the burst", "B/connection left after all have closed"]
    names = ("memory_per_connection", "memory_kept_after_burst", "memory_kept_after_close")
    rows = []
    for run in workload.runs:
        summaries = [results.summary(workload.key, run.label, name) for name in names]
        if any(summaries):
            rows.append([run.label, *(_number(summary.median if summary else None, 0) for summary in summaries)])
    return _table(head, rows)


def _micro_table(micro: list[dict[str, Any]]) -> str:
    rows = []
    for row in micro:
        rows.append(
            [row["name"], _number(row["ns"], 1), _number(row.get("gigabytes_per_second"), 1),
             f"{100 * row['spread']:.0f} %", row.get("goal") or ""]
        )  # fmt: skip
    return _table(["operation", "ns", "GB/s", "spread", "goal"], rows)


def _rivals(results: Results) -> str:
    rows = [verdict.rival_row(judged) for judged in rivals(results)]
    return _table(verdict.RIVALS_HEAD, rows) if rows else "None, beyond noise."


def _failures(results: Results, workload: Workload) -> str:
    """Where the row of a server is looked for in vain, why it is not there."""
    of_this = [failure for failure in results.failures if failure.startswith(f"{workload.title}: ")]
    return "".join(f"\n\nNot measured: {failure.removeprefix(f'{workload.title}: ')}" for failure in of_this)


def markdown(
    results: Results, judged: list[Judged], machine: dict[str, str], method: str, micro: list[dict[str, Any]]
) -> str:
    parts = ["# Benchmark results", _table(["", ""], [[key, value] for key, value in machine.items()]), method]
    parts += ["## Peers that need less than ours", _rivals(results)]
    if judged:
        goals = _table(verdict.HEAD, [verdict.row(each) for each in judged])
        parts += ["## Goals", f"{verdict.counted(judged)}.", goals, verdict.RULE]
    for workload in results.workloads:
        table = _memory_table(results, workload) if _is_memory(workload) else _load_table(results, workload)
        parts += [f"## {workload.title[0].upper()}{workload.title[1:]}", table + _failures(results, workload)]
    if micro:
        parts += ["## Codec and session, without sockets", _micro_table(micro)]
    if results.failures:
        parts += ["## Not measured", "\n".join(f"- {failure}" for failure in results.failures)]
    return "\n\n".join(parts) + "\n"


def as_json(
    results: Results, judged: list[Judged], machine: dict[str, str], micro: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "machine": machine,
        "goals": [each.as_json() for each in judged],
        "workloads": [
            {"key": workload.key, "title": workload.title,
             "runs": {label: list(taken.values()) for label, taken in results.readings[workload.key].items()}}
            for workload in results.workloads
        ],
        "micro": micro,
        "failures": results.failures,
    }  # fmt: skip
