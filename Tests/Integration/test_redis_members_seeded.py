"""
Plays of members, whose faults and order are chosen by a seed: the first 12 of them, or JAZZY_REDIS_SEEDS=FIRST-LAST, of
which a thousand are played by `make nightly-redis`. A play that failed is repeated by its seed, though not to the
instant.
"""

import os
import random

import pytest

from support.redis.member_play import FAULTS, LONG_PAUSE_EACH, MemberPlay, a_long_pause_of_a_server
from support.redis.servers import Redis

FIRST, LAST = map(int, os.environ.get("JAZZY_REDIS_SEEDS", "1-12").split("-"))

STEPS = 12


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_all_servers_know_who_is_there(tmp_path, seed):
    chosen = random.Random(seed)
    options = {"servers": chosen.randint(2, 3), "is_ordered": chosen.random() < 0.2}
    names = chosen.sample(sorted(FAULTS), 3)
    faults = [FAULTS[name] for name in names]
    if seed % LONG_PAUSE_EACH == 0:
        faults.append(a_long_pause_of_a_server)
    print(f"{seed}: {', '.join(names)}; {options}")
    with Redis(tmp_path / "redis") as redis, MemberPlay(redis, seed, **options) as play:
        play.steps(STEPS)
        for fault in faults:
            fault(play)
            play.steps(STEPS)
        play.conclude()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(tmp_path, fault):
    with Redis(tmp_path / "redis") as redis, MemberPlay(redis, 0) as play:
        play.steps(STEPS)
        FAULTS[fault](play)
        play.steps(STEPS)
        play.conclude()
