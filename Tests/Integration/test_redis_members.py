"""Members of a topic on several servers that share it over Redis: who is there is the same on all of them."""

import contextlib
import time

import pytest

from support.deadline import eventually
from support.programs import IS_SANITIZED
from support.redis.failover import Failover, by_a_kill
from support.redis.halls import BEAT, GHOSTS_AT_MOST, ROOM, SILENCE, WAYS_TO_LEAVE, Hall, await_agreement, await_all
from support.redis.proxy import Proxy
from support.redis.servers import Redis
from support.siege import seconds_for

NAMES = ("ann", "bob", "cid")


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis", keeps_data=True) as server:
        yield server


@pytest.fixture
def start(redis):
    """Starts servers by their names, and stops them after the test."""
    with contextlib.ExitStack() as halls:

        def begin(name, *, url=None, **flags):
            named = {f"--{flag.replace('_', '-')}": value for flag, value in flags.items()}
            return halls.enter_context(Hall(url or redis.url, name=name, flags=named))

        yield begin


@pytest.fixture
def halls(start):
    return [start(name) for name in NAMES]


def test_who_is_a_member_on_one_server_is_one_on_all(halls):
    for number, hall in enumerate(halls):
        hall.visitor(f"key{number}", f"info{number}")
    await_all(halls, {f"key{number}": f"info{number}" for number in range(len(halls))})
    for hall in halls:
        assert hall.members("another") == {}


@pytest.mark.parametrize("leave", WAYS_TO_LEAVE)
def test_watches_are_told_who_comes_and_who_leaves_on_any_server(halls, leave):
    ann, bob, cid = halls
    # Who watches a prefix is told of those topics that are of interest to the server, as those are with members there.
    cid.visitor("alan")
    with bob.watch() as near, cid.watch("ro", is_prefix=True) as far:
        ada, grace = ann.visitor("ada", "1"), bob.visitor("grace", "2")
        for watch in (near, far):
            watch.await_known({"ada": "1", "grace": "2", "alan": ""}, ROOM)
        ada.join("3")
        for watch in (near, far):
            watch.await_known({"ada": "3", "grace": "2", "alan": ""}, ROOM)
        leave(ada)
        for watch in (near, far):
            watch.await_known({"grace": "2", "alan": ""}, ROOM)
            assert watch.told("ada") == ["+", "+", "-"]
            assert watch.told("grace") == ["+"]
        grace.vanish()
        near.await_known({"alan": ""})


def test_connections_to_several_servers_with_one_key_are_one_member(halls):
    ann, bob, cid = halls

    def await_connections_elsewhere(count):
        eventually(lambda: cid.presence()["members_elsewhere"] == count, "it knows of each connection")

    with cid.watch() as watch:
        first, second = ann.visitor("ada", "one"), bob.visitor("ada", "one")
        watch.await_known({"ada": "one"})
        await_all(halls, {"ada": "one"})
        await_connections_elsewhere(2)
        second.join("two")
        await_all(halls, {"ada": "two"})
        watch.await_known({"ada": "two"})
        first.vanish()
        other = ann.visitor("grace")
        watch.await_known({"ada": "two", "grace": ""})
        await_all(halls, {"ada": "two", "grace": ""})
        # That grace is there does not say that the first one has gone: it would count again without the second one.
        await_connections_elsewhere(2)
        second.vanish()
        watch.await_known({"grace": ""})
        await_all(halls, {"grace": ""})
        assert watch.told("ada") == ["+", "+", "-"]
        other.vanish()


def test_members_without_a_key_are_members_of_their_own(halls):
    visitors = [hall.visitor() for hall in halls]
    for hall in halls:
        eventually(lambda: len(hall.members()) == len(visitors), f"{hall.name} knows all")
    keys = [set(hall.members()) for hall in halls]
    assert keys[0] == keys[1] == keys[2]
    assert all(len(key) == 32 for key in keys[0])


