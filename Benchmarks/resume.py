"""
How long it takes until many clients that come back at once have what they have missed.

    resume.py PROGRAM RESULT [--quick]

Clients come in waves, through as many sockets as one process may have: each resets the connection of the one before,
says where it was, and gets what it has missed, while more is published. `make bench-resume` writes the result to
Benchmarks/results/resume.md, and fails if it takes longer than it may.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from runner.machine import describe
from runner.verdict import Judged, write_goals

GOAL_S = 5
CLIENTS, SOCKETS, TOPICS, ROUNDS = 100_000, 19_000, 1_000, 5
QUICK_CLIENTS, QUICK_SOCKETS, QUICK_TOPICS, QUICK_ROUNDS = 4_000, 800, 100, 1
PROGRAMS = 2
LOOPS = 2


class Server:
    """Topics with history, to which it publishes all the time."""

    def __init__(self, program, topics):
        command = [program, "serve", "--topics", str(topics), "--threads", str(LOOPS)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (most, most))
        for line in self._process.stdout:
            if announced := re.search(r"listening on port (\d+)", line):
                self.port = int(announced.group(1))
                return
        sys.exit("bench-resume: the server did not start")

    def cpu_seconds(self):
        total = 0
        for task in os.listdir(f"/proc/{self._process.pid}/task"):
            with open(f"/proc/{self._process.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def stop(self):
        """Its counts."""
        self._process.terminate()
        output = self._process.stdout.read()
        if self._process.wait() != 0:
            sys.exit("bench-resume: the server failed")
        return json.loads(output)


def clients(program, port, topics, count, sockets):
    started = []
    for number in range(PROGRAMS):
        command = [program, "come", "--port", str(port), "--topics", str(topics), "--number", str(number)]
        command += ["--clients", str(count // PROGRAMS), "--sockets", str(sockets // PROGRAMS)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for each in started:
        if each.stdout.readline() != "ready\n":
            sys.exit("bench-resume: the clients did not start")
    return started


def measure(program, topics, count, sockets):
    server = Server(program, topics)
    started = clients(program, server.port, topics, count, sockets)
    cpu = server.cpu_seconds()
    began = time.monotonic()
    for each in started:
        each.stdin.write("go\n")
        each.stdin.flush()
    figures = [json.loads(each.stdout.readline() or "null") for each in started]
    took = time.monotonic() - began
    cpu = server.cpu_seconds() - cpu
    if None in figures or any(each.wait() != 0 for each in started):
        sys.exit("bench-resume: the clients failed")
    counts = server.stop()
    if counts != {"recovered": count, "not_recovered": 0}:
        sys.exit(f"bench-resume: {count} clients came back, but the server says {counts}")
    return {
        "seconds": took,
        "clients": count,
        "server_us": cpu / count * 1e6,
        "clients_us": sum(each["cpu_seconds"] for each in figures) / count * 1e6,
        "p50_ms": statistics.mean(each["p50_ms"] for each in figures),
        "p99_ms": max(each["p99_ms"] for each in figures),
        "most_ms": max(each["most_ms"] for each in figures),
        "messages": sum(each["messages"] for each in figures),
    }


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE).group(1)


def table(rounds):
    def row(name, values):
        return f"| {name} | " + " | ".join(values) + " |\n"

    def figures(one):
        alone = (one["server_us"] + one["clients_us"]) * one["clients"] / 1e6 / os.cpu_count()
        return [
            f"{one['seconds']:.2f} s",
            f"{alone:.2f} s",
            f"{one['server_us']:.1f} µs",
            f"{one['clients_us']:.1f} µs",
        ] + [f"{one[key]:.1f} ms" for key in ("p50_ms", "p99_ms", "most_ms")]

    best = min(rounds, key=lambda one: one["seconds"])
    middle = sorted(rounds, key=lambda one: one["seconds"])[len(rounds) // 2]
    head = ["all of them", "CPU of both ÷ processors", "server's CPU, each", "clients' CPU, each", "a client, p50", "p99", "longest"]
    return (
        row("round", head)
        + row("---", ["---:"] * len(head))
        + row("best", figures(best))
        + row("median", figures(middle))
    )


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("result")
    arguments.add_argument("--quick", action="store_true", help="only to see that it works")
    chosen = arguments.parse_args()
    count, sockets, topics, times = CLIENTS, SOCKETS, TOPICS, ROUNDS
    if chosen.quick:
        count, sockets, topics, times = QUICK_CLIENTS, QUICK_SOCKETS, QUICK_TOPICS, QUICK_ROUNDS
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < sockets + 100:
        sys.exit(f"bench-resume: {sockets} connections need as many descriptors; this machine gives {most}")
    rounds = []
    for _ in range(times):
        rounds.append(measure(chosen.program, topics, count, sockets))
        print(f"{rounds[-1]['seconds']:.2f} s, {rounds[-1]['messages']:,} messages")
    with open(chosen.result, "w", encoding="utf-8") as file:
        file.write(
            "# Clients that come back at once\n\n"
            f"`make bench-resume` on {time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} processors, which the"
            f" server ({LOOPS} loops)\nand {PROGRAMS} programs of clients share. {count:,} clients of {topics:,} topics"
            f" come back with `since` through {sockets:,} sockets, in waves: each is\nthe next on a socket whose"
            " connection is reset, and has missed up to 10 messages of 100 B, and what is published meanwhile. Every"
            f"\none of {times} rounds checks that each client has all messages, once, in order. The goal for all of"
            f" them is {GOAL_S} s. What\nelse runs on the machine makes it longer; the second column is what it would"
            " take with the processors to itself.\n\n" + table(rounds)
        )
    seconds = tuple(one["seconds"] for one in rounds)
    goal = Judged(f"{count:,} clients that come back with `since`, s", GOAL_S, seconds)
    write_goals(Path(chosen.result), describe(), [goal])
    best = min(seconds)
    sys.exit("bench-resume: it takes longer than it may" if best > GOAL_S and not chosen.quick else 0)


if __name__ == "__main__":
    main()
