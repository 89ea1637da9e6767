"""Servers that are to share their topics over Redis, where Redis is not as they expect it when they start."""

import contextlib

import pytest

from support.deadline import eventually
from support.deployment import free_port
from support.programs import REDIS_PROBE
from support.redis.checker import Journal
from support.redis.members import PATIENTLY, QUICKLY, Member
from support.redis.play import Play
from support.redis.servers import Redis, Sentinel
from support.server import run_to_end


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as server:
        yield server


def failure_to_start(url, times=PATIENTLY):
    """What a server says that ends because it cannot reach Redis."""
    flags = [word for pair in times.items() for word in pair]
    code, text = run_to_end([REDIS_PROBE, "--port", 0, "--redis", url, *flags])
    assert code == 1
    return text


def test_nobody_listens():
    port = free_port()
    text = failure_to_start(f"redis://127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in text
    assert "Connection refused" in text


@pytest.mark.parametrize("user", ["", ":guess@", "someone:guess@"])
def test_the_password_is_wrong(redis, user):
    redis.configure("requirepass", "secret")
    redis.password = "secret"
    text = failure_to_start(f"redis://{user}127.0.0.1:{redis.port}")
    assert "NOAUTH" in text or "WRONGPASS" in text
    assert "guess" not in text, "a password stands in the message"


def test_it_is_a_replica(redis, tmp_path):
    with Redis(tmp_path / "other") as replica:
        replica.follow(redis)
        text = failure_to_start(replica.url)
        assert "replica" in text or "slave" in text


def test_it_does_not_answer(redis):
    redis.suspend()
    text = failure_to_start(redis.url, times=QUICKLY)
    assert str(redis.port) in text


def test_sentinel_does_not_know_the_name(redis, tmp_path):
    with Sentinel(tmp_path / "sentinel", redis) as sentinel:
        text = failure_to_start(f"redis-sentinel://127.0.0.1:{sentinel.port}/another")
        assert "another" in text


@contextlib.contextmanager
def _away(redis):
    redis.kill()
    yield
    redis.start()


@contextlib.contextmanager
def _with_another_password(redis):
    redis.call("CONFIG", "SET", "requirepass", "secret")
    redis.password = "secret"
    yield
    redis.call("CONFIG", "SET", "requirepass", "")
    redis.password = None


@contextlib.contextmanager
def _replica(redis):
    redis.call("REPLICAOF", "127.0.0.1", 1)
    yield
    redis.call("REPLICAOF", "NO", "ONE")


@contextlib.contextmanager
def _silent(redis):
    redis.suspend()
    yield
    redis.resume()


@pytest.mark.parametrize("state", [_away, _with_another_password, _replica, _silent])
def test_a_server_that_starts_alone_joins_the_others_later(redis, state):
    journal = Journal()
    with contextlib.ExitStack() as stack:
        with state(redis):
            flags = {"--redis-starts-alone": 1, "--redis-probe-timeout-ms": 60_000}
            member = stack.enter_context(Member("ann", redis.url, journal, flags=flags))
            assert not member.statistics()["is_up"]
        member.await_joined()
        member.connect(["news"])
        other = stack.enter_context(Member("bob", redis.url, journal, flags=PATIENTLY))
        other.connect(["news"])
        other.publisher.publish("news")
        eventually(lambda: member.listener.heard("news", "bob") == {1}, "ann hears bob")


@pytest.mark.parametrize("way", ["unix", "password", "user", "database"])
def test_each_way_to_reach_it(redis, way):
    urls = {
        "unix": f"unix://{redis.socket_path}?db=3",
        "password": f"redis://:se%40cret@127.0.0.1:{redis.port}",
        "user": f"redis://ann:se%40cret@127.0.0.1:{redis.port}/2",
        "database": f"redis://127.0.0.1:{redis.port}/5",
    }
    if way == "user":
        redis.call("ACL", "SETUSER", "ann", "on", ">se@cret", "allchannels", "allkeys", "allcommands")
    if way == "password":
        redis.call("CONFIG", "SET", "requirepass", "se@cret")
        redis.password = "se@cret"
    with Play(redis, url_of=lambda name: urls[way], flags={"--redis-client-name": "probe", **PATIENTLY}) as play:
        play.perform(play.nothing(), count=3)
        names = [each["name"] for each in redis.connections_of_members()]
        assert len(names) == 4 and all(name.startswith("probe") for name in names)
        play.stop()
