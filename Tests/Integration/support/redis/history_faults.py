"""Faults of Redis, of its data and of servers, while clients continue in a topic with history. Each ends by itself."""

import contextlib
import time

from support.redis.resp import RefusedError


def _calling(*commands):
    def fault(play):
        with contextlib.suppress(OSError, EOFError, RefusedError):
            for command in commands:
                play.redis.call(*command)

    return fault


def _repeating(*command):
    def fault(play):
        for _ in range(3):
            _calling(command)(play)
            time.sleep(play.random.uniform(0, 0.1))

    return fault


def an_old_dump(play):
    """The counter goes back to where it was a while ago."""
    play.redis.call("SAVE")
    time.sleep(play.random.uniform(0, 0.3))
    play.redis.kill()
    play.redis.start()
    play.redis.await_answers()


def a_new_redis(play):
    play.redis.kill()
    for file in play.redis.folder.glob("*.rdb"):
        file.unlink()
    play.redis.start()
    play.redis.await_answers()


def a_kill_of_a_server(play):
    play.restart(play.random.randrange(len(play.ports)), is_killed=True)


def a_restart_of_a_server(play):
    play.restart(play.random.randrange(len(play.ports)), is_killed=False)


def a_pause(play):
    play.redis.suspend()
    time.sleep(play.random.choice((0.1, 0.4, 1.1)))
    play.redis.resume()


def no_memory(play):
    play.redis.configure("maxmemory", 1)
    time.sleep(play.random.uniform(0, 0.3))
    play.redis.configure("maxmemory", 0)


def eviction(play):
    """Redis needs the memory for something else: any key may be gone."""
    play.redis.configure("maxmemory-policy", "allkeys-random")
    for _ in range(5):
        play.redis.configure("maxmemory", 1)
        _calling(["SET", "other", "x"])(play)
        play.redis.configure("maxmemory", 0)
        time.sleep(play.random.uniform(0, 0.05))
    play.redis.configure("maxmemory-policy", "noeviction")


def cut_replies(play):
    """Connections end somewhere in the midst of what they are told: of what was kept nobody knows it."""
    for _ in range(8):
        for proxy in play.proxies:
            proxy.cut(after=play.random.randrange(200), subscribed=play.random.random() < 0.3)
        time.sleep(play.random.uniform(0.02, 0.1))


def a_black_hole(play):
    """For one server no byte passes, and no connection ends; all of it is lost."""
    for proxy in play.proxies[:1]:
        proxy.hold()
        time.sleep(play.random.choice((0.1, 1.1)))
        proxy.lose()


def a_life_as_a_replica(play):
    """It loses what it has, and gets nothing, because its master is nobody; then it is a master again."""
    play.redis.call("REPLICAOF", "127.0.0.1", 1)
    time.sleep(play.random.uniform(0, 0.3))
    play.redis.call("REPLICAOF", "NO", "ONE")


TOPIC = "news"
POSITION = f"jazzy:position:{TOPIC}"
HISTORY = f"jazzy:history:{TOPIC}"

FAULTS = {
    "an old dump": an_old_dump,
    "a new redis": a_new_redis,
    "a kill of a server": a_kill_of_a_server,
    "a restart of a server": a_restart_of_a_server,
    "a pause": a_pause,
    "no memory": no_memory,
    "eviction": eviction,
    "cut replies": cut_replies,
    "a black hole": a_black_hole,
    "a life as a replica": a_life_as_a_replica,
    "all is flushed": _calling(["FLUSHALL"]),
    "no position": _calling(["DEL", POSITION]),
    "no history": _calling(["DEL", HISTORY]),
    "a short history": _calling(["XTRIM", HISTORY, "MAXLEN", 3]),
    "an entry of others": _calling(["XADD", HISTORY, "*", "t", "of others"]),
    "an entry of others at the next offset": _calling(["XADD", HISTORY, "100000-1", "b", "of others"]),
    "no script": _repeating("SCRIPT", "FLUSH"),
    "publishing connections end": _repeating("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
    "subscribed connections end": _repeating("CLIENT", "KILL", "TYPE", "pubsub"),
    "something that is no message": _calling(["PUBLISH", f"jazzy:{TOPIC}", "of others"]),
}
