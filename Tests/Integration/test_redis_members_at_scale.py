"""Very many members on several servers over Redis: what Redis is asked for, and what servers keep, is bounded."""

import contextlib
import resource
import time

import pytest

from support.crowd import Crowd
from support.deadline import eventually
from support.process import resident_memory
from support.programs import IS_SANITIZED
from support.redis.halls import BEAT, PATIENCE, ROOM, Hall
from support.redis.servers import Redis

CROWD = 10_000


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def start(redis):
    """Starts servers by their names, and stops them after the test."""
    with contextlib.ExitStack() as halls:

        def begin(name, **flags):
            # What is counted are not its probes.
            flags = {"redis_probe_interval_ms": 10_000, "redis_probe_timeout_ms": 10_000, **flags}
            named = {f"--{flag.replace('_', '-')}": value for flag, value in flags.items()}
            hall = halls.enter_context(Hall(redis.url, name=name, flags=named))
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.prlimit(hall.server.pid, resource.RLIMIT_NOFILE, (most, most))
            return hall

        yield begin


@pytest.fixture(autouse=True)
def descriptors():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Traffic:
    """What Redis was asked for since this was made."""

    def __init__(self, redis):
        self._redis = redis
        self._start = self._now()
        self._began = time.monotonic()

    def _now(self):
        lines = self._redis.call("INFO", "all").decode().splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        published = fields.get("cmdstat_publish", "calls=0,")
        calls = int(published.partition("calls=")[2].partition(",")[0])
        return calls, int(fields["total_net_input_bytes"]), int(fields["total_net_output_bytes"])

    def since(self):
        """Calls of PUBLISH, and bytes to and from Redis."""
        return tuple(now - before for now, before in zip(self._now(), self._start, strict=True))

    def most_calls(self):
        """Few; but servers tell changes four times a second, and that they live, for as long as others take to come."""
        return 200 + 5 * (time.monotonic() - self._began)


def crowd_of(hall, count, topic=ROOM):
    return Crowd(hall.port, count, deadline=120, path_of=lambda number: f"/join/{topic}/key{number}")


def await_count(hall, count, topic=ROOM):
    eventually(lambda: len(hall.members(topic)) == count, f"{hall.name} knows {count} members", 2 * PATIENCE)


def test_ten_thousand_members_who_come_at_once_cost_redis_few_calls(redis, start):
    ann, bob = start("ann"), start("bob")
    with bob.watch() as watch:
        bob.await_members({})
        before = resident_memory(bob.server.pid)
        traffic = Traffic(redis)
        began = time.monotonic()
        with crowd_of(ann, CROWD) as crowd:
            assert crowd.open() == CROWD
            await_count(bob, CROWD)
            eventually(lambda: len(watch.known()) == CROWD, "the watch knows all", PATIENCE)
            seconds = time.monotonic() - began
            calls, to_redis, from_redis = traffic.since()
            grown = resident_memory(bob.server.pid) - before
            print(f"{CROWD} came: {calls} calls, {to_redis} bytes to Redis, {from_redis} from it, in {seconds:.1f} s")
            print(f"{watch.calls} calls of the watch; {grown / CROWD:.0f} bytes a member elsewhere")
            assert calls < traffic.most_calls()
            assert to_redis < 60 * CROWD and from_redis < 120 * CROWD
            assert watch.calls <= 5 + CROWD / 4096 + seconds / 0.25
            assert IS_SANITIZED or grown < 600 * CROWD
            traffic = Traffic(redis)
            came = time.monotonic()
            eventually(lambda: time.monotonic() > came + 2 * BEAT, "nothing happens")
            calls, to_redis, _ = traffic.since()
            print(f"then, within {2 * BEAT} s: {calls} calls, {to_redis} bytes to Redis")
            assert calls <= 20, "processes send heartbeats, and members none"
            traffic = Traffic(redis)
        await_count(bob, 0)
        watch.await_known({})
        calls, to_redis, _ = traffic.since()
        print(f"{CROWD} left: {calls} calls, {to_redis} bytes to Redis")
        assert calls < traffic.most_calls() and to_redis < 60 * CROWD


def test_a_server_that_starts_late_is_sent_ten_thousand_members_once(redis, start):
    ann, bob = start("ann"), start("bob")
    with crowd_of(ann, CROWD) as crowd:
        assert crowd.open() == CROWD
        await_count(bob, CROWD)
        traffic = Traffic(redis)
        late = start("late")
        await_count(late, CROWD)
        calls, to_redis, _ = traffic.since()
        print(f"a late server: {calls} calls, {to_redis} bytes to Redis")
        assert calls < traffic.most_calls() and to_redis < 60 * CROWD
        assert len(bob.members()) == CROWD


def test_a_crash_of_a_server_with_ten_thousand_members_leaves_none(start):
    ann, bob = start("ann"), start("bob")
    bob.visitor("stays")
    with crowd_of(ann, CROWD) as crowd:
        assert crowd.open() == CROWD
        await_count(bob, CROWD + 1)
        ann.kill()
        await_count(bob, 1)
        assert bob.presence()["members"] == 1


def test_many_topics_with_few_members_each(start):
    ann, bob = start("ann"), start("bob")
    topics = 500
    with Crowd(ann.port, 2 * topics, 60, lambda number: f"/join/room{number % topics}/key{number}") as crowd:
        with bob.watch("room", is_prefix=True) as watch:
            assert crowd.open() == 2 * topics
            for number in range(topics):
                bob.members(f"room{number}")  # from now on it is of interest, for a minute
            for number in range(topics):
                watch.await_known({f"key{number}": "", f"key{number + topics}": ""}, f"room{number}")
            assert bob.presence()["members_elsewhere"] == 2 * topics
