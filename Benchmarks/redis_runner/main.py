"""The command line: see `make bench-redis`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from runner.machine import describe
from runner.servers import Failure

from . import figures, report
from .crowd import crowd
from .figures import BOTH_CORES, Plan
from .goals import SHAPES
from .instructions import instructions

METHOD = """\
Everything runs on this one machine: where CPU is measured, servers on core 0, Redis and the load on core 1; otherwise where
the kernel puts them. CPU is that of all threads of a process by the kernel's scheduler statistics. Kinds of servers get the
load in turn, {rounds} rounds of {seconds} s, for each of which they are started anew; figures are medians, ratios the medians of the ratios
within rounds. *Bare hiredis* is a program that does the same without any check, envelope or time-out: by one thread, for which clients wait
whenever it waits for Redis, or by two, as ours.
Messages have 100 bytes. nchan runs without a store and with its fast way of publishing, python-socketio with uvloop and the
parser of hiredis."""


def measurements(plan: Plan, peers: Collection[str]) -> dict[str, tuple[str, Callable[[], figures.Figures]]]:
    """Title and measurement, by key. `peers`: the shapes of costs in which they take part."""
    return {
        "latency": ("latency, one message at a time", lambda: figures.latency(plan)),
        "rate": ("publishing as fast as Redis takes it", lambda: figures.rate(plan)),
        **{
            f"costs-{shape}": (f"CPU: {title}", lambda shape=shape: figures.costs(plan, shape, shape in peers))  # type: ignore[misc]
            for shape, title in SHAPES.items()
        },
        "instructions": ("instructions for a message, without the kernel's", lambda: instructions(plan)),
        "redis-cost": ("CPU of Redis", lambda: figures.redis_cost(plan)),
        "resubscribe": ("many topics after a lost connection", lambda: figures.resubscribe(plan)),
        "storm": ("topics that come and go", lambda: figures.storm(plan)),
        "crowd": (f"one message to {plan.connections:,} connections", lambda: crowd(plan)),
    }


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="redis_runner")
    parser.add_argument("--quick", action="store_true", help="only to see that everything works")
    parser.add_argument("--only", default="", help="measurements whose key begins so")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--connections", type=int, help="of the crowd")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("Benchmarks/results/redis"))
    return parser.parse_args(words)


def plan_of(options: argparse.Namespace) -> Plan:
    if options.quick:
        plan = Plan(options.rounds or 1, 0.2, 20_000, 2_000, 1.0, options.connections or 600, 3, (32,))
    else:
        plan = Plan(options.rounds or 9, 0.5, 1_000_000, 100_000, 10.0, options.connections or 100_000, 6)
    _, most = os_limits()
    if plan.connections / plan.servers > most - 100:
        raise Failure(f"{plan.connections} connections on {plan.servers} servers need more descriptors than {most} for each")
    return plan


def os_limits() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)


def merged(path: Path, results: dict[str, Any], is_partial: bool) -> dict[str, Any]:
    """With what is there already of measurements that were not made this time."""
    if not is_partial or not path.exists():
        return results
    return {**json.loads(path.read_text())["results"], **results}


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    if not BOTH_CORES <= os.sched_getaffinity(0):
        raise Failure("servers and their load need a core each, 0 and 1")
    plan = plan_of(options)
    peers: Collection[str] = [] if options.without_peers else list(SHAPES)[:1] if options.quick else SHAPES
    chosen = {key: value for key, value in measurements(plan, peers).items() if key.startswith(options.only)}
    if not chosen:
        raise Failure(f"no measurement begins with {options.only!r}")
    results, failures = {}, []
    for key, (title, measure) in chosen.items():
        print(f"{title} …", file=sys.stderr, flush=True)
        try:
            results[key] = measure()
        except Failure as failure:
            failures.append(f"{title}: {failure}")
            print(f"  failed: {failure}", file=sys.stderr)
    write(options, plan, results, failures)
    return 1 if failures else 0


def write(options: argparse.Namespace, plan: Plan, results: dict[str, Any], failures: list[str]) -> None:
    base = options.output / ("quick" if options.quick else "latest")
    options.output.mkdir(parents=True, exist_ok=True)
    everything = measurements(plan, SHAPES)
    results = merged(base.with_suffix(".json"), results, bool(options.only))
    results = {key: results[key] for key in everything if key in results}
    machine = describe()
    titles = {key: title for key, (title, _) in everything.items()}
    method = METHOD.format(rounds=plan.rounds, seconds=plan.seconds)
    text = report.markdown(results, titles, machine, method)
    if failures:
        text += "\n## Not measured\n\n" + "\n".join(f"- {failure}" for failure in failures) + "\n"
    base.with_suffix(".md").write_text(text)
    whole = {"machine": machine, "results": results, "failures": failures}
    base.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n")
    page = report.page(results, machine)
    if page is not None:
        name = "quick-capacity.html" if options.quick else "capacity.html"
        (options.output / name).write_text(page)
    print(f"results: {base}.md and .json", file=sys.stderr)
