"""
Plays whose faults, members and order are chosen by a seed: the first 20 of them, or JAZZY_REDIS_SEEDS=FIRST-LAST, of
which a thousand are played by `make nightly-redis`. A play that failed is repeated by its seed, though not to the
instant.
"""

import os
import random

import pytest

from support.redis.failover import CAUSES, Failover
from support.redis.faults import FAULTS
from support.redis.play import Play
from support.redis.servers import Redis

FIRST, LAST = map(int, os.environ.get("JAZZY_REDIS_SEEDS", "1-20").split("-"))

# Of so many seeds one has a failover, which takes longer than other faults.
FAILOVER_EACH = 10


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_every_gap_is_told(tmp_path, seed):
    chosen = random.Random(seed)
    faults = chosen.sample(sorted(FAULTS), chosen.randint(1, 2))
    cause = chosen.choice(CAUSES)
    names = ("ann", "bob", "cid")[: chosen.randint(2, 3)]
    options = {"seed": seed, "names": names, "is_ordered": chosen.random() < 0.3}
    # A few messages at a time, or as many as there can be.
    paces = [chosen.choice([(chosen.randint(5, 30), 0.006), (chosen.randint(50, 150), 0)]) for _ in faults]
    is_quiet = chosen.random() < 0.3
    if seed % FAILOVER_EACH == 0:
        print(f"{seed}: failover {cause.__name__}; {options}{', quiet' if is_quiet else ''}")
        with Failover(tmp_path) as pair, Play(pair.first, url_of=lambda name: pair.url, **options) as play:
            play.perform(pair.by(cause, connections=2 * len(names)), *paces[0], is_quiet=is_quiet)
            play.stop()
    else:
        print(f"{seed}: {', '.join(faults)}; {options}{', quiet' if is_quiet else ''}")
        with Redis(tmp_path / "redis") as redis, Play(redis, **options) as play:
            for fault, pace in zip(faults, paces, strict=True):
                play.perform(FAULTS[fault](play), *pace, is_quiet=is_quiet)
            play.stop()