def test_the_first_use_of_a_topic_is_answered_at_once_and_soon_completely(halls):
    """Who asks for a topic for the first time may get only who is here; nobody waits for the others."""
    ann, bob, _ = halls
    ann.visitor("ada")
    bob.visitor("grace")
    assert set(bob.members()) >= {"grace"}
    await_all(halls, {"ada": "", "grace": ""})


def test_a_server_that_starts_late_knows_everybody(start):
    ann = start("ann")
    for number in range(300):
        ann.visitor(f"key{number}", topic="large") if number < 200 else ann.visitor(f"key{number}")
    late = start("late")
    with late.watch() as watch:
        watch.await_known({f"key{number}": "" for number in range(200, 300)})
        assert watch.calls <= 3
    late.await_members({f"key{number}": "" for number in range(200)}, "large")
    another = start("another")
    another.await_members({f"key{number}": "" for number in range(200, 300)})


def test_who_is_a_member_stays_so_while_its_server_lives_and_is_gone_soon_after_a_crash(start):
    # Who has lost Redis for a moment, as where a probe is answered late, gives the others another chance.
    ann, bob, cid = (start(name, redis_probe_timeout_ms=60_000) for name in NAMES)
    ann.visitor("ada")
    bob.visitor("grace")
    with cid.watch() as watch:
        watch.await_known({"ada": "", "grace": ""})
        # Nothing happens for longer than the silence after which a server is given up.
        end = time.monotonic() + SILENCE + 5
        eventually(lambda: time.monotonic() > end, "time goes by", SILENCE + 10)
        assert watch.known() == {"ada": "", "grace": ""} and len(watch.log) == 2
        ann.kill()
        seconds = seconds_for(cid.server, lambda: watch.await_known({"grace": ""}))
        print(f"gone {seconds:.1f} s after the crash")
        assert seconds <= GHOSTS_AT_MOST
        await_all((bob, cid), {"grace": ""})
        # It comes back as another one.
        ann.start()
        ann.visitor("ada")
        watch.await_known({"ada": "", "grace": ""})


def test_who_has_also_a_connection_to_another_server_has_not_left_with_the_crash(halls):
    ann, bob, cid = halls
    ann.visitor("ada", "1")
    ann.visitor("alan")
    bob.visitor("ada", "1")
    with cid.watch() as watch:
        watch.await_known({"ada": "1", "alan": ""})
        ann.kill()
        watch.await_known({"ada": "1"})
        assert watch.told("ada") == ["+"]


def test_members_of_a_server_that_stops_leave_at_once(start):
    # However busy the machine is, its farewell reaches Redis.
    patience = {"redis_stop_timeout_ms": 60_000, "redis_probe_timeout_ms": 60_000}
    ann, bob, cid = (start(name, **patience) for name in NAMES)
    ann.visitor("ada")
    bob.visitor("grace")
    with cid.watch() as watch:
        watch.await_known({"ada": "", "grace": ""})
        ann.stop()
        stopped = time.monotonic()
        watch.await_known({"grace": ""})
        assert watch.moment("-", "ada") - stopped < SILENCE - BEAT, "it was told, and not found out by silence"
        bob.await_members({"grace": ""})


def test_a_server_that_was_suspended_comes_back_with_its_members(halls):
    ann, bob, cid = halls
    ann.visitor("ada")
    bob.visitor("grace")
    both = {"ada": "", "grace": ""}
    with ann.watch() as own, cid.watch() as watch:
        for each in (own, watch):
            each.await_known(both)
        ann.suspend()
        watch.await_known({"grace": ""})
        bob.visitor("alan")
        ann.resume()
        await_all(halls, {**both, "alan": ""})
        for each in (own, watch):
            each.await_known({**both, "alan": ""})
        assert watch.told("ada") == ["+", "-", "+"]
        assert own.told("ada") == ["+"], "its own members were here all the time"


@contextlib.contextmanager
def _killed_without_data(redis):
    redis.kill()
    for file in redis.folder.glob("appendonlydir/*"):
        file.unlink()
    yield
    redis.start()
    redis.await_answers()


@contextlib.contextmanager
def _killed(redis):
    redis.kill()
    yield
    redis.start()
    redis.await_answers()


