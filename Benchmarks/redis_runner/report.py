"""The results as Markdown, as JSON, and as the page that calculates with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner import verdict

from .goals import ROUNDS, SHAPES, judge

PAGE = Path(__file__).with_name("capacity.html")
PLACE_OF_FIGURES = "/* figures */ {}"


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _goals(results: dict[str, Any]) -> str:
    judged = judge(results)
    table = _table(verdict.HEAD, [verdict.row(each) for each in judged])
    return "\n\n".join([f"{verdict.counted(judged)}.", table, verdict.RULE])


def _flat(figures: dict[str, Any], before: str = "") -> list[list[str]]:
    rows = []
    for name, value in figures.items():
        if name.endswith(ROUNDS):
            continue
        title = f"{before}{name.replace('_', ' ')}"
        rows += _flat(value, f"{title}: ") if isinstance(value, dict) else [[title, _number(value)]]
    return rows


def _costs(figures: dict[str, Any]) -> str:
    columns = {
        "published_cpu_us": "publishing server, µs/published",
        "received_cpu_us": "receiving server, µs/published",
        "redis_cpu_us": "Redis, µs/published",
        "delivered_cpu_us": "servers, µs/delivered",
        "delivered_cpu_us_of_it": "ours ÷ it",
        "delivered_with_redis_cpu_us_of_it": "with Redis's: ours ÷ it",
        "published_per_second": "published/s",
        "latency_p50_us": "p50 µs",
    }
    rows = [[name, *(_number(row[column]) for column in columns)] for name, row in figures["servers"].items()]
    failed = "".join(f"\n\n{name} failed: {why}" for name, why in figures.get("failed_peers", {}).items())
    return _table(["server", *columns.values()], rows) + failed


def markdown(results: dict[str, Any], titles: dict[str, str], machine: dict[str, str], method: str) -> str:
    parts = ["# Servers that share their topics through Redis"]
    parts += [_table(["", ""], [[key, value] for key, value in machine.items()]), method, "## Goals", _goals(results)]
    for key, figures in results.items():
        parts += [f"## {titles[key][0].upper()}{titles[key][1:]}"]
        parts += [_costs(figures) if "servers" in figures and "receivers" in figures else _table(["", ""], _flat(figures))]
    return "\n\n".join(parts) + "\n"


# What the page calculates with, by the path to it in the results.
USED = {
    "own_bytes": ("crowd", "own_bytes_after_messages"),
    "kernel_bytes": ("crowd", "kernel_bytes"),
    "crowd": ("crowd", "connections"),
    "crowd_servers": ("crowd", "servers"),
    "crowd_first_ms": ("crowd", "message_ms", "first"),
    "crowd_median_ms": ("crowd", "message_ms", "median"),
    "crowd_last_ms": ("crowd", "message_ms", "last"),
    "publish_us": ("costs-one-by-one", "servers", "Jazzy", "published_cpu_us"),
    "receive_us": ("costs-one-by-one", "servers", "Jazzy", "received_cpu_us"),
    "deliver_us": ("costs-many", "servers", "Jazzy", "delivered_cpu_us"),
    "redis_publish_us": ("redis-cost", "published_cpu_us"),
    "redis_subscriber_us": ("redis-cost", "subscriber_cpu_us"),
    "added_p50_us": ("latency", "added_us", "p50"),
}


def used_figures(results: dict[str, Any]) -> dict[str, float] | None:
    """None: something is missing."""
    figures: dict[str, float] = {}
    for name, path in USED.items():
        value: Any = results
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return None
        figures[name] = value
    return figures


def page(results: dict[str, Any], machine: dict[str, str]) -> str | None:
    figures = used_figures(results)
    if figures is None:
        return None
    whole = {**figures, "date": machine["date"], "processor": machine["processor"], "cores": machine["cores"]}
    return PAGE.read_text().replace(PLACE_OF_FIGURES, json.dumps(whole, indent=1))


__all__ = ["SHAPES", "markdown", "page", "used_figures"]
