"""
The differential check: the same byte streams through our session and through the sans-I/O layers of websockets and
wsproto come to the same messages, the same answers and the same close codes, but for the table in differences.py.
"""

from dataclasses import dataclass

import pytest

import ours
import rules
import streams
from differences import DIFFERENCES, explanation
from outcome import Outcome
from references import REFERENCES

CASES = (
    *rules.edges(),
    *rules.edges_of_compression(),
    *rules.broken_rules(),
    *streams.conversations(100, "valid"),
    *streams.conversations(100, "compressed", is_compressed=True),
    *streams.conversations(100, "compressed, controls apart", is_compressed=True, controls_between=False),
    *streams.conversations_that_we_close(50, "closed by us"),
    *streams.damaged_conversations(200, "damaged"),
    *streams.damaged_conversations(150, "damaged compressed", is_compressed=True),
    *streams.damaged_conversations(
        150, "damaged compressed, controls apart", is_compressed=True, controls_between=False
    ),
)


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    echoes: list
    theirs: dict  # by name of the reference


@pytest.fixture(scope="module")
def results():
    """The result of every case, by its name."""
    return {
        case.name: Result(outcome, echoes, {name: run(case) for name, run in REFERENCES.items()})
        for case, (outcome, echoes) in zip(CASES, ours.run(CASES))
    }


def named(cases):
    return [pytest.param(case, id=case.name) for case in cases]


def test_there_are_hundreds_of_cases_of_different_names():
    assert len(CASES) > 1000
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("case", named(CASES))
def test_it_comes_to_the_same(results, case, reference):
    result = results[case.name]
    theirs = result.theirs[reference]
    if result.outcome.compared() != theirs.compared():
        assert explanation(reference, case, result.outcome, theirs), f"\nours:   {result.outcome}\ntheirs: {theirs}"


@pytest.mark.parametrize("case", named(case for case in CASES if case.events is not None))
def test_what_breaks_no_rule_is_told_as_it_was_said(results, case):
    assert results[case.name].outcome.events == list(case.events)
    assert results[case.name].outcome.why == ""


@pytest.mark.parametrize("case", named(case for case in CASES if case.failure))
def test_a_broken_rule_is_found(results, case):
    assert results[case.name].outcome.why == case.failure


@pytest.mark.parametrize("case", named(CASES))
def test_a_client_gets_back_what_was_told(results, case):
    told = [event for event in results[case.name].outcome.events if event[0] in ("text", "binary")]
    assert results[case.name].echoes == told


@pytest.mark.parametrize("difference", [pytest.param(each, id=each.name) for each in DIFFERENCES])
def test_every_difference_in_the_table_is_there(results, difference):
    for reference in difference.references:
        explained = {
            explanation(reference, case, results[case.name].outcome, results[case.name].theirs[reference])
            for case in CASES
            if results[case.name].outcome.compared() != results[case.name].theirs[reference].compared()
        }
        assert difference in explained, f"{reference} does as we do: the row can go"
