"""One run of bench-load."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from .servers import Failure, Server, prepare_child

PATIENCE_SECONDS = 120

# The expected echo of bench-load's settings, by flag.
ECHOED = {"--connections": "connections", "--size": "size", "--depth": "depth", "--payload": "payload",
          "--burst": "burst", "--idle": "idle", "--tls": "tls", "--handshakes": "handshakes", "--rate": "rate",
          "--large": "large", "--connects": "connects", "--slow": "slow", "--page": "page"}  # fmt: skip
SWITCHES = {"--deflate": "deflate", "--resume": "resume", "--apart": "apart"}


def check_reading(reading: dict[str, Any], arguments: list[str]) -> None:
    """A reading of something else than was asked for must not get into a table."""
    if reading.get("workload") != arguments[0]:
        raise Failure(f"bench-load measured {reading.get('workload')}, not {arguments[0]}")
    for flag, value in zip(arguments, arguments[1:]):
        key = ECHOED.get(flag)
        if key is not None and str(reading.get(key)) != value:
            raise Failure(f"bench-load measured {key} {reading.get(key)}, not {value}")
    for flag, key in SWITCHES.items():
        if reading.get(key, False) != (flag in arguments):
            raise Failure(f"bench-load and the runner disagree about {flag}")


def run_load(program: str, arguments: list[str], server: Server, cores: set[int]) -> dict[str, Any]:
    command = [program, *arguments, "--port", str(server.port), "--pid", str(server.pid)]
    try:
        finished = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, preexec_fn=lambda: prepare_child(cores)
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{server.name}: bench-load {arguments[0]} took more than {PATIENCE_SECONDS} s") from error
    if finished.returncode != 0:
        server.check()
        raise Failure(f"{server.name}: {finished.stderr.strip()}")
    try:
        reading = json.loads(finished.stdout)
    except ValueError as error:
        raise Failure(f"{server.name}: bench-load wrote no JSON: {finished.stdout[:200]!r}") from error
    check_reading(reading, arguments)
    return reading
