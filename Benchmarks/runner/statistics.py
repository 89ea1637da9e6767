"""Medians, spreads, and ratios of figures of the same round."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Summary:
    """Several readings of one figure."""

    median: float
    minimum: float
    maximum: float
    spread: float  # the interquartile range as a part of the median

    @staticmethod
    def of(readings: list[float]) -> Summary:
        if not readings:
            raise ValueError("there is nothing to summarise")
        middle = median(readings)
        if len(readings) < 2 or middle == 0:
            return Summary(middle, min(readings), max(readings), 0.0)
        lower, _, upper = quantiles(readings, n=4, method="inclusive")
        return Summary(middle, min(readings), max(readings), (upper - lower) / middle)


def paired_ratios(readings: dict[int, float], others: dict[int, float]) -> list[float]:
    """The ratios in the rounds that both have.

    The machine's mood changes from minute to minute and hits both of a round alike.
    """
    return [readings[turn] / others[turn] for turn in sorted(readings) if others.get(turn)]
