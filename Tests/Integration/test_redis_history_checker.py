"""That the checker of histories notices what must not be, and nothing else."""

import pytest

from support.redis.resuming import NOWHERE, Ledger

BEGINNING = {"epoch": "e", "offset": 5, "recovered": True, "count": 2}


def take(ledger, name, offset, text, epoch="e"):
    ledger.take(name, (epoch, offset), text)


def all_is_well(ledger):
    assert ledger.begin("ann", ("e", 5), BEGINNING) == ("e", 5)
    assert ledger.begin("bob", ("d", 5), {**BEGINNING, "recovered": False, "count": 0}) == ("e", 5)
    for name in ("ann", "bob"):
        take(ledger, name, 6, "m x 1 ")
        take(ledger, name, 7, "m y 1 ")
    take(ledger, "bob", 6, "m z 1 ", epoch="f")
    assert ledger.begin("bob", ("d", 6), {"epoch": NOWHERE, "offset": 0, "recovered": False, "count": 0}) == (NOWHERE, 0)
    take(ledger, "bob", 1, "m x 1 ", epoch=NOWHERE)
    take(ledger, "bob", 1, "m x 2 ", epoch=NOWHERE)
    ledger.check("ann", ["m x 1 ", "m y 1 ", "m x 3 "])


def a_message_is_missed(ledger):
    take(ledger, "ann", 6, "m x 1 ")
    take(ledger, "ann", 7, "m x 2 ")
    take(ledger, "bob", 6, "m x 2 ")


def a_message_comes_twice(ledger):
    ledger.check("ann", ["m x 1 ", "m x 2 ", "m x 2 "])


def messages_change_places(ledger):
    ledger.check("ann", ["m x 1 ", "m x 3 ", "m x 2 "])


def a_position_means_two(ledger):
    take(ledger, "ann", 6, "m x 1 ")
    take(ledger, "bob", 6, "m y 1 ")


def it_continues_elsewhere(ledger):
    ledger.begin("ann", ("e", 4), BEGINNING)


def it_continues_in_another_epoch(ledger):
    ledger.begin("ann", ("d", 5), BEGINNING)


def it_continues_nowhere(ledger):
    ledger.begin("ann", (NOWHERE, 5), {**BEGINNING, "epoch": NOWHERE})


def old_messages_come_without_recovery(ledger):
    ledger.begin("ann", ("e", 1), {**BEGINNING, "recovered": False})


def test_nothing_is_wrong_where_all_is_well():
    ledger = Ledger()
    all_is_well(ledger)
    assert not ledger.complaints
    assert (ledger.recovered, ledger.not_recovered, ledger.received) == (1, 2, 7)


@pytest.mark.parametrize(
    "wrong",
    [
        a_message_is_missed,
        a_message_comes_twice,
        messages_change_places,
        a_position_means_two,
        it_continues_elsewhere,
        it_continues_in_another_epoch,
        it_continues_nowhere,
        old_messages_come_without_recovery,
    ],
)
def test_it_is_noticed(wrong):
    ledger = Ledger()
    wrong(ledger)
    assert len(ledger.complaints) == 1
