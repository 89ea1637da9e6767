"""
A play of members who come, change and leave on several servers, while these and Redis have faults; in the end all
servers, and all watches, know the same, which is true.
"""

import contextlib
import random
import time

from support.redis.halls import SILENCE, WAYS_TO_LEAVE, Hall, await_agreement
from support.redis.proxy import Proxy

KEYS = 12


def a_kill_of_a_server(play):
    play.restart(play.some_hall(), Hall.kill)


def a_restart_of_a_server(play):
    play.restart(play.some_hall(), Hall.stop)


def a_short_pause_of_a_server(play):
    hall = play.some_hall()
    hall.suspend()
    play.go_on(0.3, play.others(hall))
    hall.resume()


def a_long_pause_of_a_server(play):
    hall = play.some_hall()
    hall.suspend()
    play.go_on(SILENCE + 2, play.others(hall))
    hall.resume()


def a_new_redis(play):
    play.redis.kill()
    play.go_on(play.random.uniform(0, 0.5))
    play.redis.start()
    play.redis.await_answers()


def a_pause_of_redis(play):
    play.redis.suspend()
    play.go_on(play.random.choice((0.1, 0.5, 1.5)))
    play.redis.resume()


def _closing(kind):
    def close(play):
        for _ in range(3):
            play.redis.close_connections(kind)
            play.go_on(play.random.uniform(0, 0.2))

    return close


def cut_replies(play):
    for _ in range(4):
        for proxy in play.proxies:
            proxy.cut(after=play.random.randrange(300), subscribed=play.random.random() < 0.5)
        play.go_on(play.random.uniform(0.02, 0.2))


def a_black_hole(play):
    proxy = play.random.choice(play.proxies)
    proxy.hold()
    play.go_on(play.random.choice((0.1, 1.2)))
    proxy.lose()


def deafness(play):
    play.random.choice(play.proxies).deafen()
    play.go_on(0.3)


def no_permission(play):
    """Redis refuses what is published, for a while."""
    play.redis.call("ACL", "SETUSER", "default", "-publish")
    play.go_on(0.5)
    play.redis.call("ACL", "SETUSER", "default", "+publish")


FAULTS = {
    "a kill of a server": a_kill_of_a_server,
    "a restart of a server": a_restart_of_a_server,
    "a short pause of a server": a_short_pause_of_a_server,
    "a new redis": a_new_redis,
    "a pause of redis": a_pause_of_redis,
    "publishing connections end": _closing("normal"),
    "subscribed connections end": _closing("pubsub"),
    "cut replies": cut_replies,
    "a black hole": a_black_hole,
    "deafness": deafness,
    "no permission": no_permission,
}

# Of so many seeds one has a pause that is longer than any silence that is put up with.
LONG_PAUSE_EACH = 6


class MemberPlay:
    """`with MemberPlay(redis, seed) as play`: servers have joined, and each has a watch."""

    def __init__(self, redis, seed, *, servers=3, is_ordered=False):
        self.redis = redis
        self.random = random.Random(seed)
        self.proxies = []
        self.halls = []
        self._is_ordered = is_ordered
        self._count = servers
        self._visitors = []
        self._watches = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for number in range(self._count):
                proxy = stack.enter_context(Proxy(self.redis.port))
                flags = {"--redis-ordered": int(self._is_ordered)}
                hall = stack.enter_context(Hall(proxy.url, name=f"server {number}", flags=flags))
                self.proxies.append(proxy)
                self.halls.append(hall)
                self._watch(hall)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        for watch in self._watches.values():
            watch.end()
        return self._stack.__exit__(*exception)

    def _watch(self, hall):
        self._watches[hall] = hall.watch()

    def some_hall(self):
        return self.random.choice(self.halls)

    def others(self, hall):
        return [each for each in self.halls if each is not hall]

    def step(self, halls=None):
        """Somebody comes, changes, or leaves, on one of these servers."""
        hall = self.random.choice(halls or self.halls)
        own = [visitor for visitor in self._visitors if visitor.hall is hall]
        chance = self.random.random()
        if not own or chance < 0.45:
            self._visitors.append(hall.visitor(f"key{self.random.randrange(KEYS)}", self._info()))
        elif chance < 0.6:
            self.random.choice(own).join(self._info())
        else:
            visitor = self.random.choice(own)
            self._visitors.remove(visitor)
            self.random.choice(WAYS_TO_LEAVE)(visitor)
        time.sleep(self.random.choice((0, 0, 0.01, 0.1)))

    def _info(self):
        return f"{self.random.randrange(1000)}"

    def steps(self, count):
        for _ in range(count):
            self.step()

    def go_on(self, seconds, halls=None):
        """Steps on these servers for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step(halls)

    def restart(self, hall, end):
        """It ends in that way, and comes back as another one, on its port."""
        watch = self._watches.pop(hall)
        end(hall)
        watch.end()
        watch.demand_sense()
        self._visitors = [visitor for visitor in self._visitors if visitor.hall is not hall]
        self.go_on(self.random.uniform(0, 0.3), self.others(hall))
        hall.start()
        self._watch(hall)

    def conclude(self):
        """All is well again: everybody knows the same, in each topic."""
        for hall in self.halls:
            hall.await_joined()
        keys = {visitor.key for visitor in self._visitors}
        await_agreement(self.halls, keys, self._watches.values())
        for watch in self._watches.values():
            watch.demand_sense()
