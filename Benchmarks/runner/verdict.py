"""What the rounds of a measurement say about a goal: met, not met, or within noise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from statistics import median
from typing import Any

MET, NOT_MET, WITHIN_NOISE, NOT_MEASURED = "met", "not met", "within noise", "not measured"
DOUBT = 0.05  # how likely the median may lie outside of its interval

RULE = """\
*Measured* is the median of the rounds, and *interval* is where the true median lies with a probability of 95 %, whichever
way figures are distributed: from the k-th least to the k-th greatest round, k by the binomial distribution. With fewer
than nine rounds it is from the least to the greatest of them, which says less the fewer there are. A goal is met where
the whole interval is, not met where none of it is, and otherwise within noise: this run proves neither. A figure that was
taken once is its own interval."""


def median_interval(readings: Sequence[float]) -> tuple[float, float]:
    """Where the median of all that could be read lies: the confidence interval of the sign test."""
    count = len(readings)
    outside, rank = 1.0, 0  # how likely fewer than `rank` + 1 readings are below the median; ranks from 0
    while 2 * (outside + comb(count, rank + 1)) / 2**count <= DOUBT:
        rank += 1
        outside += comb(count, rank)
    ordered = sorted(readings)
    return ordered[rank], ordered[count - 1 - rank]


@dataclass(frozen=True)
class Judged:
    """A goal with the figure of each round; with none where nothing was measured."""

    text: str
    limit: float
    readings: tuple[float, ...]
    is_least: bool = False  # the limit is the least, instead of the most

    @property
    def measured(self) -> float | None:
        return median(self.readings) if self.readings else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return median_interval(self.readings) if self.readings else None

    @property
    def verdict(self) -> str:
        if self.interval is None:
            return NOT_MEASURED
        met = [end >= self.limit if self.is_least else end <= self.limit for end in self.interval]
        return MET if all(met) else WITHIN_NOISE if any(met) else NOT_MET

    def as_json(self) -> dict[str, Any]:
        return {"goal": self.text, "limit": self.limit, "is_least": self.is_least, "readings": list(self.readings),
                "measured": self.measured, "interval": self.interval, "verdict": self.verdict}  # fmt: skip

    @staticmethod
    def of_json(entry: dict[str, Any]) -> Judged:
        return Judged(entry["goal"], entry["limit"], tuple(entry["readings"]), entry["is_least"])


def write_goals(beside: Path, machine: dict[str, str], all_judged: Sequence[Judged]) -> None:
    """Next to a result that is written in words, for the table of all goals."""
    whole = {"machine": machine, "goals": [judged.as_json() for judged in all_judged]}
    beside.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n")


HEAD = ["goal", "limit", "measured", "interval", "rounds", ""]


def number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.{digits}f}"


def row(judged: Judged) -> list[str]:
    """Its cells in a table of goals."""
    limit = number(judged.limit)
    limit = limit.rstrip("0").rstrip(".") if "." in limit else limit
    low, high = judged.interval or (None, None)
    interval = "–" if len(judged.readings) < 2 else f"{number(low)}–{number(high)}"
    verdict = f"**{judged.verdict}**" if judged.verdict == NOT_MET else judged.verdict
    return [judged.text, f"{'≥' if judged.is_least else '≤'} {limit}", number(judged.measured), interval,
            str(len(judged.readings)), verdict]  # fmt: skip


RIVALS_HEAD = ["peer", "Jazzy, C ÷ it", "interval", "rounds"]


def rival_row(judged: Judged) -> list[str]:
    text, _, *figures, _ = row(judged)
    return [text, *figures]


def counted(all_judged: Sequence[Judged]) -> str:
    """How many goals are what."""
    verdicts = [judged.verdict for judged in all_judged]
    return ", ".join(f"{verdicts.count(kind)} {kind}" for kind in (MET, WITHIN_NOISE, NOT_MET, NOT_MEASURED))
