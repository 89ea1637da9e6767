#!/usr/bin/env python3
"""Guards the number of instructions per message: counts them with callgrind, and compares with baseline.json.

    compare.py PROGRAM [--compiler gcc] [--tolerance 3]   compare; exit 1 if a scenario became worse, by over 3 %
    compare.py PROGRAM [--compiler gcc] --update          write the current counts into baseline.json
    compare.py PROGRAM --sources Sources/ ...             count only what was compiled from that folder
    compare.py PROGRAM --goals FILE                       count only what goals are about, and write them there

Counts do not depend on other work of the machine, so that a few percent are significant, unlike with times. They do
depend on the compiler, the C library (whose copying code depends on the processor), zlib and valgrind. Only counts of
the same toolchain are compared. baseline.json has one set for each; if it has none for the current one, nothing is
compared, and a message says so; this is no failure.

The compiler is Debian's gcc: it changes only with the distribution, and valgrind supports its debug information, while
the valgrind of Debian 12 does not support that of Swift's clang. valgrind does not know AVX-512: the code for older
processors runs instead.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

BASELINE = pathlib.Path(__file__).with_name("baseline.json")
UPDATE = "make bench-instructions-baseline"
TOLERANCE = 0.03  # where none is asked for
# What a scenario may take at most, as a multiple of another: a goal, whatever the baseline says.
GOALS = {"served-publish-kept-125B-to-1": ("served-publish-125B-to-1", 1.15)}
# The difference of two runs excludes the cost of starting and preparing. Both numbers are even, because payloads
# alternate, and have the same number of digits, because those are parsed, too. They are far apart, because the cost of
# starting varies by a few hundred instructions.
FEW_TURNS, MANY_TURNS = 100, 900
# The caller's environment is not to move anything in memory. Without ERMS, because valgrind counts "rep movsb" as one
# instruction for each byte: copies and zlib's zeroing would drown everything else.
ENVIRONMENT = {"PATH": os.defpath, "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS"}

Counts = dict[str, float]
Toolchain = dict[str, str]


@dataclass
class Row:
    """One scenario: instructions per message; None where there is no such scenario on that side."""

    scenario: str
    baseline: float | None
    now: float | None
    tolerance: float = TOLERANCE

    @property
    def change(self) -> float | None:
        if self.baseline is None or self.now is None:
            return None
        return self.now / self.baseline - 1

    @property
    def is_better(self) -> bool:
        return self.change is not None and self.change < -self.tolerance

    @property
    def complaint(self) -> str | None:
        if self.baseline is None:
            return f"{self.scenario} is not in the baseline: add it with `{UPDATE}`"
        if self.now is None:
            return f"{self.scenario} is in the baseline and was not counted: bring it back, or `{UPDATE}`"
        change = self.now / self.baseline - 1
        if change > self.tolerance:
            return (
                f"{self.scenario} takes {self.now:.1f} instructions per message, {change:.1%} more than the "
                f"{self.baseline:.1f} of the baseline ({self.tolerance:.1%} are allowed): make it cheaper again; or, where "
                f"what it buys is worth that, `{UPDATE}` and say so in the commit"
            )
        return None


def compare(baseline: Counts, now: Counts, tolerance: float = TOLERANCE) -> list[Row]:
    scenarios = [*now, *(scenario for scenario in baseline if scenario not in now)]
    return [Row(scenario, baseline.get(scenario), now.get(scenario), tolerance) for scenario in scenarios]


def table(rows: list[Row]) -> str:
    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    def change(row: Row) -> str:
        return "-" if row.change is None else f"{row.change:+.2%}"

    cells = [("instructions per message", "baseline", "now", "change")]
    cells += [(row.scenario, number(row.baseline), number(row.now), change(row)) for row in rows]
    width = max(len(scenario) for scenario, *_ in cells)
    return "\n".join(f"{name:{width}}  {before:>10}  {now:>10}  {by:>8}" for name, before, now, by in cells)


def missed_goals(rows: list[Row]) -> list[str]:
    counts = {row.scenario: row.now for row in rows if row.now is not None}
    return [
        f"{scenario} takes {counts[scenario] / counts[other]:.3f} times what {other} does, and {most} is the goal"
        for scenario, (other, most) in GOALS.items()
        if scenario in counts and other in counts and counts[scenario] > most * counts[other]
    ]


def verdict(rows: list[Row]) -> int:
    """Prints what is wrong with each scenario, and what is better than before. Returns the exit status."""
    complaints = [row.complaint for row in rows if row.complaint is not None] + missed_goals(rows)
    for complaint in complaints:
        print(f"bench-instructions: {complaint}", file=sys.stderr)
    better = [row.scenario for row in rows if row.is_better]
    if better and not complaints:
        print(f"Better than the baseline by more than is tolerated: {', '.join(better)}. `{UPDATE}` keeps it so.")
    return 1 if complaints else 0


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def first_line_of(*command: str) -> str:
    return output_of(*command).splitlines()[0]


def processor() -> str:
    """The C library chooses its copying code by the processor's features that valgrind supports."""
    machine = platform.machine()
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    return f"{machine} with AVX2" if "avx2" in flags else machine


