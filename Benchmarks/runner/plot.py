"""The results at a glance: CPU per message of each server as a multiple of the floor's, as an SVG."""

from __future__ import annotations

from pathlib import Path

from .goals import CPU
from .measurement import Results
from .workloads import C, FLOOR, SWIFT

COLOURS = {C: "#0b6e99", SWIFT: "#e8702a", "uWebSockets": "#444444"}
OTHERS = ["#8fbcd4", "#b7b7b7", "#d9a441", "#7a9e7e", "#a487b8", "#c98686", "#c2c2a3", "#9fb4c7"]


def ratios(results: Results) -> dict[str, dict[str, float]]:
    """By workload title and label, for the workloads that have a floor."""
    found: dict[str, dict[str, float]] = {}
    for workload in results.workloads:
        if workload.runs[0].label != FLOOR:
            continue
        row = {run.label: results.ratio(workload.key, run.label, FLOOR, CPU) for run in workload.runs[1:]}
        found[workload.title] = {label: ratio for label, ratio in row.items() if ratio is not None}
    return {title: row for title, row in found.items() if row}


def draw(results: Results, path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "jazzy"  # the same picture is the same file
    from matplotlib import pyplot

    rows = ratios(results)
    labels = list(dict.fromkeys(label for row in rows.values() for label in row))
    unnamed = [label for label in labels if label not in COLOURS]
    colours = {**COLOURS, **{label: OTHERS[i % len(OTHERS)] for i, label in enumerate(unnamed)}}
    height = 0.5 + 0.17 * sum(len(row) + 1.5 for row in rows.values())
    figure, axes = pyplot.subplots(figsize=(10, max(height, 2)))
    position, ticks = 0.0, []
    for title, row in rows.items():
        ticks.append((position + (len(row) - 1) / 2, title.replace(", ", ",\n", 1)))
        for label, ratio in row.items():
            axes.barh(position, ratio, color=colours[label], height=0.9)
            axes.text(ratio * 1.02, position, f"{label} {ratio:.2f}", va="center", fontsize=7)
            position += 1
        position += 1.5
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(0.5, max([ratio for row in rows.values() for ratio in row.values()], default=1) * 2)
    axes.set_yticks([tick for tick, _ in ticks], [title for _, title in ticks], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("server CPU time per message, as a multiple of the floor's (less is better)")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
