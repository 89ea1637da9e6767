"""The checker of the tests of Redis finds what it is there for: logs with planted faults, and logs without any."""

import pytest

from support.redis.checker import Gap, Journal, Log, Message, faults, losses, orders


def journal_of(count=6, publishers=("ann",)):
    """Each publisher's message of number N is published at the time N."""
    journal = Journal()
    for number in range(1, count + 1):
        for publisher in publishers:
            journal.note("news", publisher, time=number)
    return journal


def log_of(*entries, begin=0, **options):
    """Entries: a number is a message of ann, or ("bob", N); "gap" is told right after, or ("gap", TIME) then."""
    log = Log("eve", **options)
    log.begin("news", time=begin)
    now = begin
    for entry in entries:
        kind, value = entry if isinstance(entry, tuple) else ("ann", entry)
        if entry == "gap":
            log.add("news", Gap(now + 0.5))
        elif kind == "gap":
            log.add("news", Gap(value))
        else:
            now = max(now, value)
            log.add("news", Message(kind, value, value))
    return log


@pytest.mark.parametrize(
    "entries",
    [
        (1, 2, 3, 4, 5, 6),
        (1, 2, ("gap", 4.5), 5, 6),
        (1, 2, "gap", 3, 4, 5, 6),
        (1, 2, ("gap", 3.5), 4, ("gap", 9), 6),
        (1, 2, 3, ("gap", 6.5)),
        (("gap", 2.5), 3, 4, 5, 6),
        (("gap", 7),),
        # Nothing of this publisher was heard before: that these are not its first ones is told as soon as possible.
        (3, 4, ("gap", 4.5), 5, 6),
    ],
)
def test_a_log_that_is_right_is_accepted(entries):
    journal, log = journal_of(), log_of(*entries)
    assert [*faults(journal, log), *losses(journal, log)] == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((1, 2, 4, 5, 6), "ann 3 to 3 did not come, and no gap was told"),
        ((2, 3, 4, 5, 6), "ann 1 to 1 did not come, and no gap was told"),
        ((1, 2, 3), "ann 4 to 6 did not come, and no gap was told"),
        ((), "ann 1 to 6 did not come, and no gap was told"),
        # Of two gaps one is told, before or behind the other, or in another place.
        ((1, ("gap", 2.5), 3, 4, 6), "ann 5 to 5 did not come, and no gap was told"),
        ((1, 3, 4, ("gap", 9), 6), "ann 2 to 2 did not come, and no gap was told"),
        (("gap", 2, 3, 4, 5, 6), "ann 1 to 1 did not come, and the last gap was told before 1 was published"),
        (("gap", 1, 2, 4, 5, 6, "gap"), "ann 3 to 3 did not come, and no gap was told"),
        # Who reads the state when it is told this does not read message 4.
        ((1, 2, ("gap", 3.5), 5, 6), "ann 3 to 4 did not come, and the last gap was told before 4 was published"),
        ((1, 2, ("gap", 4.5)), "ann 3 to 6 did not come, and the last gap was told before 6 was published"),
    ],
)
def test_a_silent_gap_is_found(entries, expected):
    assert [*losses(journal_of(), log_of(*entries))] == [f"eve: news: {expected}"]


def test_a_gap_of_another_publisher_is_found_where_one_of_the_first_was_told():
    journal = journal_of(publishers=("ann", "bob"))
    entries = [(name, number) for number in range(1, 7) for name in ("ann", "bob")]
    entries.remove(("ann", 2))
    entries.insert(2, ("gap", 2.5))
    assert [*losses(journal, log_of(*entries))] == []
    entries.remove(("bob", 5))
    assert [*losses(journal, log_of(*entries))] == ["eve: news: bob 5 to 5 did not come, and no gap was told"]


def test_what_was_published_before_it_subscribed_need_not_come():
    assert [*losses(journal_of(), log_of(4, 5, 6, begin=3.5))] == []
    assert len([*losses(journal_of(), log_of(5, 6, begin=3.5))]) == 1


def test_a_notice_is_no_excuse_where_nothing_may_be_lost():
    log = log_of(1, 2, ("gap", 9), 4, 5, 6, must_hear=["ann"])
    assert [*losses(journal_of(), log)] == ["eve: news: ann 3 to 3 did not come, which nothing excuses"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((1, 2, 2, 3), "ann 2 came twice"),
        ((1, 2, 3, 1), "ann 1 came twice"),
        ((1, 2, "gap", 2, 3), "ann 2 came twice"),
        ((1, 3, 2), "ann 2 came after 3"),
        ((1, 3, "gap", 2), "ann 2 came after 3"),
        ((1, 7), "ann 7 was never published"),
        ((1, ("bob", 1)), "bob 1 was never published"),
    ],
)
def test_a_wrong_message_is_found(entries, expected):
    assert [*faults(journal_of(), log_of(*entries))] == [f"eve: news: {expected}"]


def test_a_message_that_comes_back_to_its_sender_is_found():
    journal, log = journal_of(), log_of(1, own="ann")
    assert [*faults(journal, log)] == ["eve: news: ann 1 came back to its sender"]
    assert [*losses(journal, log)] == []


def test_another_order_at_another_subscriber_is_found():
    journal = journal_of(publishers=("ann", "bob"))
    one = log_of(("ann", 1), ("bob", 1), "gap", ("bob", 2))
    same = log_of(("ann", 1), ("bob", 1), ("ann", 2), ("bob", 2))
    other = log_of(("bob", 1), ("ann", 1), ("bob", 2))
    assert [*orders(journal, [one, same])] == []
    assert [*orders(journal, [one, other])] == ["news: where eve got ('ann', 1), eve got ('bob', 1)"]
    assert [*orders(journal, [one, other], is_calm=lambda time: time > 1)] == []
