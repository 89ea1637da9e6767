"""A play: members publish, Redis has a fault meanwhile, and then every log is compared with what was published."""

import contextlib
import itertools
import random
import time

from support.deadline import DEADLINE, eventually
from support.process import peak_memory, resident_memory
from support.programs import IS_SANITIZED
from support.redis.checker import Journal, faults, losses, orders
from support.redis.members import Member, Publishing, server_of
from support.redis.proxy import Proxy

TOPICS = ("news", "sport")

# Published to from the beginning, like the others, but nobody subscribes to it until there is a fault.
LATER = "arts"

# Seconds that a member may need to end, whatever Redis does: its time-out for Redis is half a second.
STOPS_WITHIN = 5

# Bytes: what is published in a play is less, wherever it waits.
GROWS_AT_MOST = 32 << 20


def demand_none(complaints):
    assert not complaints, "\n".join(complaints[:20])


class Play:
    """`with Play(...) as play`: members have joined and subscribed. Each reaches Redis through a proxy of its own."""

    def __init__(
        self,
        redis,
        *,
        seed=None,
        names=("ann", "bob"),
        is_ordered=False,
        flags=None,
        url_of=None,
        patience=DEADLINE,
    ):
        self.redis = redis
        self.random = random.Random(seed or 0)
        self._is_seeded = seed is not None
        self.journal = Journal()
        self.is_ordered = is_ordered
        self.topics = TOPICS
        self.proxies = {}
        self.members = []
        self._url_of = url_of
        self._patience = patience
        self._names = names
        self._flags = flags
        self._stack = contextlib.ExitStack()
        self._start = time.monotonic()
        self._sizes = {}
        self._calm_since = self._start
        self._reconnects = 0

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._stack = stack
            for name in self._names:
                self.add_member(name)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        if exception[0] is not None:
            for member in self.members:
                print(f"{member.name} said:\n{member.server.errors.text()}")
            for client in self.clients():
                for topic in {text.split(": ")[1] for text in losses(self.journal, client.log)}:
                    print(client.log.describe(topic, self._start))
            for (topic, publisher), times in self.journal.streams().items():
                moments = " ".join(f"{moment - self._start:.3f}" for moment in times)
                print(f"{publisher} published to {topic}: {moments}")
        return self._stack.__exit__(*exception)

    def add_member(self, name):
        if self._url_of is None:
            self.proxies[name] = self._stack.enter_context(Proxy(self.redis.tls_port or self.redis.port))
            scheme = "rediss" if self.redis.tls_port else "redis"
            url = f"{scheme}://127.0.0.1:{self.proxies[name].port}"
        else:
            url = self._url_of(name)
        # On a busy machine Redis may not have answered in time when a server starts, which is no part of the play.
        flags = {"--redis-starts-alone": 1, **(self._flags or {})}
        member = Member(name, url, self.journal, is_ordered=self.is_ordered, flags=flags)
        self.members.append(self._stack.enter_context(member))
        member.connect(self.topics)
        self._sizes[name] = resident_memory(member.server.pid)
        return member

    def member(self, name):
        return next(member for member in self.members if member.name == name)

    def clients(self):
        return [client for member in self.members for client in member.clients()]

    @staticmethod
    def nothing():
        """No fault."""
        return contextlib.nullcontext()

    def perform(self, fault, count=25, pause=0.006, *, is_quiet=False):
        """
        All publish before the fault, during it (a context manager), and afterwards; then all is compared. Meanwhile
        each member gets another client, unless it has it already. `is_quiet`: nothing is published afterwards, so that
        no message shows that others are missing.
        """
        with contextlib.ExitStack() as stack:
            topics = (*self.topics, LATER)
            writers = [
                stack.enter_context(Publishing(member.publisher, topics, self.random.random(), pause=pause))
                for member in self.members
            ]
            self._publish(writers, count)
            with fault:
                self._publish(writers, count)
                self._welcome_newcomers(topics)
                self.check_local()
                if is_quiet:
                    stack.close()
            self.await_joined()
            # In this order, so that a connection which is made anew just now counts later than this.
            self._reconnects = self.count("reconnects")
            self._calm_since = time.monotonic()
            if not is_quiet:
                self._publish(writers, count)
        self.conclude()

    def _welcome_newcomers(self, topics):
        for member in self.members:
            if member.newcomer is None:
                member.welcome(topics)

    def _publish(self, writers, count):
        for writer in writers:
            writer.begin_more(count)
        for writer in writers:
            writer.await_more()

    def check_local(self):
        """What a member's clients publish reaches its others meanwhile."""
        if self.is_ordered:
            return
        streams = self.journal.streams()
        for member, topic in itertools.product(self.members, self.topics):
            for publisher in (member.name, server_of(member.name)):
                count = len(streams.get((topic, publisher), ()))
                eventually(
                    lambda: len(member.listener.heard(topic, publisher)) >= count,
                    f"{member.name}'s own clients get its messages without Redis",
                )

    def await_joined(self):
        for member in self.members:
            member.await_joined()
        for client, topic in itertools.product(self.clients(), self.topics):
            eventually(lambda: client.is_live(topic), f"{topic} is live again at {client.name}")
        for member in self.members:
            if member.newcomer is not None:
                self._await_live(member.newcomer, (*self.topics, LATER))

    @staticmethod
    def _await_live(client, topics):
        def has_begun():
            client.begin_where_live(topics)
            return set(client.log.topics()) == set(topics)

        eventually(has_begun, f"all topics are live at {client.name}")

    def conclude(self):
        """Every loss has been told, although nothing more is published; and what then is published arrives."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self._losses() or self._faults(), "all is heard or told", self._patience)
        demand_none(self._faults() + self._losses())
        self._await_calm_messages()
        demand_none(self._faults() + self._losses())
        # On a machine that is too slow for probes connections are made anew without a fault, too. What was on its way
        # when that happened, however long ago it was published, is published again, and comes in another order.
        if self.is_ordered and self._reconnects == self.count("reconnects"):
            demand_none(list(orders(self.journal, [client.log for client in self.clients()], self._is_calm)))
        for member in self.members:
            assert member.server.is_running
            growth = peak_memory(member.server.pid) - self._sizes[member.name]
            assert growth < GROWS_AT_MOST or IS_SANITIZED, f"{member.name} took {growth >> 20} MiB more"
            eventually(lambda: member.statistics()["queue_messages"] == 0, f"{member.name} has published everything")

    def _is_calm(self, moment):
        return moment > self._calm_since

    def _faults(self):
        failures = [client.failure for client in self.clients() if client.failure]
        return failures + [text for client in self.clients() for text in faults(self.journal, client.log)]

    def _losses(self):
        return [text for client in self.clients() for text in losses(self.journal, client.log)]

    def _await_calm_messages(self):
        for member, topic in itertools.product(self.members, self.topics):
            while not self._is_heard_again(member, topic):
                pass

    def _is_heard_again(self, member, topic):
        """False: a connection was made anew, as on a machine that is too slow for probes, which loses messages."""
        reconnects = self.count("reconnects")
        self.await_joined()  # who has just been connected again does not hear everything yet
        member.publisher.publish(topic)
        number = len(self.journal.streams()[topic, member.name])
        for client in self.clients():
            if client is member.publisher:
                continue
            try:
                eventually(
                    lambda: number in client.heard(topic, member.name), f"{client.name} hears {member.name} again"
                )
            except AssertionError:
                if self.count("reconnects") == reconnects:
                    raise
                return False
        return True

    def gaps(self):
        return sum(len(client.log.gaps()) for client in self.clients())

    def some(self, *seconds):
        """The longest of these, or any of them where a seed chooses."""
        return self.random.choice(seconds) if self._is_seeded else max(seconds)

    def damage(self):
        """How much members have noticed of faults: connections that had to be made anew, messages that were dropped."""
        return self.count("reconnects", "dropped")

    def is_unnoticed(self, damage):
        """
        Whether no member has noticed a fault before which they had so much damage: on a busy machine they may be too
        late to see that Redis answers late. Where a seed chooses it need not be noticed; nor by who has ended.
        """
        if self._is_seeded or not all(member.server.is_running for member in self.members):
            return False
        return all(member.statistics()["is_up"] for member in self.members) and self.damage() <= damage

    def await_refusal(self, dropped):
        """Until Redis has refused a message, if so many were dropped before the fault; unless who sent it has ended."""

        def is_refused():
            return not all(member.server.is_running for member in self.members) or self.count("dropped") > dropped

        eventually(is_refused, "Redis refuses a message")

    def await_notice(self, damage):
        eventually(lambda: not self.is_unnoticed(damage), "members notice the fault")

    def count(self, *names):
        """What all members have counted."""
        return sum(statistics[name] for statistics in (each.statistics() for each in self.members) for name in names)

    def memory(self):
        return {member.name: resident_memory(member.server.pid) for member in self.members}

    def stop(self):
        """All members end in time."""
        for member in self.members:
            seconds = member.stop()
            assert seconds < STOPS_WITHIN, f"{member.name} ended after {seconds:.1f} s"
