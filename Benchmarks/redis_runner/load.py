"""Runs of bench-redis-load."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from runner.servers import Failure, Server, prepare_child

from .services import OTHER_CORES, RELEASE

PATIENCE_SECONDS = 180


def json_of(command: list[str], cores: set[int]) -> dict[str, Any]:
    """What a program writes that measures itself."""
    try:
        finished = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, preexec_fn=lambda: prepare_child(cores)
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{command[0]} took more than {PATIENCE_SECONDS} s") from error
    if finished.returncode != 0:
        raise Failure(f"{command[0]}: {finished.stderr.strip()}")
    try:
        return json.loads(finished.stdout)
    except ValueError as error:
        raise Failure(f"{command[0]} wrote no JSON: {finished.stdout[:200]!r}") from error


def run_load(
    workload: str, publisher: Server, receiver: Server | None, arguments: tuple[str, ...], pids: list[int], seconds: float,
    cores: set[int] = OTHER_CORES,
) -> dict[str, Any]:  # fmt: skip
    """Publishes on one server, and receives on the other."""
    command = [f"{RELEASE}/bench-redis-load", workload, "--publish-port", str(publisher.port)]
    command += ["--port", str(receiver.port)] if receiver is not None else []
    command += [*arguments, "--seconds", str(seconds), "--warm-up", str(max(0.05, seconds / 3))]
    for pid in pids:
        command += ["--pid", str(pid)]
    reading = json_of(command, cores)
    for server in (publisher, receiver):
        if server is not None:
            server.check()
    return reading
