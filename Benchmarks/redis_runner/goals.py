"""What is wanted, and whether it was reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.verdict import Judged

# The figures of the rounds stand beside the median, under its name and this.
ROUNDS = "_rounds"


@dataclass(frozen=True)
class Goal:
    text: str
    path: tuple[str, ...]  # to the figure in the results
    limit: float
    is_least: bool = False  # the limit is the least, instead of the most


def judge(results: dict[str, Any]) -> list[Judged]:
    """Only what is about measurements that were made."""
    return [
        Judged(goal.text, goal.limit, _readings(results, goal.path), goal.is_least) for goal in GOALS if goal.path[0] in results
    ]


def _readings(results: dict[str, Any], path: tuple[str, ...]) -> tuple[float, ...]:
    """Those of the rounds, which are beside what they became; or that alone, where it was taken once."""
    place: Any = results
    for key in path[:-1]:
        place = place.get(key) if isinstance(place, dict) else None
    if not isinstance(place, dict) or place.get(path[-1]) is None:
        return ()
    return tuple(place.get(f"{path[-1]}{ROUNDS}") or [place[path[-1]]])


def _cost(figure: str, text: str, shape: str, words: str, kind: str, limit: float) -> Goal:
    return Goal(f"{text}, of {kind}'s: {words}", (f"costs-{shape}", "servers", kind, f"{figure}_of_it"), limit)


SHAPES = {
    "one-by-one": "one receiver, one message at a time",
    "in-flight": "one receiver, 32 in flight",
    "many": "100 receivers, one message at a time",
    "many-in-flight": "100 receivers, 8 in flight",
}

GOALS = [
    Goal("added latency through Redis, p50, µs", ("latency", "added_us", "p50"), 100),
    Goal("added latency through Redis, p99, µs", ("latency", "added_us", "p99"), 300),
    Goal("publishing rate of one process, of redis-benchmark's", ("rate", "of_redis_benchmark"), 0.9, is_least=True),
    Goal("CPU of publishing by itself, of bare hiredis's", ("rate", "cpu_of_bare"), 1.3),
    *(
        _cost(figure, text, shape, SHAPES[shape], kind, 1.3)
        for kind in ("bare hiredis", "bare hiredis, two threads")
        for shape in ("one-by-one", "in-flight")
        for figure, text in (("published_cpu_us", "CPU per published message"), ("received_cpu_us", "CPU per received message"))
    ),
    *(
        _cost("delivered_cpu_us", "CPU per delivered message", shape, words, kind, 1 / 3)
        for kind in ("nchan", "python-socketio")
        for shape, words in SHAPES.items()
    ),
    Goal("100,000 topics subscribed again, s", ("resubscribe", "seconds"), 1.0),
    Goal("part of a core for 10,000 topics a second that come and go", ("storm", "part_of_a_core"), 0.2),
]
