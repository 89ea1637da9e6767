import json
from pathlib import Path

import pytest
from runner import verdict
from runner.verdict import MET, NOT_MEASURED, NOT_MET, WITHIN_NOISE, Judged, median_interval, number


@pytest.mark.parametrize(
    ("count", "interval"),
    [
        # From tables of the sign test's confidence interval of a median, 95 %: ranks from 1.
        (1, (1, 1)),
        (2, (1, 2)),
        (8, (1, 8)),
        (9, (2, 8)),
        (11, (2, 10)),
        (12, (3, 10)),
        (20, (6, 15)),
        (33, (11, 23)),
    ],
)
def test_the_interval_of_a_median_is_that_of_the_sign_test(count: int, interval: tuple[int, int]) -> None:
    assert median_interval(range(count, 0, -1)) == interval


AROUND_ONE = (0.95, 0.98, 0.99, 0.995, 1.0, 1.0, 1.005, 1.01, 1.02, 1.05, 2.0)  # interval: 0.98 to 1.05


@pytest.mark.parametrize(
    ("readings", "limit", "is_least", "expected"),
    [
        (AROUND_ONE, 1.06, False, MET),
        (AROUND_ONE, 1.05, False, MET),  # a limit may be reached
        (AROUND_ONE, 1.04, False, WITHIN_NOISE),
        (AROUND_ONE, 0.98, False, WITHIN_NOISE),
        (AROUND_ONE, 0.97, False, NOT_MET),
        (AROUND_ONE, 0.97, True, MET),
        (AROUND_ONE, 0.98, True, MET),
        (AROUND_ONE, 1.0, True, WITHIN_NOISE),
        (AROUND_ONE, 1.06, True, NOT_MET),
        ((134.6,), 136, False, MET),  # taken once: it has no noise
        ((136.1,), 136, False, NOT_MET),
        ((1.0, 1.2), 1.1, False, WITHIN_NOISE),
        ((1.0, 1.0), 1.1, False, MET),
        ((), 1.0, False, NOT_MEASURED),
        ((), 1.0, True, NOT_MEASURED),
    ],
)
def test_a_goal_is_met_where_its_whole_interval_is(
    readings: tuple[float, ...], limit: float, is_least: bool, expected: str
) -> None:
    assert Judged("g", limit, readings, is_least).verdict == expected


def test_one_round_that_went_wrong_changes_no_verdict() -> None:
    assert Judged("g", 1.03, (*[1.0] * 10, 7.0)).verdict == MET


@pytest.mark.parametrize(
    ("judged", "cells"),
    [
        (Judged("g", 1.03, AROUND_ONE), ["g", "≤ 1.03", "1.000", "0.980–1.050", "11", "within noise"]),
        (Judged("g", 1.0, (1.5,)), ["g", "≤ 1", "1.500", "–", "1", "**not met**"]),
        (Judged("g", 10_000, (3_004.0,)), ["g", "≤ 10,000", "3,004", "–", "1", "met"]),
        (Judged("g", 100, (67.3, 68.5, 70.0)), ["g", "≤ 100", "68.500", "67.300–70.000", "3", "met"]),
        (Judged("g", 0.9, (), True), ["g", "≥ 0.9", "–", "–", "0", "not measured"]),
    ],
)
def test_a_row_tells_the_limit_the_median_its_interval_and_the_verdict(judged: Judged, cells: list[str]) -> None:
    assert verdict.row(judged) == cells


def test_numbers_have_as_many_digits_as_say_something() -> None:
    assert [number(value) for value in (None, 0.5, 12.3456, 134.56, 12345.6)] == ["–", "0.500", "12.346", "134.6", "12,346"]


def test_verdicts_are_counted() -> None:
    goals = [Judged("g", 1, readings) for readings in ((0.5,), (2.0,), (0.5, 2.0), (0.9,), ())]
    assert verdict.counted(goals) == "2 met, 1 within noise, 1 not met, 1 not measured"


def test_what_is_written_down_is_judged_alike_when_it_is_read(tmp_path: Path) -> None:
    goal = Judged("g", 1.0, AROUND_ONE, is_least=True)
    verdict.write_goals(tmp_path / "result.md", {"date": "2026-01-01"}, [goal])
    whole = json.loads((tmp_path / "result.json").read_text())
    assert whole["machine"] == {"date": "2026-01-01"} and whole["goals"][0]["verdict"] == WITHIN_NOISE
    assert Judged.of_json(whole["goals"][0]) == goal
