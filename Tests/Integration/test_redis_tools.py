"""What the tests of Redis work with, itself: the client, the processes, and the proxy's faults."""

import socket

import pytest

from support.deadline import eventually
from support.redis.failover import CHOOSES_WITHIN
from support.redis.proxy import COMMANDS, REPLIES, Proxy, split_commands
from support.redis.resp import RefusedError, RespClient, encode
from support.redis.servers import Redis, Sentinel


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def proxy(redis):
    with Proxy(redis.port) as between:
        yield between


def expect_nothing(client):
    """No reply comes for a moment; whatever is to come is waited for longer."""
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.socket.recv(1, socket.MSG_PEEK)


def await_no_subscriber(redis):
    """The proxy ends a connection to Redis in a thread of its own, and Redis sees that later than what others ask."""
    eventually(lambda: redis.call("PUBSUB", "NUMSUB", "channel") == [b"channel", 0], "the subscriber has gone")


def test_replies_of_every_kind_are_read(redis):
    with RespClient(redis.socket_path) as client:
        assert client.call("PING") == b"PONG"
        assert client.call("SET", "key", b"\r\n\x00") == b"OK"
        assert client.call("GET", "key") == b"\r\n\x00"
        assert client.call("DEL", "key") == 1
        assert client.call("GET", "key") is None
        assert client.call("SUBSCRIBE", "channel") == [b"subscribe", b"channel", 1]
        with pytest.raises(RefusedError, match="unknown command"):
            redis.call("NOTHING")


def test_data_outlive_a_kill_where_they_are_kept(tmp_path):
    with Redis(tmp_path / "kept", keeps_data=True) as kept, Redis(tmp_path / "not") as not_kept:
        for server, value in ((kept, b"value"), (not_kept, None)):
            server.call("SET", "key", "value")
            server.kill()
            server.start()
            server.await_answers()
            assert server.call("GET", "key") == value


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_commands_are_taken_apart_however_they_are_cut(count):
    words = [("ping",), ("PUBLISH", "a", b"\r\n*1\r\n"), ("ROLE",)]
    commands = [(each[0].upper().encode(), encode(*each)) for each in words]
    data = b"".join(command for _, command in commands)
    end = len(data) - count
    found, rest = split_commands(data[:end])
    assert found == (commands if count == 0 else commands[:2])
    assert b"".join(command for _, command in found) + rest == data[:end]


def test_a_connection_is_cut_within_a_reply(proxy):
    with RespClient(proxy.port) as client:
        assert client.call("ECHO", "whole") == b"whole"
        proxy.cut(after=len("$100\r\n") + 50)
        client.send("ECHO", "x" * 100)
        with pytest.raises((EOFError, ConnectionResetError)):
            client.read()


def test_only_the_subscribed_connection_is_cut(redis, proxy):
    with RespClient(proxy.port) as subscribed, RespClient(proxy.port) as other:
        subscribed.call("SUBSCRIBE", "channel")
        assert other.call("PING") == b"PONG"
        proxy.cut(subscribed=True)
        with pytest.raises((EOFError, ConnectionResetError)):
            subscribed.read()
        await_no_subscriber(redis)
        assert other.call("PUBLISH", "channel", "nobody") == 0


def test_only_the_subscribed_connection_is_deaf(redis, proxy):
    with RespClient(proxy.port) as subscribed, RespClient(proxy.port) as other:
        subscribed.call("SUBSCRIBE", "channel")
        proxy.deafen()
        assert other.call("PUBLISH", "channel", "message") == 1
        expect_nothing(subscribed)
    await_no_subscriber(redis)
    with RespClient(proxy.port) as subscribed, RespClient(proxy.port) as other:
        subscribed.call("SUBSCRIBE", "channel")
        assert other.call("PUBLISH", "channel", "message") == 1
        assert subscribed.read() == [b"message", b"channel", b"message"]


@pytest.mark.parametrize("way", [COMMANDS, REPLIES])
def test_what_is_held_back_passes_later(redis, proxy, way):
    with RespClient(proxy.port) as client:
        client.call("PING")
        proxy.hold(way)
        client.send("SET", way, "late")
        expect_nothing(client)
        if way == COMMANDS:
            assert redis.call("GET", way) is None
        else:
            eventually(lambda: redis.call("GET", way) == b"late", "the command arrives")
        proxy.flow()
        eventually(lambda: redis.call("GET", way) == b"late", "the command arrives after all")


def test_what_is_lost_never_passes(redis, proxy):
    with RespClient(proxy.port) as client:
        client.call("PING")
        proxy.hold()
        client.send("SET", "lost", "value")
        expect_nothing(client)
        proxy.lose()
    with RespClient(proxy.port) as client:
        assert client.call("GET", "lost") is None


def test_publishing_is_refused_in_its_place(proxy):
    with RespClient(proxy.port) as client:
        with proxy.refusing("MISCONF no space left on device"):
            client.send("ECHO", "before")
            client.send("PUBLISH", "channel", "message")
            client.send("ECHO", "after")
            replies = [client.read() for _ in range(3)]
        assert [getattr(reply, "text", reply) for reply in replies] == [
            b"before",
            "MISCONF no space left on device",
            b"after",
        ]
        assert client.call("PUBLISH", "channel", "message") == 0


def test_sentinel_names_another_master(tmp_path):
    with Redis(tmp_path / "first") as first, Redis(tmp_path / "second") as second:
        second.call("REPLICAOF", "127.0.0.1", first.port)
        with Sentinel(tmp_path / "sentinel", first) as sentinel:
            assert sentinel.master_port() == first.port
            eventually(lambda: sentinel.replica_ports() == {second.port}, "Sentinel knows the replica")
            first.kill()
            eventually(lambda: sentinel.master_port() == second.port, "Sentinel chooses the replica", CHOOSES_WITHIN)
            eventually(lambda: second.role() == "master", "the replica is the master")
