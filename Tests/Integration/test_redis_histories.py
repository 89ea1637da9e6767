"""
Who continues where it was gets all that it has missed, once, and in order, over several servers, whatever happens to
Redis, to what it keeps, and to servers: plays by seeds, of which 24 are here, or JAZZY_REDIS_SEEDS=FIRST-LAST; a
thousand of them are played by `make nightly-redis`. A play that failed is repeated by its seed, though not to the instant.
"""

import os
import random

import pytest

from support.deadline import eventually
from support.redis.failover import CAUSES, Failover, while_behind
from support.redis.faults import full_disk
from support.redis.history_faults import FAULTS
from support.redis.history_play import HistoryPlay
from support.redis.servers import Redis, RedisWithAClock

FIRST, LAST = map(int, os.environ.get("JAZZY_REDIS_SEEDS", "1-24").split("-"))

HOUR = 3600
YEAR = 365 * 24 * HOUR

# Of so many seeds one has a failover, which takes longer than other faults.
FAILOVER_EACH = 12


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_who_continues_has_everything_once(tmp_path, seed):
    chosen = random.Random(seed)
    options = {"servers": chosen.randint(2, 3), "is_ordered": chosen.random() < 0.2}
    faults = chosen.sample(sorted(FAULTS), 3)
    if seed % FAILOVER_EACH == 0:
        cause = chosen.choice(CAUSES)
        print(f"{seed}: failover {cause.__name__}; {options}")
        with Failover(tmp_path) as pair, HistoryPlay(pair.first, seed, url=pair.url, **options) as play:
            with pair.by(cause, connections=2 * options["servers"]):
                pass
            play.redis = pair.second
            FAULTS[faults[0]](play)
            play.conclude()
    else:
        print(f"{seed}: {', '.join(faults)}; {options}")
        with Redis(tmp_path / "redis") as redis, HistoryPlay(redis, seed, **options) as play:
            for fault in faults:
                FAULTS[fault](play)
                play.await_more()
            play.conclude()


def test_a_replica_that_is_behind_when_it_becomes_the_master(tmp_path):
    with Failover(tmp_path) as pair, HistoryPlay(pair.first, 0, url=pair.url) as play:
        with pair.by(while_behind, connections=4):
            play.await_more()
            not_recovered = play.ledger.not_recovered
        play.redis = pair.second
        # Servers may follow before clients who are ahead of the replica have come back, and been told so.
        eventually(lambda: play.ledger.not_recovered > not_recovered, "clients do not recover")
        play.await_more()
        play.conclude()


def test_a_full_disk(tmp_path):
    """MISCONF: what Redis does not keep nobody gets, and all continue from what it has."""
    with Redis(tmp_path / "redis") as redis, HistoryPlay(redis, 0) as play:
        with full_disk(play):
            eventually(lambda: play.dropped() > 0, "Redis refuses messages")
            play.await_more()
        play.await_more()
        play.conclude()


def test_a_clock_of_redis_that_jumps(tmp_path):
    """Ages are told by it: what it makes too old nobody has in part, and what it makes younger than nothing stays."""
    with RedisWithAClock(tmp_path / "redis") as redis, HistoryPlay(redis, 0) as play:
        for seconds in [HOUR, -HOUR, 20 * YEAR, 0, -20 * YEAR, 7]:
            redis.jump(seconds)
            eventually(lambda seconds=seconds: abs(redis.ahead() - seconds) < 5, "the clock jumps")
            play.await_more()
        play.conclude()


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_fault_alone(tmp_path, fault):
    with Redis(tmp_path / "redis") as redis, HistoryPlay(redis, 0) as play:
        FAULTS[fault](play)
        play.await_more()
        play.conclude()
