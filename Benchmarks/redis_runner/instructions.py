"""
Instructions per message, counted by callgrind: those of the server, of hiredis and of libc, without the kernel's. They show
what code costs without the switches between threads and processes, but depend on how many messages come at once: hiredis
moves what it has read and not parsed yet, again and again.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from runner.servers import Failure, Server, free_port

from .figures import BOTH_CORES, Figures, Plan
from .load import run_load
from .services import BARE, BARE_THREADS, JAZZY, Kind, redis, servers

END_SECONDS = 60
SIDES = {"publishes": 0, "receives": 1}


def instructions(plan: Plan) -> Figures:
    """
    Of the publishing and of the receiving server, for each message of 100 bytes to one receiver, by messages in flight.
    What starting takes is not in it: a short run is taken away from a longer one.
    """
    short = plan.seconds
    counted: Figures = {}
    with redis(BOTH_CORES) as broker, tempfile.TemporaryDirectory() as folder:
        for depth in plan.depths:
            row: Figures = {}
            for kind in (JAZZY, BARE, BARE_THREADS):
                program = _without_debugging_information(kind, Path(folder))
                row[kind.name] = {
                    side: _per_message(kind, program, broker.port, depth, number, (short, 8 * short), Path(folder) / "out")
                    for side, number in SIDES.items()
                }
            counted[f"{depth}_in_flight"] = row | _ratios(row)
    return counted


def _ratios(row: Figures) -> Figures:
    """Ours as a part of theirs."""
    ours = row[JAZZY.name]
    return {
        f"of_{kind.name}": {side: ours[side] / row[kind.name][side] for side in SIDES} for kind in (BARE, BARE_THREADS)
    }


def _without_debugging_information(kind: Kind, folder: Path) -> str:
    """The command of the kind; valgrind does not understand the debugging information of every compiler."""
    program, *arguments = kind.command.split()
    copy = folder / Path(program).name
    subprocess.run(["objcopy", "--strip-debug", program, copy], check=True)
    return shlex.join(["valgrind", "--quiet", "--tool=callgrind", str(copy)]) + " " + " ".join(arguments)


def _per_message(
    kind: Kind, command: str, redis_port: int, depth: int, side: int, seconds: tuple[float, float], output: Path
) -> float:
    (few, before), (many, after) = (_count(kind, command, redis_port, depth, side, part, output) for part in seconds)
    return (after - before) / (many - few)


def _count(
    kind: Kind, command: str, redis_port: int, depth: int, side: int, seconds: float, output: Path
) -> tuple[int, int]:
    """How many messages there were, and how many instructions in all."""
    output.unlink(missing_ok=True)
    port = free_port()
    words = command.format(port=port, redis=redis_port)
    counted = Server(f"{kind.name} in valgrind", words.replace("callgrind ", f"callgrind --callgrind-out-file={output} ", 1),
                     BOTH_CORES, port)  # fmt: skip
    with servers(kind, redis_port, 1, BOTH_CORES) as (other,), contextlib.ExitStack() as stack:
        stack.callback(counted.stop)
        counted.start()
        pair = (counted, other) if side == 0 else (other, counted)
        reading = run_load("deliver", *pair, ("--depth", str(depth)), [], seconds, BOTH_CORES)
        assert counted.process is not None
        counted.process.terminate()
        counted.process.wait(END_SECONDS)
    found = re.search(r"^(?:summary|totals): (\d+)", output.read_text() if output.exists() else "", re.MULTILINE)
    if found is None:
        raise Failure(f"valgrind did not count {kind.name}: {counted.said()}")
    return int(reading["published"]), int(found[1])
