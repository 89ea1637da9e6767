"""
Plays whose faults, members and order are chosen by a seed: the first 20 of them, or JAZZY_REDIS_SEEDS=FIRST-LAST, of
which a thousand are played by `make nightly-redis`. A play that failed is repeated by its seed.
"""

import os
import random

import pytest

from support.redis.faults import FAULTS
from support.redis.play import Play
from support.redis.servers import Redis

FIRST, LAST = map(int, os.environ.get("JAZZY_REDIS_SEEDS", "1-20").split("-"))


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_every_gap_is_told(tmp_path, seed):
    chosen = random.Random(seed)
    faults = chosen.sample(sorted(FAULTS), chosen.randint(1, 2))
    names = ("ann", "bob", "cid")[: chosen.randint(2, 3)]
    is_ordered = chosen.random() < 0.3
    print(f"{seed}: {', '.join(faults)}; {len(names)} members{', ordered' if is_ordered else ''}")
    with Redis(tmp_path / "redis") as redis, Play(redis, seed=seed, names=names, is_ordered=is_ordered) as play:
        for fault in faults:
            # A few messages at a time, or as many as there can be.
            count, pause = chosen.choice(((chosen.randint(5, 30), 0.006), (chosen.randint(50, 150), 0)))
            play.perform(FAULTS[fault](play), count=count, pause=pause)
        play.stop()
