"""Servers that ask Sentinel for the master follow it, and tell what was lost on the way."""

import pytest

from support.redis.failover import CAUSES, Failover
from support.redis.play import Play


@pytest.fixture
def pair(tmp_path):
    with Failover(tmp_path) as pair:
        yield pair


@pytest.mark.parametrize("cause", CAUSES)
def test_every_gap_of_a_failover_is_told(pair, cause):
    with Play(pair.first, url_of=lambda name: pair.url) as play:
        play.perform(pair.by(cause, connections=4))
        play.stop()


def test_the_master_is_found_although_one_sentinel_is_away(pair):
    url = pair.url.replace("//", "//127.0.0.1:1,")
    with Play(pair.first, url_of=lambda name: url) as play:
        play.perform(play.nothing(), count=3)
        play.stop()