def _closed(kind):
    @contextlib.contextmanager
    def close(redis):
        for _ in range(3):
            redis.close_connections(kind)
        yield
        redis.close_connections(kind)

    return close


@contextlib.contextmanager
def _suspended(redis):
    redis.suspend()
    yield
    redis.resume()


FAULTS = {
    "killed": _killed,
    "killed, and without its data": _killed_without_data,
    "CLIENT KILL of publishing connections": _closed("normal"),
    "CLIENT KILL of subscribed connections": _closed("pubsub"),
    "SIGSTOP": _suspended,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_redis_lets_nobody_leave_and_what_happened_meanwhile_is_known_after_it(redis, halls, fault):
    ann, bob, cid = halls
    stays, leaves = ann.visitor("stays"), ann.visitor("leaves", "1")
    with ann.watch() as own, cid.watch() as watch:
        watch.await_known({"stays": "", "leaves": "1"})
        with FAULTS[fault](redis):
            leaves.vanish()
            ann.visitor("comes", "2")
            bob.visitor("comes", "3")
            stays.join("other")
            eventually(lambda: own.known().get("stays") == "other", "its own server knows it at once")
        for hall in halls:
            hall.await_joined()
        expected = await_agreement(halls, {"stays", "comes"}, [own, watch])
        assert expected["stays"] == "other" and expected["comes"] in ("2", "3")
        assert watch.told("stays") == ["+", "+"]
        assert watch.told("leaves") == ["+", "-"]


def test_gaps_of_what_servers_tell_each_other_are_not_the_application_s(redis, start):
    """What is told of gaps goes, in this server, to the topic itself: there it would be no message of a server."""
    ann, bob = start("ann", conceal_gaps=0), start("bob", conceal_gaps=0)
    ann.visitor("ada")
    bob.visitor("grace")
    await_all((ann, bob), {"ada": "", "grace": ""})
    redis.close_connections("pubsub")
    for hall in (ann, bob):
        eventually(lambda: hall.redis_statistics()["gaps"] > 0, f"the gap of the topic is told on {hall.name}")
    await_all((ann, bob), {"ada": "", "grace": ""})
    for hall in (ann, bob):
        assert hall.redis_statistics()["gaps"] <= hall.redis_statistics()["reconnects"], "of one topic"
        assert hall.presence()["malformed"] == 0


def test_without_redis_for_long_each_server_knows_its_own_and_with_it_all_again(redis, halls):
    ann, bob, cid = halls
    ann.visitor("ada")
    bob.visitor("grace")
    with cid.watch() as watch, bob.watch() as other:
        for each in (watch, other):
            each.await_known({"ada": "", "grace": ""})
        redis.kill()
        watch.await_known({})
        other.await_known({"grace": ""})
        redis.start()
        redis.await_answers()
        for each in (watch, other):
            each.await_known({"ada": "", "grace": ""})
        await_all(halls, {"ada": "", "grace": ""})


def test_a_server_that_no_byte_reaches_finds_back(redis, start):
    with Proxy(redis.port) as proxy:
        ann, bob = start("ann", url=proxy.url), start("bob")
        ann.visitor("ada")
        with bob.watch() as watch, ann.watch() as far:
            watch.await_known({"ada": ""})
            proxy.hold()
            bob.visitor("grace")
            watch.await_known({"grace": ""})
            ann.visitor("alan")
            proxy.lose()
            for each in (watch, far):
                each.await_known({"ada": "", "alan": "", "grace": ""})


def test_a_deaf_server_finds_out_what_it_has_missed(redis, start):
    """Everything that it sends arrives, but it hears nothing for a while, of which no error tells."""
    with Proxy(redis.port) as proxy:
        ann, bob = start("ann", url=proxy.url), start("bob")
        grace = bob.visitor("grace")
        with ann.watch() as watch:
            watch.await_known({"grace": ""})
            proxy.deafen()
            bob.visitor("alan")
            grace.vanish()
            watch.await_known({"alan": ""})
            assert watch.told("grace") == ["+", "-"]


def test_ordered_servers_have_the_same_members(start):
    halls = [start(name, redis_ordered=1) for name in NAMES]
    ann, bob, cid = halls
    with cid.watch() as watch:
        ada = ann.visitor("ada", "1")
        bob.visitor("ada", "1")
        bob.visitor("grace")
        await_all(halls, {"ada": "1", "grace": ""})
        ada.vanish()
        ann.visitor("alan")
        watch.await_known({"ada": "1", "grace": "", "alan": ""})
        await_all(halls, {"ada": "1", "grace": "", "alan": ""})


def test_where_redis_keeps_histories_members_are_the_same(redis, start):
    halls = [start(name, history=1) for name in NAMES]
    for hall in halls:
        hall.visitor(hall.name)
    await_all(halls, {name: "" for name in NAMES})
    assert redis.call("DBSIZE") == 0, "what is said of members is not kept"


def test_another_prefix_is_another_world(start):
    ann, bob = start("ann", redis_prefix="one:"), start("bob", redis_prefix="other:")
    cid = start("cid", redis_prefix="one:")
    ann.visitor("ada")
    bob.visitor("grace")
    for hall, expected in ((ann, {"ada": ""}), (cid, {"ada": ""}), (bob, {"grace": ""})):
        hall.await_members(expected)


def test_every_channel_begins_with_the_prefix(redis, start):
    halls = [start(name, redis_prefix="mine:") for name in NAMES]
    for hall in halls:
        hall.visitor(hall.name)
    await_all(halls, {name: "" for name in NAMES})
    channels = redis.call("PUBSUB", "CHANNELS")
    assert any(b"presence" in channel for channel in channels)
    assert [channel for channel in channels if not channel.startswith(b"mine:")] == []


def test_subscribers_of_a_topic_are_sent_nothing_of_its_members(halls):
    ann, bob, _ = halls
    visitor = ann.visitor("ada")
    for number in range(20):
        bob.visitor(f"key{number}")
    eventually(lambda: len(ann.members()) == 21, "all are there")
    assert not visitor.has_been_told_more(), "it is a member, and no watch"


def test_what_a_server_counts(halls):
    ann, bob, cid = halls
    ann.visitor("ada")
    bob.visitor("ada")
    bob.visitor("grace")
    await_all(halls, {"ada": "", "grace": ""})

    def counts(what):
        return [hall.presence()[what] for hall in halls]

    # That all know both says not that all know on how many servers they are.
    eventually(lambda: counts("members_elsewhere") == [2, 1, 3], "all know of each connection")
    assert counts("members") == [2, 2, 2]
    assert counts("servers") == [1, 1, 2]
    for what, count in {"topics": 1, "not_kept": 0, "malformed": 0}.items():
        assert counts(what) == [count] * 3


@pytest.mark.skipif(IS_SANITIZED, reason="it takes a minute, during which nothing happens")
def test_a_topic_that_nobody_needs_is_forgotten_by_redis(redis, start):
    ann, bob = start("ann"), start("bob")

    def channels():
        return [channel for channel in redis.call("PUBSUB", "CHANNELS") if ROOM.encode() in channel]

    visitor = ann.visitor("ada")
    bob.await_members({"ada": ""})
    assert channels()
    visitor.vanish()
    bob.await_members({})
    eventually(lambda: not channels(), "Redis has no channel of the topic", 120)


def test_members_survive_a_failover(tmp_path):
    with contextlib.ExitStack() as stack:
        pair = stack.enter_context(Failover(tmp_path))
        ann, bob = (stack.enter_context(Hall(pair.url, name=name)) for name in ("ann", "bob"))
        ann.visitor("ada")
        bob.visitor("grace")
        with bob.watch() as watch:
            watch.await_known({"ada": "", "grace": ""})
            with pair.by(by_a_kill, connections=4):
                ann.visitor("alan")
            everybody = {"ada": "", "alan": "", "grace": ""}
            watch.await_known(everybody)
            await_all((ann, bob), everybody)
