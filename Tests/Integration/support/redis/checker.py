"""
What subscribers were told, compared with what was published: every message once, in its publisher's order, or a notice
of a gap in its place.

The rules for a message that a subscriber did not get: a notice of a gap of its topic stands between the messages of
that publisher before and after it, and it came after the message had been published, for what its receiver reads then
has to contain that message. Only where nothing was heard of the publisher before may the notice come later: the next
message does not show that it is not the first one.
"""

import itertools
import threading
import time
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """`number`: counted from 1 by its publisher, for each topic."""

    publisher: str
    number: int
    time: float


@dataclass(frozen=True)
class Gap:
    time: float


class Journal:
    """What was published: when, and what for."""

    def __init__(self):
        self._times = defaultdict(list)
        self._lock = threading.Lock()

    def note(self, topic, publisher, time=None):
        """Before it is published. Returns the message's number."""
        with self._lock:
            times = self._times[topic, publisher]
            times.append(_now() if time is None else time)
            return len(times)

    def streams(self):
        """Each topic and publisher, with the times at which its messages were published."""
        with self._lock:
            return {key: list(times) for key, times in self._times.items()}


class Log:
    """
    What one subscriber was told, by topic. It misses nothing of the publishers in `must_hear`, gaps told or not; it
    gets nothing of `own`, which publishes on the same connection.
    """

    def __init__(self, name, *, must_hear=(), own=None):
        self.name = name
        self.must_hear = frozenset(must_hear)
        self.own = own
        self._entries = defaultdict(list)
        self._begin = {}
        self._lock = threading.Lock()

    def begin(self, topic, time=None):
        """From now on it is subscribed, and is to be told of everything."""
        with self._lock:
            self._begin[topic] = _now() if time is None else time

    def add(self, topic, entry):
        with self._lock:
            self._entries[topic].append(entry)

    def entries(self, topic):
        with self._lock:
            return list(self._entries[topic])

    def topics(self):
        with self._lock:
            return dict(self._begin)

    def describe(self, topic, since):
        """All that was told of a topic, and when, in seconds since then."""
        begin = self.topics().get(topic, since)
        told = [
            f"{entry.time - since:.3f} {getattr(entry, 'publisher', 'GAP')} {getattr(entry, 'number', '')}".strip()
            for entry in self.entries(topic)
        ]
        return f"{self.name}: {topic}, expected since {begin - since:.3f}: {', '.join(told)}"

    def gaps(self):
        """The times of all notices."""
        with self._lock:
            return [entry.time for entries in self._entries.values() for entry in entries if isinstance(entry, Gap)]


def _now():
    return time.monotonic()


def faults(journal, log):
    """What is wrong for good: messages that came twice, or in another order, or to their sender, or from nowhere."""
    streams = journal.streams()
    for topic in log.topics():
        last = defaultdict(int)
        seen = set()
        for entry in log.entries(topic):
            if isinstance(entry, Gap):
                continue
            what = f"{log.name}: {topic}: {entry.publisher} {entry.number}"
            if entry.number > len(streams.get((topic, entry.publisher), ())):
                yield f"{what} was never published"
            elif entry.publisher == log.own:
                yield f"{what} came back to its sender"
            elif (entry.publisher, entry.number) in seen:
                yield f"{what} came twice"
            elif entry.number < last[entry.publisher]:
                yield f"{what} came after {last[entry.publisher]}"
            seen.add((entry.publisher, entry.number))
            last[entry.publisher] = max(last[entry.publisher], entry.number)


def losses(journal, log):
    """What is missing without a notice so far, or although it must not be missing."""
    for (topic, publisher), times in journal.streams().items():
        if topic in log.topics() and publisher != log.own:
            begin = log.topics()[topic]
            expected = [number for number, time in enumerate(times, 1) if time >= begin]
            yield from _losses_of(log, topic, publisher, expected, times)


def _losses_of(log, topic, publisher, expected, times):
    entries = log.entries(topic)
    places = {entry.number: i for i, entry in enumerate(entries) if getattr(entry, "publisher", None) == publisher}
    for is_missing, run in itertools.groupby(expected, lambda number: number not in places):
        if not is_missing:
            continue
        run = list(run)
        what = f"{log.name}: {topic}: {publisher} {run[0]} to {run[-1]}"
        if publisher in log.must_hear:
            yield f"{what} did not come, which nothing excuses"
            continue
        start = max((place for number, place in places.items() if number < run[0]), default=-1)
        end = min((place for number, place in places.items() if number > run[-1]), default=len(entries))
        if start < 0:
            end = len(entries)
        notices = [entry.time for entry in entries[start + 1 : end] if isinstance(entry, Gap)]
        if not notices:
            yield f"{what} did not come, and no gap was told"
        elif max(notices) < times[run[-1] - 1]:
            yield f"{what} did not come, and the last gap was told before {run[-1]} was published"


def orders(journal, logs, is_calm=lambda time: True):
    """Where two subscribers got the same messages in another order. `is_calm`: of what was published at these times."""
    streams = journal.streams()
    for one, other in itertools.combinations(logs, 2):
        for topic in one.topics().keys() & other.topics().keys():
            sequences = [
                [
                    (entry.publisher, entry.number)
                    for entry in log.entries(topic)
                    if isinstance(entry, Message) and is_calm(streams[topic, entry.publisher][entry.number - 1])
                ]
                for log in (one, other)
            ]
            common = set(sequences[0]) & set(sequences[1])
            ordered = [[key for key in sequence if key in common] for sequence in sequences]
            for first, second in zip(*ordered, strict=True):
                if first != second:
                    yield f"{topic}: where {one.name} got {first}, {other.name} got {second}"
                    break
