"""
One table of all goals: what the latest results of each kind of measurement say about them.

    goals.py [--quick] [--keep]

The end of `make bench` writes it to Benchmarks/results/goals.md, from the results that are there, whenever they were made,
and keeps what they say, so that the next table can tell of three runs.
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
KEPT = "runs.json"  # what the last runs of everything said, the newest first
RUNS = 3
TOGETHER = """\
*Runs before* are the medians of the two runs of everything before, the newer first, and *together* is the verdict of the
readings of all three. A goal whose limit has changed since has no runs before."""


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
    Part("Servers side by side, also with TLS; codec and session", "{latest}.json", "make bench-servers", of_servers),
    Part("Tails", "tails/{latest}.json", "make bench-tails", of_servers),
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


@dataclass(frozen=True)
class Said:
    """What the result of a part says."""

    part: Part
    machine: dict[str, str]
    judged: list[Judged]
    rivals: list[Judged]


def all_said(results: Path, quick: bool) -> list[Said]:
    said: list[Said] = []
    for part in PARTS:
        path = path_of(part, results, quick)
        whole = json.loads(path.read_text()) if path.exists() else None
        rivals = server_goals.rivals(Results.of_json(whole["workloads"])) if whole and part.goals is of_servers else []
        said.append(Said(part, whole["machine"] if whole else {}, part.goals(whole) if whole else [], rivals))
    return said


def kept_runs(results: Path) -> list[list[Judged]]:
    path = results / KEPT
    runs = json.loads(path.read_text()) if path.exists() else []
    return [[Judged.of_json(entry) for entry in run] for run in runs]


def keep(results: Path) -> None:
    newest = [each for said in all_said(results, quick=False) for each in said.judged]
    runs = [run for run in [newest, *kept_runs(results)] if run][:RUNS]
    whole = [[each.as_json() for each in run] for run in runs]
    (results / KEPT).write_text(json.dumps(whole, indent=1) + "\n")


def earlier(judged: Judged, runs: list[list[Judged]]) -> list[Judged]:
    """The same goal in the runs before."""
    same = [each for run in runs for each in run if (each.text, each.limit) == (judged.text, judged.limit)]
    return [each for each in same if each.readings != judged.readings]


def together(judged: Judged, runs: list[list[Judged]]) -> Judged:
    readings = tuple(reading for each in (judged, *earlier(judged, runs)) for reading in each.readings)
    return Judged(judged.text, judged.limit, readings, judged.is_least)


def with_earlier(judged: Judged, runs: list[list[Judged]]) -> list[str]:
    """Its cells, with the medians of runs before, and what all readings together say."""
    medians = ", ".join(verdict.number(each.measured) for each in earlier(judged, runs))
    return [*verdict.row(judged), *([medians, *verdict.row(together(judged, runs))[-1:]] if medians else ["–", "–"])]


def counted(said: list[Said], runs: list[list[Judged]]) -> str:
    """How many goals are what, in this run and in all that are kept."""
    judged = [each for part in said for each in part.judged]
    if not any(earlier(each, runs) for each in judged):
        return f"{verdict.counted(judged)}."
    all_together = verdict.counted([together(each, runs) for each in judged])
    return f"This run: {verdict.counted(judged)}. Together with the runs before: {all_together}."


def markdown(results: Path, quick: bool) -> str:
    said = all_said(results, quick)
    runs = [] if quick else kept_runs(results)
    head = [*verdict.HEAD[:-1], "this run", "runs before", "together"]
    origins = [
        [each.part.title, f"`{each.part.command}`", each.machine.get("date", "never"), each.machine.get("commit", "–")]
        for each in said
    ]
    rivals = [verdict.rival_row(rival) for each in said for rival in each.rivals]
    return "\n\n".join([
        "# All goals", counted(said, runs), table(["part", "measured by", "on", "commit"], origins),
        "## Peers that need less than ours", table(verdict.RIVALS_HEAD, rivals) if rivals else "None, beyond noise.",
        "## How a goal is judged", f"{verdict.RULE} {TOGETHER}",
        *(f"## {each.part.title}\n\n{table(head, [with_earlier(judged, runs) for judged in each.judged])}"
          for each in said if each.judged),
    ]) + "\n"  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="what the quick runs left")
    arguments.add_argument("--keep", action="store_true", help="keep what this run says beside those before")
    chosen = arguments.parse_args()
    if chosen.keep:
        keep(RESULTS)
    path = RESULTS / ("quick-goals.md" if chosen.quick else "goals.md")
    path.write_text(markdown(RESULTS, chosen.quick))
    print(f"all goals: {path}")


if __name__ == "__main__":
    main()
