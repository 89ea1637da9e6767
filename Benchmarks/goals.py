"""
One table of all goals: what the latest results of each kind of measurement say about them.

    goals.py [--quick]

The end of `make bench` writes it to Benchmarks/results/goals.md, from the results that are there, whenever they were made.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis_runner import goals as redis_goals
from runner import goals as server_goals
from runner import verdict
from runner.measurement import Results
from runner.verdict import Judged

RESULTS = Path("Benchmarks/results")


def of_servers(whole: dict[str, Any]) -> list[Judged]:
    return [*server_goals.judge(Results.of_json(whole["workloads"])), *server_goals.judge_micro(whole["micro"])]


def written(whole: dict[str, Any]) -> list[Judged]:
    return [Judged.of_json(entry) for entry in whole["goals"]]


def of_redis(whole: dict[str, Any]) -> list[Judged]:
    return redis_goals.judge(whole["results"])


@dataclass(frozen=True)
class Part:
    title: str
    result: str  # with {}, where a quick run has its prefix
    command: str
    goals: Callable[[dict[str, Any]], list[Judged]] = written


PARTS = [
    Part("Servers side by side; codec and session", "{latest}.json", "make bench-servers", of_servers),
    # A run of these rows alone: only where there is none of all rows.
    Part("TLS", "tls/{latest}.json", "make bench-servers ONLY=tls", of_servers),
    Part("Topics shared through Redis", "redis/{latest}.json", "make bench-redis", of_redis),
    Part("Clients that come back", "{quick-}resume.json", "make bench-resume"),
    Part("The page with metrics", "{quick-}scrape.json", "make bench-scrape"),
    Part("Instructions", "{quick-}instructions.json", "make bench-instruction-goals"),
]


def path_of(part: Part, results: Path, quick: bool) -> Path:
    name = part.result.replace("{latest}", "quick" if quick else "latest").replace("{quick-}", "quick-" if quick else "")
    return results / name


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown(results: Path, quick: bool) -> str:
    origins, tables, everything, rivals = [], [], [], []
    seen: set[str] = set()
    for part in PARTS:
        path = path_of(part, results, quick)
        whole = json.loads(path.read_text()) if path.exists() else None
        judged = [each for each in part.goals(whole) if each.text not in seen] if whole else []
        if not judged and whole:
            continue
        machine = whole["machine"] if whole else {}
        origins.append([part.title, f"`{part.command}`", machine.get("date", "never"), machine.get("commit", "–")])
        seen |= {each.text for each in judged}
        everything += judged
        if whole and part.goals is of_servers:
            rivals += server_goals.rivals(Results.of_json(whole["workloads"]))
        if judged:
            tables.append(f"## {part.title}\n\n{table(verdict.HEAD, [verdict.row(each) for each in judged])}")
    parts = ["# All goals", f"{verdict.counted(everything)}.", table(["part", "measured by", "on", "commit"], origins)]
    beaten = table(verdict.RIVALS_HEAD, [verdict.rival_row(each) for each in rivals]) if rivals else "None, beyond noise."
    parts += ["## Peers that need less than ours", beaten, "## How a goal is judged"]
    return "\n\n".join([*parts, verdict.RULE, *tables]) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="what the quick runs left")
    chosen = arguments.parse_args()
    path = RESULTS / ("quick-goals.md" if chosen.quick else "goals.md")
    path.write_text(markdown(RESULTS, chosen.quick))
    print(f"all goals: {path}")


if __name__ == "__main__":
    main()
