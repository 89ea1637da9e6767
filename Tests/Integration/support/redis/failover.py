"""A master, its replica, and a Sentinel that makes the replica the master when the master has a fault."""

import contextlib

from support.deadline import eventually
from support.redis.resp import RefusedError
from support.redis.servers import Redis, Sentinel


# Seconds. On a machine that stalls Sentinel mistrusts its clock, and waits for half a minute (TILT).
CHOOSES_WITHIN = 60
GIVES_UP_WITHIN = 15
ATTEMPTS = 3

# Bytes: more than the buffers of a connection.
LARGE = 64 << 20


class Failover:
    """`with Failover(folder) as pair`: Sentinel knows both."""

    def __init__(self, folder):
        self.first = Redis(folder / "first")
        self.second = Redis(folder / "second")
        self.sentinel = Sentinel(folder / "sentinel", self.first)
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for server in (self.first, self.second):
                stack.enter_context(server)
            self.second.follow(self.first)
            stack.enter_context(self.sentinel)
            eventually(lambda: self.sentinel.replica_ports() == {self.second.port}, "Sentinel knows the replica")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    @property
    def url(self):
        return f"redis-sentinel://127.0.0.1:{self.sentinel.port}/main"

    @contextlib.contextmanager
    def by(self, cause, connections):
        """A fault of a play that ends when so many connections of members have followed to the new master."""
        with cause(self):
            yield
        eventually(lambda: self.sentinel.master_port() == self.second.port, "Sentinel chooses it", CHOOSES_WITHIN)
        eventually(lambda: len(self.second.connections_of_members()) == connections, "all follow")


def _ask(pair):
    """Unless Sentinel is at it already: on a busy machine it has taken the master for dead."""
    if pair.sentinel.master_port() == pair.first.port:
        with contextlib.suppress(RefusedError):
            pair.sentinel.call("SENTINEL", "FAILOVER", "main")


@contextlib.contextmanager
def asked_for(pair):
    """Sentinel gives up where that takes longer than its time-out: then it is asked again."""
    _ask(pair)
    yield
    for _ in range(ATTEMPTS):
        with contextlib.suppress(AssertionError):
            eventually(lambda: pair.sentinel.master_port() == pair.second.port, "Sentinel chooses it", GIVES_UP_WITHIN)
            return
        _ask(pair)


@contextlib.contextmanager
def by_a_kill(pair):
    pair.first.kill()
    yield


@contextlib.contextmanager
def while_suspended(pair):
    """The old master comes back, and at first does not know that it is none any more."""
    pair.first.suspend()
    yield
    eventually(lambda: pair.sentinel.master_port() != pair.first.port, "Sentinel chooses the other", CHOOSES_WITHIN)
    pair.first.resume()


@contextlib.contextmanager
def while_behind(pair):
    """The replica has not got what was written last: more is on its way to it than the kernel holds."""
    pair.second.suspend()
    pair.first.call("SET", "large", b"x" * LARGE)
    yield
    pair.first.kill()
    pair.second.resume()


CAUSES = [asked_for, by_a_kill, while_suspended]
