"""Programs that stand in for servers and for bench-load."""

from __future__ import annotations

import sys
from pathlib import Path

SERVER = """\
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
{then}
"""

LOAD = """\
import json, sys
arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
reading = {{
    "workload": sys.argv[1], "connections": int(arguments.get("--connections", 64)), "size": int(arguments.get("--size", 20)),
    "depth": 1, "payload": "binary", "deflate": False, "idle": 0, "burst": 1, "messages": 1,
    "rate": int(arguments.get("--rate", 0)), "seconds": float(arguments["--seconds"]), "messages_per_second": 1.0,
    "latency_us": {{"p50": 1.0, "p99": 2.0, "p99.9": 3.0, "max": 4.0}}, "server_cpu_us_per_message": 5.0,
    "server_cpu_share": 0.9, "client_cpu_us_per_message": 5.0, "client_cpu_share": 0.99, "client_is_the_limit": True,
    "received_bytes_per_message": 22.0, "memory_bytes": None}}
{then}
print(json.dumps(reading))
"""


def server(folder: Path, then: str = "time.sleep(60)", name: str = "server") -> str:
    """A command for a server that does that once it listens."""
    program = folder / f"{name}.py"
    program.write_text(SERVER.format(then=then))
    return f"{sys.executable} {program} {{port}}"


def load(folder: Path, then: str = "") -> str:
    """A program that says what bench-load would, after doing that."""
    program = folder / "load"
    program.write_text(f"#!{sys.executable}\n" + LOAD.format(then=then))
    program.chmod(0o755)
    return str(program)
