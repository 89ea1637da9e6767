import pytest
from runner.statistics import Summary, paired_ratios


def test_a_summary_has_the_middle_the_ends_and_the_spread() -> None:
    summary = Summary.of([4.0, 1.0, 2.0, 3.0, 5.0])
    assert (summary.median, summary.minimum, summary.maximum) == (3.0, 1.0, 5.0)
    assert summary.spread == pytest.approx(2 / 3)


def test_one_reading_has_no_spread() -> None:
    assert Summary.of([7.0]) == Summary(7.0, 7.0, 7.0, 0.0)


def test_no_readings_have_no_summary() -> None:
    with pytest.raises(ValueError):
        Summary.of([])


def test_a_ratio_is_that_of_neighbours_in_time() -> None:
    # The machine became twice as slow after the first round: the ratio does not change.
    assert paired_ratios({0: 1.1, 1: 2.2, 2: 2.2}, {0: 1.0, 1: 2.0, 2: 2.0}) == pytest.approx([1.1, 1.1, 1.1])


def test_rounds_that_only_one_has_do_not_count() -> None:
    assert paired_ratios({0: 3.0, 1: 9.0}, {0: 1.0}) == [3.0]
    assert paired_ratios({0: 3.0}, {1: 1.0}) == []
