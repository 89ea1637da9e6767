"""What passes between servers over Redis without any fault, and what Redis is asked for."""

import contextlib
import json

import pytest

from support.deadline import eventually
from support.frames import BINARY, TEXT, Frame, encode
from support.raw import open_websocket
from support.redis.checker import Journal
from support.redis.members import PATIENTLY, Member
from support.redis.servers import Redis


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def start_member(redis):
    """Starts servers with these flags and values, those of Redis among them, and stops them after the test."""
    with contextlib.ExitStack() as members:

        def start(name="ann", of_server=(), **flags):
            named = {f"--redis-{flag.replace('_', '-')}": value for flag, value in flags.items()}
            of_all = {**PATIENTLY, **named, **dict(of_server)}
            return members.enter_context(Member(name, redis.url, Journal(), flags=of_all))

        yield start


@contextlib.contextmanager
def subscribed(member, topic):
    """A connection that is told what is published to the topic from now on, and nothing else."""
    with open_websocket(member.server.port, "/topics") as connection:

        def answer(command):
            connection.send_frame(BINARY, command + b" " + (topic if isinstance(topic, bytes) else topic.encode()))
            return connection.read_frame().payload

        answer(b"subscribe")
        eventually(lambda: answer(b"live").endswith(b" yes"), f"{topic} is live")
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


ANY_BYTES = [b"\0", b"a", b"a\0", b"\0a", b"a\0b", b"a\0c", b"\xff\xfe\0", b"*", b"[a]?", b"a\r\nb", b"{a}", b"x" * 900]


@pytest.mark.parametrize("keeps", [0, 1], ids=["without history", "with history"])
def test_topics_of_any_bytes_are_told_apart(start_member, keeps):
    ann, bob = (start_member(name, {"--history": keeps}) for name in ("ann", "bob"))
    payload = b"\0 of \xff%d"
    with contextlib.ExitStack() as stack:
        sender = stack.enter_context(open_websocket(ann.server.port, "/topics"))
        receivers = [stack.enter_context(subscribed(member, topic)) for topic in ANY_BYTES for member in (ann, bob)]
        for number, topic in enumerate(ANY_BYTES):
            sender.send_frame(BINARY, b"publish %b " % topic + payload % number)
            assert sender.read_frame().payload in (b"!sent", b"!queued")
        for number, receiver in enumerate(receivers):
            assert receiver.read_frame() == Frame(BINARY, payload % (number // 2))
        for number, topic in enumerate(ANY_BYTES if keeps else []):
            newest = begin(stack, bob, topic)[1]
            since = b"%b:%d" % (newest["epoch"].encode(), newest["offset"] - 1)
            connection, begun = begin(stack, bob, topic, since)
            assert (begun["recovered"], begun["count"]) == (True, 1)
            assert connection.read_frame() == Frame(BINARY, payload % number)


def begin(stack, member, topic, since=b""):
    """A connection to a topic with history from there on, and with what it begins."""
    connection = stack.enter_context(open_websocket(member.server.port, "/topics"))
    connection.send_frame(BINARY, b"resume %b %b" % (topic, since))
    return connection, json.loads(connection.read_frame().payload)


@pytest.mark.parametrize("keeps", [0, 1], ids=["without history", "with history"])
@pytest.mark.parametrize("is_ordered", [0, 1], ids=["local first", "ordered"])
def test_a_payload_of_many_megabytes_arrives_as_it_was_published(start_member, is_ordered, keeps):
    flags = {"--history": keeps, "--max-message": 64 << 20, "--backpressure-limit": 256 << 20}
    ann, bob = (start_member(name, flags, ordered=is_ordered, queue_limit=256 << 20) for name in ("ann", "bob"))
    payload = bytes(range(251)) * 80_000
    with subscribed(ann, "n\0ws") as sender, subscribed(ann, "n\0ws") as near, subscribed(bob, "n\0ws") as far:
        for count, opcode in enumerate((BINARY, TEXT), 1):
            sent = payload if opcode == BINARY else "ü".encode() * (len(payload) // 2)
            sender.send_frame(opcode, b"publish n\0ws " + sent)
            assert near.read_frame() == far.read_frame() == Frame(opcode, sent)
            # Redis closes a connection for which it keeps 32 MB: what comes back is not to meet the next one there.
            eventually(lambda count=count: ann.statistics()["echoes"] == count, "its own server has it back")
        assert {sender.read_frame().payload for _ in range(2)} <= {b"!sent", b"!queued"}
    assert ann.statistics()["gaps"] == bob.statistics()["gaps"] == 0


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
        eventually(lambda: ann.statistics()["topics"] == 0, "its server knows it")


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
        while untold:
            untold.discard(connection.read_frame().payload)


def _subscriptions(numbers):
    return [encode(TEXT, b"subscribe t%d" % number) for number in numbers]
