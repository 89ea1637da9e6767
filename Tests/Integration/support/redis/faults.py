"""Faults of Redis, and of the way to it, as context managers of a play: in the end all is well, but not noticed yet."""

import contextlib
import os
import time

from support.deadline import eventually

# Seconds: longer than a member waits for its probe.
LONG = 1.1


@contextlib.contextmanager
def killed(play):
    """Ended by -9, and started again without its data."""
    play.redis.kill()
    for file in play.redis.folder.glob("*.rdb"):
        file.unlink()
    yield
    play.redis.start()
    play.redis.await_answers()


@contextlib.contextmanager
def killed_but_for_its_data(play):
    """Ended by -9, and started again with data that take a while to load."""
    play.redis.call("DEBUG", "POPULATE", 300)
    play.redis.call("SAVE")
    play.redis.kill()
    yield
    play.redis.start("--key-load-delay", "1000")
    play.redis.await_answers()


@contextlib.contextmanager
def killed_at_once(play):
    """Away for as short as possible, again and again."""
    for _ in range(3):
        play.redis.kill()
        play.redis.start()
        play.redis.await_answers()
        time.sleep(play.random.uniform(0, 0.3))
    yield


def _closing(kind):
    @contextlib.contextmanager
    def close(play):
        for _ in range(3):
            play.redis.close_connections(kind)
            time.sleep(play.random.uniform(0, 0.1))
        yield

    return close


@contextlib.contextmanager
def asleep(play):
    """DEBUG SLEEP: all connections stay, and nothing is answered for a while."""
    before = play.damage()
    with play.redis.client() as client:
        client.send("DEBUG", "SLEEP", play.some(0.3, LONG))
        yield
        client.read()
        while play.is_unnoticed(before):
            client.send("DEBUG", "SLEEP", LONG)
            client.read()


@contextlib.contextmanager
def suspended(play):
    before = play.damage()
    play.redis.suspend()
    try:
        yield
        time.sleep(play.some(0, LONG))
        play.await_notice(before)
    finally:
        play.redis.resume()


@contextlib.contextmanager
def with_tiny_output_buffers(play):
    """Redis closes each subscribed connection for which it has to keep more than a few bytes: for any long message."""
    before = play.damage()
    limit = play.redis.call("CONFIG", "GET", "client-output-buffer-limit")[1]
    play.redis.configure("client-output-buffer-limit", "pubsub 1 0 0")
    for member in play.members:
        for topic in play.topics:
            member.publisher.publish(topic, 50_000)
    yield
    play.await_notice(before)  # until then the long messages may be on their way to Redis
    play.redis.configure("client-output-buffer-limit", limit)


def await_end(links):
    """Until the connections are cut: members go on asking Redis, and it answers."""
    eventually(lambda: all(link.has_ended for link in links), "the connections are cut")


@contextlib.contextmanager
def cut_within_replies(play):
    """Each connection ends somewhere in the midst of what it is told."""
    for _ in range(2):
        for proxy in play.proxies.values():
            proxy.cut(after=play.random.randrange(play.some(300, 20_000)))
        time.sleep(play.random.uniform(0, 0.2))
    yield
    for proxy in play.proxies.values():
        await_end(proxy.cut(after=play.random.randrange(30)))


@contextlib.contextmanager
def one_cut_within_replies(play):
    """One member's publishing connection, or the subscribed one, ends in the midst of a reply."""
    proxy = play.random.choice(list(play.proxies.values()))
    links = proxy.cut(after=play.random.randrange(100), subscribed=play.random.choice((True, False)))
    yield
    await_end(links)


@contextlib.contextmanager
def black_hole(play):
    """No byte passes, no connection ends, and new ones are not answered either; all of it is lost."""
    for proxy in play.proxies.values():
        proxy.hold()
    yield
    time.sleep(LONG)
    for proxy in play.proxies.values():
        proxy.lose()


@contextlib.contextmanager
def black_hole_of_one(play):
    """The same for one member, only in one direction, and in the end all of it arrives after all, late."""
    before = play.damage()
    proxy = play.random.choice(list(play.proxies.values()))
    proxy.hold(*play.random.choice(([], ["commands"], ["replies"])))
    yield
    time.sleep(play.some(0.3, LONG))
    play.await_notice(before)
    proxy.flow()


