"""
Servers that share their topics over Redis, while Redis, or the way to it, has a fault: every gap is told, nothing comes
twice or in another order, a server's own clients notice nothing, and the servers end in time.
"""

import re

import pytest

from support.deadline import eventually
from support.programs import IS_SANITIZED
from support.redis.faults import FAULTS, HARMLESS
from support.redis.members import PATIENTLY, Publishing
from support.redis.play import STOPS_WITHIN, Play
from support.redis.servers import Redis

# Faults by which messages are certainly lost.
COSTLY = ["PUBLISH not permitted", "PUBLISH refused"]


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as server:
        yield server


@pytest.mark.parametrize("is_ordered", [False, True], ids=["local first", "ordered"])
def test_nothing_is_lost_without_a_fault(redis, is_ordered):
    with Play(redis, names=("ann", "bob", "cid"), is_ordered=is_ordered, flags=PATIENTLY) as play:
        play.perform(play.nothing())
        assert (play.gaps(), play.damage()) == (0, 0)
        play.stop()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_gap_is_told(redis, fault):
    with Play(redis, flags=PATIENTLY if fault in HARMLESS else None) as play:
        play.perform(FAULTS[fault](play))
        assert (play.damage() > 0) == (fault not in HARMLESS)
        if fault in HARMLESS:
            assert play.gaps() == 0
        if fault in COSTLY:
            assert play.gaps() > 0
        play.stop()


@pytest.mark.parametrize("fault", ["deaf", "black hole of one", "PUBLISH refused", "killed"])
def test_every_gap_is_told_although_no_message_follows(redis, fault):
    with Play(redis) as play:
        play.perform(FAULTS[fault](play), is_quiet=True)
        play.stop()


@pytest.mark.parametrize("fault", ["killed", "cut within replies", "DEBUG SLEEP", "PUBLISH refused"])
def test_every_gap_is_told_where_all_goes_through_redis(redis, fault):
    with Play(redis, is_ordered=True) as play:
        play.perform(FAULTS[fault](play))
        play.stop()


@pytest.mark.parametrize("fault", ["killed", "cut within replies", "black hole"])
def test_every_gap_is_told_within_tls(tmp_path, authority, certificate, fault):
    trust = {"--redis-ca-file": authority.path}
    with Redis(tmp_path / "redis", certificate=certificate) as redis, Play(redis, flags=trust) as play:
        play.perform(FAULTS[fault](play))
        assert play.damage() > 0
        play.stop()


@pytest.mark.parametrize("fault", COSTLY)
def test_servers_that_conceal_gaps_are_found_out(redis, fault):
    with Play(redis, flags={"--conceal-gaps": 1}, patience=2) as play:
        with pytest.raises(AssertionError, match="did not come, and no gap was told"):
            play.perform(FAULTS[fault](play))


def test_the_first_messages_of_a_server_are_no_silent_gap(redis):
    """Those that have never heard of it cannot know from which number on they had to hear it."""
    with Play(redis, names=("ann", "late")) as play:
        late = play.member("late").publisher
        redis.call("ACL", "SETUSER", "default", "-publish")
        for topic in play.topics:
            for _ in range(3):
                late.publish(topic)
        eventually(lambda: play.member("late").statistics()["dropped"] >= 3, "Redis has refused them")
        redis.call("ACL", "SETUSER", "default", "+publish")
        play.conclude()
        assert play.gaps() > 0


def test_what_is_lost_last_is_told_although_nothing_follows(redis):
    # Patient, because who loses Redis for a moment, as where a probe is answered late, never hears the first message.
    with Play(redis, flags=PATIENTLY) as play:
        ann = play.member("ann").publisher
        ann.publish("news")
        eventually(lambda: play.member("bob").listener.heard("news", "ann") == {1}, "bob hears ann")
        redis.call("ACL", "SETUSER", "default", "-publish")
        ann.publish("news")
        eventually(lambda: play.member("ann").statistics()["dropped"] > 0, "Redis has refused it")
        redis.call("ACL", "SETUSER", "default", "+publish")
        eventually(lambda: play.member("bob").listener.log.gaps(), "bob is told, and ann publishes no more")
        play.conclude()


def test_one_line_of_the_log_says_how_long_a_server_was_alone(redis):
    with Play(redis, flags=PATIENTLY) as play:
        play.perform(FAULTS["killed"](play), count=5)
        play.stop()  # all of its log is there
        for member in play.members:
            text = member.server.errors.text()
            said = re.findall(r"joined others .* again after \d+ ms", text)
            assert len(said) == 1, text


def test_a_full_queue_drops_what_is_published_and_says_so(redis):
    limit = 1 << 20
    with Play(redis, flags={"--redis-queue-limit": limit, **PATIENTLY}) as play:
        ann = play.member("ann")
        before = play.memory()["ann"]
        play.proxies["ann"].hold()
        count = 200
        for _ in range(count):
            ann.publisher.publish("news", 50_000)
            assert ann.statistics()["queue_bytes"] <= limit
        eventually(lambda: sum(ann.publisher.outcomes.values()) == count, "each has been answered")
        dropped = ann.publisher.outcomes["dropped"]
        assert count - limit / 50_000 - 1 <= dropped < count
        assert ann.statistics()["dropped"] >= dropped
        play.check_local()
        assert IS_SANITIZED or play.memory()["ann"] - before < 10 << 20
        play.proxies["ann"].lose()
        play.await_joined()
        play.conclude()
        assert play.member("bob").listener.log.gaps()


@pytest.mark.parametrize("fault", ["killed", "SIGSTOP", "black hole", "wrong password", "PUBLISH refused"])
def test_a_server_ends_in_time_during_a_fault(redis, fault):
    with Play(redis) as play, FAULTS[fault](play):
        for member in play.members:
            for _ in range(100):
                member.publisher.publish("news", 1000)
            seconds = member.stop()
            assert seconds < STOPS_WITHIN, f"{member.name} ended after {seconds:.1f} s"


def test_what_a_server_published_before_it_ends_arrives(redis):
    with Play(redis, flags={"--redis-stop-timeout-ms": 60_000, **PATIENTLY}) as play:
        ann, count = play.member("ann"), 500
        for _ in range(count):
            ann.publisher.publish("news", 1000)
        eventually(lambda: sum(ann.publisher.outcomes.values()) == count, "each has been taken")
        assert ann.stop() < STOPS_WITHIN
        heard = play.member("bob").listener.heard
        eventually(lambda: len(heard("news", "ann")) == count, "bob hears all of it")


def test_the_memory_of_servers_does_not_grow_by_faults(redis):
    with Play(redis) as play:
        sizes = []
        for _ in range(6):
            with Publishing(play.member("ann").publisher, play.topics, 1, pause=0.002) as writer:
                writer.begin_more(30)
                writer.await_more()
                for kind in ("normal", "pubsub"):
                    redis.close_connections(kind)
                writer.begin_more(30)
                writer.await_more()
            play.await_joined()
            sizes.append(max(play.memory().values()))
        assert IS_SANITIZED or sizes[-1] - sizes[1] < 1 << 20, sizes
        play.conclude()
        play.stop()