def count_of_sources(profile: str, sources: str) -> int:
    """The instructions in functions from files whose path contains `sources`, by callgrind's profile."""
    files: dict[str, str] = {}
    total, is_counted, is_cost_of_call = 0, False, False
    for line in profile.splitlines():
        file = re.match(r"(c?)f[lie]=\((\d+)\)(?: (.*))?$", line)
        if file is not None:
            of_callee, number, name = file.groups()
            files.setdefault(number, name or "")  # the name stands only where its number comes first
            if not of_callee:
                is_counted = sources in files[number]
        elif line.startswith("calls="):
            is_cost_of_call = True
        elif re.match(r"[+*\d-]", line):
            if is_counted and not is_cost_of_call:
                total += int(line.split()[1])
            is_cost_of_call = False
    return total


def count(program: pathlib.Path, scenario: str, turns: int, sources: str | None = None) -> int:
    valgrind = shutil.which("valgrind") or "valgrind"
    with tempfile.NamedTemporaryFile("r", prefix="callgrind-") as profile:
        command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={profile.name}"]
        command += [f"./{program.name}", scenario, str(turns)]
        run = subprocess.run(command, cwd=program.parent, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        collected = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode != 0 or collected is None:
            sys.exit(f"bench-instructions: {' '.join(command)} failed:\n{run.stderr}")
        if sources is None:
            return int(collected.group(1))
        return count_of_sources(profile.read(), sources)


def measure(
    program: pathlib.Path, compiler: str, sources: str | None = None, only: set[str] | None = None
) -> tuple[Toolchain, Counts]:
    zlib, *scenarios = output_of(str(program), "--list").splitlines()
    toolchain = {
        "compiler": first_line_of(compiler, "--version"),
        "library": " ".join(platform.libc_ver()),
        "zlib": zlib,
        "valgrind": first_line_of("valgrind", "--version"),
        "processor": processor(),
    }
    counts = {}
    for line in scenarios:
        scenario, messages = line.split()
        if only is not None and scenario not in only:
            continue
        few, many = (count(program, scenario, turns, sources) for turns in (FEW_TURNS, MANY_TURNS))
        counts[scenario] = round((many - few) / (MANY_TURNS - FEW_TURNS) / int(messages), 2)
    return toolchain, counts


def describe(toolchain: Toolchain) -> str:
    return ", ".join(toolchain.values())


def update(entries: list[dict], toolchain: Toolchain, counts: Counts) -> list[dict]:
    others = [entry for entry in entries if entry["toolchain"] != toolchain]
    return [*others, {"toolchain": toolchain, "instructions_per_message": counts}]


def baseline_of(entries: list[dict], toolchain: Toolchain) -> Counts | None:
    for entry in entries:
        if entry["toolchain"] == toolchain:
            return entry["instructions_per_message"]
    return None


def judge(baseline: Counts | None, toolchain: Toolchain, counts: Counts, tolerance: float = TOLERANCE) -> int:
    rows = compare(baseline or {}, counts, tolerance)
    print(table(rows), flush=True)
    if baseline is not None:
        return verdict(rows)
    print(
        f"bench-instructions: NOT COMPARED: {BASELINE.name} has nothing for {describe(toolchain)}. To compare with an "
        f"older revision, check it out, `{UPDATE}`, and come back.",
        file=sys.stderr,
    )
    return 0


def write_goals(path: pathlib.Path, toolchain: Toolchain, counts: Counts) -> None:
    """For the table of all goals: a count needs no rounds."""
    goals = [
        {"goal": f"instructions of {scenario}, of {other}'s", "limit": most, "is_least": False,
         "readings": [counts[scenario] / counts[other]]}
        for scenario, (other, most) in GOALS.items()
    ]  # fmt: skip
    machine = {"date": datetime.date.today().isoformat(), "commit": first_line_of("git", "rev-parse", "--short=12", "HEAD")}
    path.write_text(json.dumps({"machine": machine | toolchain, "goals": goals}, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Guards the instructions that a message costs.")
    parser.add_argument("program", type=pathlib.Path, help="bench-instructions, as the compiler built it")
    parser.add_argument("--compiler", default="gcc", help="what built it (default: %(default)s)")
    parser.add_argument("--sources", metavar="FOLDER", help="count only what was compiled from there, as in Sources/")
    parser.add_argument("--baseline", type=pathlib.Path, default=BASELINE, help="the file (default: beside this one)")
    parser.add_argument("--update", action="store_true", help="write baseline.json instead of comparing with it")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE * 100,
        metavar="PERCENT",
        help="how much more than the baseline a scenario may take (default: %(default)g)",
    )
    parser.add_argument("--goals", type=pathlib.Path, metavar="FILE", help="write what goals are about instead of comparing")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    if not program.exists():
        parser.error(f"{arguments.program} is not there: `make bench-instructions` builds it")
    for tool in ("valgrind", arguments.compiler):
        if shutil.which(tool) is None:
            parser.error(f"{tool} is missing: `make bench-instructions` installs what is needed")
    kept = arguments.baseline
    entries = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
    only = {name for scenario, (other, _) in GOALS.items() for name in (scenario, other)} if arguments.goals else None
    toolchain, counts = measure(program, arguments.compiler, arguments.sources, only)
    if arguments.goals:
        write_goals(arguments.goals, toolchain, counts)
        return 0
    baseline = baseline_of(entries, toolchain)
    if not arguments.update:
        return judge(baseline, toolchain, counts, arguments.tolerance / 100)
    print(table(compare(baseline or {}, counts)))
    kept.write_text(json.dumps(update(entries, toolchain, counts), indent=2) + "\n", encoding="utf-8")
    print(f"{kept} now has these for {describe(toolchain)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