@contextlib.contextmanager
def deaf(play):
    """All that one member sends is answered, but it hears nothing, of which no connection and no error tells."""
    name = play.random.choice(list(play.proxies))
    member = play.member(name)
    before = member.statistics()["reconnects"]
    play.proxies[name].deafen()
    yield
    eventually(lambda: member.statistics()["reconnects"] > before, f"{name} notices that it is deaf")


@contextlib.contextmanager
def paused(play):
    """CLIENT PAUSE: what is published waits within Redis, but all else is answered."""
    before = play.damage()
    play.redis.call("CLIENT", "PAUSE", 60_000, "WRITE")
    yield
    time.sleep(play.some(0.3, LONG))
    play.await_notice(before)
    play.redis.call("CLIENT", "UNPAUSE")


@contextlib.contextmanager
def wrong_password(play):
    """It has a password from now on, as far as Redis is concerned."""
    play.redis.call("CONFIG", "SET", "requirepass", "secret")
    play.redis.password = "secret"
    for kind in ("normal", "pubsub"):
        play.redis.close_connections(kind)
    for member in play.members:
        member.await_alone()
    yield
    play.redis.call("CONFIG", "SET", "requirepass", "")
    play.redis.password = None


@contextlib.contextmanager
def replica(play):
    """It is no master for a while; who finds it so has not found what it looks for."""
    play.redis.call("REPLICAOF", "127.0.0.1", 1)
    for kind in ("normal", "pubsub"):
        play.redis.close_connections(kind)
    for member in play.members:
        member.await_alone()
    yield
    play.redis.call("REPLICAOF", "NO", "ONE")


@contextlib.contextmanager
def full_disk(play):
    """
    Redis cannot save its data, and refuses what would change them: not PUBLISH, which it answers as before, but PING.
    """
    folder = play.redis.folder / "gone"
    folder.mkdir()
    play.redis.configure("dir", folder)
    os.rmdir(folder)
    play.redis.configure("save", "3600 1")
    play.redis.call("SET", "key", "value")
    with contextlib.suppress(Exception):
        play.redis.call("BGSAVE")
    eventually(lambda: _refuses_writes(play.redis), "Redis answers MISCONF")
    yield
    play.redis.configure("save", "")
    play.redis.configure("dir", play.redis.folder)


def _refuses_writes(redis):
    with redis.client() as client:
        client.send("SET", "key", "value")
        return getattr(client.read(), "text", "").startswith("MISCONF")


@contextlib.contextmanager
def refused(play):
    """PUBLISH is answered by an error, which for one member is that of a full disk."""
    before = play.count("dropped")
    with contextlib.ExitStack() as stack:
        proxies = list(play.proxies.values())
        for proxy in play.random.sample(proxies, play.random.randint(1, len(proxies))):
            stack.enter_context(proxy.refusing("MISCONF Errors writing to the AOF file: No space left on device"))
        yield
        play.await_refusal(before)  # what was published may be on its way to Redis


@contextlib.contextmanager
def not_permitted(play):
    """The user loses the permission to publish."""
    before = play.count("dropped")
    play.redis.call("ACL", "SETUSER", "default", "-publish")
    yield
    play.await_refusal(before)
    play.redis.call("ACL", "SETUSER", "default", "+publish")


@contextlib.contextmanager
def full_memory(play):
    """maxmemory is reached, which PUBLISH does not need."""
    play.redis.configure("maxmemory", 1)
    yield
    play.redis.configure("maxmemory", 0)


FAULTS = {
    "killed": killed,
    "killed, but for its data": killed_but_for_its_data,
    "killed again and again": killed_at_once,
    "CLIENT KILL of publishers": _closing("normal"),
    "CLIENT KILL of subscribers": _closing("pubsub"),
    "DEBUG SLEEP": asleep,
    "SIGSTOP": suspended,
    "client-output-buffer-limit": with_tiny_output_buffers,
    "cut within replies": cut_within_replies,
    "one connection cut within a reply": one_cut_within_replies,
    "black hole": black_hole,
    "black hole of one": black_hole_of_one,
    "deaf": deaf,
    "CLIENT PAUSE": paused,
    "wrong password": wrong_password,
    "replica": replica,
    "full disk": full_disk,
    "PUBLISH refused": refused,
    "PUBLISH not permitted": not_permitted,
    "maxmemory": full_memory,
}

# Those during which Redis goes on as if nothing were.
HARMLESS = {"full disk", "maxmemory"}
