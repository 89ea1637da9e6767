"""The command line: see `make bench`."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import goals, plot, report
from .machine import describe
from .measurement import CLIENT_CORES, Plan, Results, measure
from .servers import Failure, parse_peer
from .workloads import (
    NEAR_A_LIMIT,
    RELEASE,
    SECRETS,
    Peer,
    Workload,
    all_tails,
    all_workloads,
    quick_tails,
    quick_workloads,
)

METHOD = """\
Servers run on core 0 and bench-load on core 1. All servers of a workload run at the same time and take turns under load,
{rounds} rounds of {seconds} s each after {warm_up} s of warm-up, so that the moods of the machine hit all alike; {factor} times
as many where figures are near their limits; peers that no goal is about take part in nine. Each round starts them anew, so
that where their buffers lie averages out, and takes them in the opposite order of the one before. CPU is the server's time of
all its threads by the kernel's scheduler statistics. TLS is with X25519, AES-128-GCM and a certificate for an ECDSA key on
P-256, by the client's choice. Figures are medians; ratios are medians of the ratios within rounds; spread is least to most,
and the interquartile range. ⚠: the client was the limit of the rate."""
REAL_TIME = " All of it ran with real-time priority, so that no other program interrupted it."


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="runner")
    parser.add_argument("--quick", action="store_true", help="only to see that everything works")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="{port} in it is the port")
    parser.add_argument("--deflate-peer", action="append", default=[], metavar="NAME=COMMAND",
                        help="how to start that peer with permessage-deflate")  # fmt: skip
    parser.add_argument("--tls-peer", action="append", default=[], metavar="NAME=COMMAND",
                        help=f"how to start that peer with TLS: {SECRETS}")  # fmt: skip
    parser.add_argument("--peers", type=Path, help="a JSON file of peers")
    parser.add_argument("--tails", action="store_true", help="the slowest echoes by the clock, and nothing else")
    parser.add_argument("--only", default="", help="workloads whose key begins so")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--micro", action="store_true", help="bench-micro, too")
    parser.add_argument("--allow-shared-core", action="store_true", help="on a machine with one core")
    parser.add_argument("--load-program", default=f"{RELEASE}/bench-load")
    parser.add_argument("--output", type=Path, default=Path("Benchmarks/results"))
    return parser.parse_args(words)


def peers_of(options: argparse.Namespace) -> list[Peer]:
    peers = []
    compressing = dict(parse_peer(text) for text in options.deflate_peer)
    securing = dict(parse_peer(text) for text in options.tls_peer)
    for text in options.peer:
        name, command = parse_peer(text)
        peers.append(Peer(name, command, compressing.get(name), securing.get(name)))
    if options.peers is not None:
        for entry in json.loads(options.peers.read_text()):
            command = entry["command"]
            if os.access(command.split()[0], os.X_OK):
                deflating = f"{command} --deflate" if entry["deflate"] else None
                peers.append(Peer(entry["name"], command, deflating, f"{command} {SECRETS}" if entry["tls"] else None))
    return peers


def chosen(options: argparse.Namespace) -> list[Workload]:
    peers = peers_of(options)
    _, most_descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    if options.tails:
        workloads = quick_tails() if options.quick else all_tails(most_descriptors)
    else:
        workloads = quick_workloads(peers) if options.quick else all_workloads(peers, most_descriptors)
    found = [workload for workload in workloads if workload.key.startswith(options.only)]
    if not found:
        raise Failure(f"no workload begins with {options.only!r}; there are {', '.join(w.key for w in workloads)}")
    return found


def run_micro(quick: bool) -> list[dict[str, Any]]:
    command = [f"{RELEASE}/bench-micro", "--json", *(["--repetitions", "3", "--milliseconds", "2"] if quick else [])]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise Failure(f"bench-micro: {finished.stderr.strip()}")
    return json.loads(finished.stdout)["rows"]


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    cores = os.sched_getaffinity(0)
    if not {0, *CLIENT_CORES} <= cores and not options.allow_shared_core:
        raise Failure("a server and its client need a core each, 0 and 1: --allow-shared-core measures all the same")
    rounds = options.rounds or (2 if options.quick else 11)
    seconds = options.seconds or (0.1 if options.quick else 0.3)
    plan = Plan(options.load_program, rounds, seconds, warm_up=0.05 if options.quick else 0.15)
    workloads = chosen(options)
    results = Results()
    for workload in workloads:
        print(f"{workload.title} …", file=sys.stderr, flush=True)
        measure(workload, plan, results)
    micro = run_micro(options.quick) if options.micro else []

    machine = describe()
    judged = [*goals.judge(results), *goals.judge_micro(micro)]
    method = METHOD.format(factor=NEAR_A_LIMIT, rounds=rounds, seconds=seconds, warm_up=plan.warm_up)
    if os.sched_getscheduler(0) == os.SCHED_FIFO:
        method += REAL_TIME
    name = "quick" if options.quick else "latest"
    options.output.mkdir(parents=True, exist_ok=True)
    base = options.output / name
    base.with_suffix(".md").write_text(report.markdown(results, judged, machine, method, micro))
    base.with_suffix(".json").write_text(json.dumps(report.as_json(results, judged, machine, micro), indent=1) + "\n")
    if not options.tails:
        plot.draw(results, base.with_suffix(".svg"))
    print(f"results: {base}.md and .json", file=sys.stderr)
    for failure in results.failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if results.failures else 0

