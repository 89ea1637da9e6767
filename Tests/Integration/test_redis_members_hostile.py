"""Whatever comes through Redis to where servers tell each other of members: nothing breaks, nobody wrong appears."""

import contextlib
import random

import pytest

from support.deadline import eventually
from support.process import resident_memory
from support.programs import IS_SANITIZED
from support.redis.halls import ROOM, Hall, await_all
from support.redis.servers import Redis

PIECES = [b"", b"\x00", b"\xff", b"\x01", b"\x01\x01", b"hello", b"{}", b"\x01" * 17, b"\xff" * 4096, bytes(range(256))]


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def halls(redis):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Hall(redis.url, name=name)) for name in ("ann", "bob")]


def channels(redis):
    """Where servers tell each other of members."""

    def found():
        channels = [channel for channel in redis.call("PUBSUB", "CHANNELS") if b"presence" in channel]
        return channels if len(channels) >= 2 else None

    return eventually(found, "servers are subscribed to them")


def enter(halls):
    """Somebody on each server. Returns who is there then, as all know."""
    expected = {}
    for number, hall in enumerate(halls):
        hall.visitor(f"key{number}", f"info{number}")
        expected[f"key{number}"] = f"info{number}"
    await_all(halls, expected)
    return expected


def counted(halls):
    return sum(hall.presence()["malformed"] + hall.redis_statistics()["unreadable"] for hall in halls)


class Recorded:
    """`with Recorded(redis)`: what is published to these channels."""

    _END = b"the end"

    def __init__(self, redis):
        self._redis = redis
        self._client = redis.client()
        self._channels = [*channels(redis), self._END]

    def __enter__(self):
        self._client.send("SUBSCRIBE", *self._channels)
        for _ in self._channels:
            self._client.read()
        return self

    def __exit__(self, *_):
        self._client.close()

    def gather(self):
        """All that was published until now."""
        self._redis.call("PUBLISH", self._END, "")
        messages = []
        while (told := self._client.read())[1] != self._END:
            messages.append((told[1], told[2]))
        return messages


def test_what_is_no_message_of_a_server_is_counted_and_does_nothing(redis, halls):
    expected = enter(halls)
    with halls[1].watch() as watch:
        watch.await_known(expected)
        before = counted(halls)
        for channel in channels(redis):
            for piece in PIECES:
                redis.call("PUBLISH", channel, piece)
        # What anybody could publish to the topic itself, by its name, is a message like any other.
        redis.call("PUBLISH", f"jazzy:{ROOM}", b"\x01\x05" + b"x" * 40)
        eventually(lambda: counted(halls) > before, "it is counted")
        await_all(halls, expected)
        assert watch.known() == expected and len(watch.log) == len(expected)


def test_members_come_and_leave_as_before_after_garbage(redis, halls):
    expected = enter(halls)
    with halls[1].watch() as watch:
        chosen = random.Random(1)
        names = channels(redis)
        with redis.client() as client:
            for _ in range(2000):
                client.send("PUBLISH", chosen.choice(names), chosen.randbytes(chosen.randrange(80)))
                client.read()
        visitor = halls[0].visitor("late")
        await_all(halls, {**expected, "late": ""})
        visitor.vanish()
        await_all(halls, expected)
        watch.await_known(expected)


@pytest.mark.parametrize("seed", range(3))
def test_messages_that_were_changed_on_their_way_harm_nobody_who_comes_then(redis, halls, seed):
    """Whoever can publish to Redis is trusted, and may speak for a server; but no server is harmed by nonsense."""
    chosen = random.Random(seed)
    expected = enter(halls)
    with Recorded(redis) as recorded:
        for number in range(10):
            halls[number % 2].visitor(f"more{number}", "x").vanish()
        halls[0].visitor("stays")
        expected["stays"] = ""
        late = Hall(redis.url, name="late")
        with late:  # it is sent everything
            late.await_members(expected)
            messages = recorded.gather()
    assert messages
    with redis.client() as client:
        for _ in range(1500):
            channel, message = chosen.choice(messages)
            client.send("PUBLISH", channel, _changed(message, chosen))
            client.read()
    # Each server tells who comes of its own members, which nobody else can change.
    with Hall(redis.url, name="fresh") as fresh:
        fresh.await_members(expected)
    assert all(hall.server.is_running for hall in halls)


def _changed(message, chosen):
    bytes_ = bytearray(message)
    for _ in range(chosen.randint(0, 4)):
        way = chosen.randrange(4)
        place = chosen.randrange(max(1, len(bytes_)))
        if way == 0 and bytes_:
            bytes_[min(place, len(bytes_) - 1)] = chosen.randrange(256)
        elif way == 1:
            del bytes_[place : place + chosen.randint(1, 8)]
        elif way == 2:
            bytes_[place:place] = chosen.randbytes(chosen.randint(1, 8))
        else:
            bytes_ = bytes_[:place]
    return bytes(bytes_)


def test_garbage_costs_no_memory(redis, halls):
    expected = enter(halls)
    names = channels(redis)
    chosen = random.Random(2)
    before = [resident_memory(hall.server.pid) for hall in halls]
    with redis.client() as client:
        for _ in range(5000):
            client.send("PUBLISH", chosen.choice(names), b"J" + chosen.randbytes(500))
            client.read()
    await_all(halls, expected)
    grown = [resident_memory(hall.server.pid) - size for hall, size in zip(halls, before, strict=True)]
    assert IS_SANITIZED or max(grown) < 4 << 20, grown


def test_limits_hold_for_members_of_other_servers_too(redis):
    """What there is no room for is not kept, but counted; who is here has a place; all are known when there is room."""
    with Hall(redis.url, name="ann") as ann, Hall(redis.url, name="bob", flags={"--presence-limit": 65536}) as bob:
        bob.visitor("first")
        visitors = [ann.visitor(f"key{number}", "x" * 200) for number in range(400)]
        eventually(lambda: bob.presence()["not_kept"] > 0, "some have no room")
        assert bob.presence()["bytes"] <= 65536
        bob.visitor("grace")
        kept = set(bob.members())
        assert {"first", "grace"} <= kept and 10 < len(kept) < 400
        ann.await_members({**{visitor.key: visitor.info for visitor in visitors}, "first": "", "grace": ""})
        for visitor in visitors[20:]:
            visitor.vanish()
        everybody = {**{visitor.key: visitor.info for visitor in visitors[:20]}, "first": "", "grace": ""}
        bob.await_members(everybody, deadline=60)
