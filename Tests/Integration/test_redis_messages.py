"""What passes between servers over Redis without any fault, and what Redis is asked for."""

import contextlib

import pytest

from support.deadline import eventually
from support.frames import BINARY, TEXT, Frame, encode
from support.raw import open_websocket
from support.redis.checker import Journal
from support.redis.members import Member
from support.redis.servers import Redis


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def start_member(redis):
    """Starts servers with these flags and values, and stops them after the test."""
    with contextlib.ExitStack() as members:

        def start(name="ann", **flags):
            named = {f"--redis-{flag.replace('_', '-')}": value for flag, value in flags.items()}
            return members.enter_context(Member(name, redis.url, Journal(), flags=named))

        yield start


@contextlib.contextmanager
def subscribed(member, topic):
    """A connection that is told what is published to the topic from now on, and nothing else."""
    with open_websocket(member.server.port, "/topics") as connection:

        def answer(command):
            connection.send_frame(TEXT, f"{command} {topic}".encode())
            return connection.read_frame().payload.decode()

        answer("subscribe")
        eventually(lambda: answer("live") == f"!live {topic} yes", f"{topic} is live")
        yield connection


@pytest.mark.parametrize("is_ordered", [0, 1], ids=["local first", "ordered"])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("payload", [b"", b"x", "Grüße".encode(), b"x" * 70_000, b"x" * 900_000], ids=len)
def test_a_message_arrives_as_it_was_published(start_member, is_ordered, opcode, payload):
    ann, bob = (start_member(name, ordered=is_ordered) for name in ("ann", "bob"))
    with subscribed(ann, "news") as sender, subscribed(ann, "news") as near, subscribed(bob, "news") as far:
        sender.send_frame(opcode, b"publish news " + payload)
        assert sender.read_frame().payload in (b"!sent", b"!queued")
        assert near.read_frame() == far.read_frame() == Frame(opcode, payload)
        sender.send_frame(opcode, b"announce news " + payload)
        assert near.read_frame() == far.read_frame() == Frame(opcode, payload)
        frames = [sender.read_frame(), sender.read_frame()]
        assert Frame(opcode, payload) in frames, "what the server publishes reaches all"


def test_what_others_publish_to_the_channel_arrives_as_a_text(redis, start_member):
    ann = start_member()
    with subscribed(ann, "news") as connection:
        redis.call("PUBLISH", "jazzy:news", b"\xff\xfe")
        redis.call("PUBLISH", "jazzy:news", "Grüße")
        assert connection.read_frame() == Frame(TEXT, "Grüße".encode())
        assert ann.statistics()["unreadable"] == 1


def test_another_prefix_is_another_world(redis, start_member):
    ann, bob = start_member(prefix="one:"), start_member(prefix="other:")
    with subscribed(ann, "news") as one, subscribed(bob, "news") as other:
        one.send_frame(TEXT, b"publish news hello")
        assert one.read_frame().payload in (b"!sent", b"!queued")
        redis.call("PUBLISH", "other:news", "end")
        assert other.read_frame() == Frame(TEXT, b"end")


def test_a_topic_without_subscribers_is_left_after_a_while(redis, start_member):
    ann = start_member(linger_ms=200)

    def is_subscribed():
        return redis.call("PUBSUB", "NUMSUB", "jazzy:news")[1] == 1

    for _ in range(2):
        with subscribed(ann, "news"):
            assert is_subscribed()
        eventually(lambda: not is_subscribed(), "it is left")
        assert ann.statistics()["topics"] == 0


def test_who_comes_back_while_a_topic_lingers_misses_nothing(redis, start_member):
    ann = start_member(linger_ms=60_000)
    with subscribed(ann, "news"):
        pass
    assert redis.call("PUBSUB", "NUMSUB", "jazzy:news")[1] == 1
    with subscribed(ann, "news") as connection:
        redis.call("PUBLISH", "jazzy:news", "hello")
        assert connection.read_frame() == Frame(TEXT, b"hello")


def test_ten_thousand_topics_are_live_again_after_a_cut(redis, start_member):
    count = 10_000
    ann = start_member()
    with open_websocket(ann.server.port, "/topics") as connection:
        for start in range(0, count, 1000):
            connection.send(b"".join(_subscriptions(range(start, start + 1000))))
            for _ in range(1000):
                connection.read_frame()
        eventually(lambda: ann.statistics()["live_topics"] == count, "all are live")
        redis.close_connections("pubsub")
        eventually(lambda: ann.statistics()["reconnects"] > 0 and ann.statistics()["live_topics"] == count, "again")
        untold = {b"gap t%d" % number for number in range(count)}
        while untold:  # on a slow machine some are told twice, because its probe comes too late
            untold.discard(connection.read_frame().payload)


def _subscriptions(numbers):
    return [encode(TEXT, b"subscribe t%d" % number) for number in numbers]
