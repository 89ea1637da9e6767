"""Servers that ask Sentinel for the master follow it, and tell what was lost on the way."""

import contextlib

import pytest

from support.deadline import eventually
from support.redis.play import Play
from support.redis.servers import Redis, Sentinel


@pytest.fixture
def first(tmp_path):
    with Redis(tmp_path / "first") as server:
        yield server


@pytest.fixture
def second(tmp_path, first):
    with Redis(tmp_path / "second") as server:
        server.follow(first)
        yield server


@pytest.fixture
def sentinel(tmp_path, first, second):
    with Sentinel(tmp_path / "sentinel", first) as server:
        eventually(lambda: server.replica_ports() == {second.port}, "Sentinel knows the replica")
        yield server


@contextlib.contextmanager
def _asked_for(first, sentinel):
    sentinel.call("SENTINEL", "FAILOVER", "main")
    yield


@contextlib.contextmanager
def _by_a_kill(first, sentinel):
    first.kill()
    yield


@contextlib.contextmanager
def _while_suspended(first, sentinel):
    """The old master comes back, and first does not know that it is none any more."""
    first.suspend()
    yield
    eventually(lambda: sentinel.master_port() != first.port, "Sentinel chooses the other one")
    first.resume()


@pytest.mark.parametrize("cause", [_asked_for, _by_a_kill, _while_suspended])
def test_every_gap_of_a_failover_is_told(first, second, sentinel, cause):
    url = f"redis-sentinel://127.0.0.1:{sentinel.port}/main"

    @contextlib.contextmanager
    def failover():
        with cause(first, sentinel):
            yield
        eventually(lambda: sentinel.master_port() == second.port, "Sentinel chooses the replica")
        eventually(lambda: len(second.connections_of_members()) == 4, "all follow")

    with Play(first, url_of=lambda name: url) as play:
        play.perform(failover())
        play.stop()


def test_it_is_found_although_one_sentinel_is_away(first, second, sentinel):
    url = f"redis-sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/main"
    with Play(first, url_of=lambda name: url) as play:
        play.perform(play.nothing(), count=3)
        play.stop()
