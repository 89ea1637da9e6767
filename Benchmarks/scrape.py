"""
What a scrape of the page with metrics takes of its loop, by the server's own measure, beside few and many connections.
`make bench-scrape` writes the result to Benchmarks/results/scrape.md, and fails if it takes longer than it may.
"""

import argparse
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from runner.machine import describe
from runner.verdict import Judged, write_goals

CONNECTIONS, ROUNDS = (10, 1_000, 18_000), 15
QUICK_CONNECTIONS, QUICK_ROUNDS = (10, 100), 2
GOAL_US = 1_000
SCRAPES = 200

UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server:
    """One loop, and a page."""

    def __init__(self, program):
        command = [program, "--port", "0", "--threads", "1"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (most, most))
        for line in self._process.stdout:
            if announced := re.search(r"listening on port (\d+)", line):
                self.port = int(announced.group(1))
                return
        sys.exit("bench-scrape: the server did not start")

    def stop(self):
        self._process.terminate()
        self._process.wait()


class Scraper:
    """A connection that is kept, as Prometheus keeps its own."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._received = b""

    def scrape(self):
        self._socket.sendall(SCRAPE)
        while b"\r\n\r\n" not in self._received:
            self._received += self._socket.recv(1 << 18)
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(body) < length:
            body += self._socket.recv(1 << 18)
        self._received = body[length:]
        return body[:length].decode()

    def loop_seconds(self):
        return float(re.search(r'^jazzy_loop_seconds_total\{loop="0"\} (\S+)$', self.scrape(), re.MULTILINE).group(1))


def websockets(port, count):
    opened = []
    for _ in range(count):
        each = socket.create_connection(("127.0.0.1", port))
        each.sendall(UPGRADE)
        if not each.recv(1024).startswith(b"HTTP/1.1 101"):
            sys.exit("bench-scrape: a WebSocket was refused")
        opened.append(each)
    return opened


def measure(program, count, times):
    """Microseconds of the loop for each scrape, in each round, and the length of the page."""
    server = Server(program)
    try:
        opened = websockets(server.port, count)
        scraper = Scraper(server.port)
        if f"\njazzy_websockets {count}\n" not in scraper.scrape():
            sys.exit("bench-scrape: not all WebSockets are open")
        rounds = []
        for _ in range(times):
            before = scraper.loop_seconds()
            for _ in range(SCRAPES - 1):
                scraper.scrape()
            rounds.append((scraper.loop_seconds() - before) / SCRAPES * 1e6)
        length = len(scraper.scrape())
        for each in opened:
            each.close()
    finally:
        server.stop()
    return rounds, length


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE).group(1)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("result")
    arguments.add_argument("--quick", action="store_true", help="only to see that it works")
    chosen = arguments.parse_args()
    counts, times = (QUICK_CONNECTIONS, QUICK_ROUNDS) if chosen.quick else (CONNECTIONS, ROUNDS)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows, judged, fails = [], [], False
    for count in counts:
        if count + 100 > most:
            sys.exit(f"bench-scrape: {count} connections need as many descriptors; this machine gives {most}")
        rounds, length = measure(chosen.program, count, times)
        best, median = min(rounds), statistics.median(rounds)
        fails = fails or best > GOAL_US
        judged.append(Judged(f"loop time of a scrape beside {count:,} WebSockets, µs", GOAL_US, tuple(rounds)))
        rows.append(f"| {count:,} | {best:.0f} µs | {median:.0f} µs | {length:,} |")
        print(rows[-1])
    with open(chosen.result, "w", encoding="utf-8") as file:
        file.write(
            "# What a scrape takes of its loop\n\n"
            f"`make bench-scrape` on {time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} processors, by the"
            " server's own\nmeasure (`jazzy_loop_seconds_total`): one loop, a connection that is kept,"
            f" {times} rounds of {SCRAPES} scrapes. The goal is {GOAL_US:,} µs.\n\n"
            "That counts the time, too, in which other programs have the processor; so the best round says most.\n\n"
            "| WebSockets | a scrape, best round | median of the rounds | bytes of the page |\n| ---: | ---: | ---: | ---: |\n"
            + "".join(f"{row}\n" for row in rows)
        )
    write_goals(Path(chosen.result), describe(), judged)
    sys.exit("bench-scrape: a scrape takes longer than it may" if fails and not chosen.quick else 0)


if __name__ == "__main__":
    main()
