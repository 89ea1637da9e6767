"""Where and when a measurement was made."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _first(path: str, key: str) -> str:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(key):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return "unknown"


def describe() -> dict[str, str]:
    memory = _first("/proc/meminfo", "MemTotal").removesuffix(" kB")
    commit = _output("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    # Results of the parts that were measured before are changes of this run itself.
    if _output("git", "status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/Benchmarks/results"):
        commit += ", with changes that are not committed"
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 1024 / 1024:.0f} GiB" if memory.isdigit() else memory,
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
    }
