"""Scripts/run-tests: runs test programs, and fails when one of them fails."""

import subprocess

import pytest
from support.programs import ROOT

RUNS = {
    "all pass": (["exit 0", "exit 0", "exit 0"], []),
    "the first fails": (["echo wrong; exit 1", "exit 0", "exit 0"], ["program-0"]),
    "the last fails": (["exit 0", "exit 0", "echo wrong >&2; exit 3"], ["program-2"]),
    "one crashes": (["exit 0", "kill -SEGV $$"], ["program-1"]),
    "two fail": (["exit 1", "exit 0", "exit 2"], ["program-0", "program-2"]),
}


@pytest.mark.parametrize(("programs", "failing"), RUNS.values(), ids=RUNS)
def test_it_fails_when_a_program_fails_and_names_it(tmp_path, programs, failing):
    paths = [tmp_path / f"program-{number}" for number in range(len(programs))]
    for path, program in zip(paths, programs, strict=True):
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(0o755)
    run = subprocess.run([ROOT / "Scripts/run-tests", *paths], capture_output=True, text=True, check=False)
    assert run.returncode == (1 if failing else 0)
    told = run.stdout.splitlines()
    assert sorted(line.removeprefix("== ") for line in told if line.startswith("== ")) == [str(path) for path in paths]
    assert [line for line in told if line.startswith("failed: ")] == (
        ["failed: " + ", ".join(str(tmp_path / name) for name in failing)] if failing else []
    )
    assert told.count("wrong") == sum("wrong" in program for program in programs)
