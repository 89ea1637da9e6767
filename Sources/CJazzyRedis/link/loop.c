/* The broker's thread: what it waits for, and what it does then. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "link/clock.h"
#include "link/link.h"

enum {
    AGAIN_MS = 1000, /* until the server is asked again for topics for which there was no memory */
    MOST_PEERS = JZ_REDIS_MOST_SENTINELS + 2
};

void jz_redis_conclude(jz_redis *redis, jz_redis_outcome outcome, const char *failure)
{
    pthread_mutex_lock(&redis->state_lock);
    if (redis->outcome == JZ_REDIS_STARTING) {
        redis->outcome = outcome;
        snprintf(redis->failure, sizeof redis->failure, "%s", failure);
        jz_redis_bell_ring(&redis->concluded);
    }
    pthread_mutex_unlock(&redis->state_lock);
}

/* Losing connections */

/* Starting has failed, or goes on without Redis. */
static void start_without(jz_redis *redis, const char *failure)
{
    if (!redis->settings.options.starts_alone) {
        jz_redis_conclude(redis, JZ_REDIS_NOT_STARTED, failure);
        return;
    }
    jz_redis_log(redis, JZ_LOG_WARNING, "Redis at %s is not there yet: %s; the server starts alone", redis->where,
                 failure);
    jz_broker_set_joined(redis->server, false);
    jz_redis_conclude(redis, JZ_REDIS_STARTED, "");
}

static bool is_sentinel(const jz_redis_peer *peer)
{
    return peer->on_step != NULL;
}

/* Where the subscribed connection is, there is no master, or was none for a while. */
static void leave_subscribed(jz_redis *redis, const char *reason)
{
    if (redis->subscriber.phase == JZ_REDIS_RESTS)
        return;
    jz_redis_wire_fail(&redis->subscriber.wire, "%s", reason);
    jz_redis_lose(redis, &redis->subscriber, false);
}

void jz_redis_lose(jz_redis *redis, jz_redis_peer *peer, bool is_at_once)
{
    uint64_t now_ms = jz_redis_now_ms();
    bool was_ready = peer->phase == JZ_REDIS_READY;
    if (!jz_redis_is_starting(redis))
        jz_redis_log_loss(redis, peer, was_ready);
    if (is_sentinel(peer)) {
        jz_redis_sentinels_lost(&redis->sentinels, peer, now_ms);
        return;
    }
    jz_redis_peer_lose(peer, is_at_once, now_ms);
    if (was_ready && peer == &redis->publisher)
        jz_redis_publisher_lost(redis);
    if (was_ready && peer == &redis->subscriber)
        jz_redis_subscriber_lost(redis);
    /* Who is connected anew at once does not fail by that: Redis has moved meanwhile. */
    if (jz_redis_is_starting(redis) && !is_at_once)
        start_without(redis, peer->wire.failure);
    if (peer != &redis->publisher || !redis->is_elsewhere)
        return;
    redis->is_elsewhere = false;
    leave_subscribed(redis, peer->wire.failure);
}

/* Connecting */

/* The other connection is older: its address has led to another Redis since, and it may miss what is published there.
 */
static void leave_other(jz_redis *redis, const jz_redis_peer *peer)
{
    jz_redis_peer *other = peer == &redis->publisher ? &redis->subscriber : &redis->publisher;
    if (other->phase != JZ_REDIS_READY)
        return;
    bool has_differed = redis->has_differed;
    redis->has_differed = jz_redis_is_other_run(peer->run, other->run);
    if (!redis->has_differed || has_differed) /* twice: an address may lead to several that work as one */
        return;
    jz_redis_wire_fail(&other->wire, "it is at another Redis than the %s connection, which was made later", peer->name);
    jz_redis_lose(redis, other, true);
}

static void become_ready(jz_redis *redis, jz_redis_peer *peer, uint64_t now_ms)
{
    if (is_sentinel(peer)) {
        jz_redis_sentinels_ready(&redis->sentinels, peer);
        return;
    }
    if (peer->was_ready)
        jz_redis_count(&redis->reconnects);
    if (peer == &redis->publisher) {
        jz_redis_publisher_ready(redis, jz_redis_is_same_run(peer->run, peer->run_before), now_ms);
        if (peer->has_met_replica)
            leave_subscribed(redis, "the Redis of the other connection was a replica meanwhile");
        peer->has_met_replica = false;
    }
    if (peer == &redis->subscriber && !jz_redis_subscriber_ready(redis))
        jz_redis_lose(redis, peer, false);
    peer->was_ready = true;
    memcpy(peer->run_before, peer->run, sizeof peer->run);
    if (peer->phase == JZ_REDIS_READY)
        leave_other(redis, peer);
}

static void begin(jz_redis *redis, jz_redis_peer *peer, uint64_t now_ms)
{
    if (peer->phase != JZ_REDIS_RESTS || now_ms < peer->due_ms || !jz_redis_find_target(redis, peer, now_ms))
        return;
    if (!jz_redis_peer_begin(peer, now_ms + redis->settings.options.connect_timeout_ms, now_ms))
        jz_redis_lose(redis, peer, false);
}

/* What has come for the server goes to its loops together, before anything else, which may take long. */
static bool deliver_batch(jz_redis *redis, bool is_fine)
{
    jz_broker_batch_post(redis->batch);
    return is_fine;
}

/* After waiting. */
static void attend(jz_redis *redis, jz_redis_peer *peer, short events, uint64_t now_ms)
{
    if ((events & POLLOUT) != 0)
        peer->wire.is_blocked = false;
    if (peer->phase == JZ_REDIS_RESTS)
        return;
    if (peer->phase == JZ_REDIS_READY) {
        if ((events & ~POLLOUT) != 0 &&
            !deliver_batch(redis, jz_redis_peer_receive(peer, redis->scratch, sizeof redis->scratch)))
            jz_redis_lose(redis, peer, false);
        return;
    }
    if (!deliver_batch(redis, jz_redis_peer_proceed(peer, events, redis->scratch, sizeof redis->scratch, now_ms)))
        jz_redis_lose(redis, peer, false);
    else if (peer->phase == JZ_REDIS_READY)
        become_ready(redis, peer, now_ms);
}

/* Being joined with the others */

/* The server has told all topics again, because one was forgotten: it is not known which. */
static void tell_of_everything(jz_redis *redis)
{
    redis->has_forgotten = false;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topics_gap_everywhere(redis->topics);
    pthread_mutex_unlock(&redis->topics_lock);
    jz_redis_tell_gaps(redis);
}

static void join(jz_redis *redis, uint64_t now_ms)
{
    uint64_t gaps = atomic_load(&redis->gaps) - redis->gaps_before;
    bool is_first = jz_redis_is_starting(redis);
    atomic_store(&redis->is_up, true);
    redis->logged_count = 0;
    jz_broker_set_joined(redis->server, true);
    if (redis->has_forgotten)
        tell_of_everything(redis);
    if (is_first)
        jz_redis_log(redis, JZ_LOG_INFO, "joined others through Redis at %s", redis->where);
    else
        jz_redis_log(redis, JZ_LOG_WARNING,
                     "joined others through Redis at %s again after %" PRIu64 " ms; gaps that were told: %" PRIu64,
                     redis->where, now_ms - redis->alone_ms, gaps);
    jz_redis_conclude(redis, JZ_REDIS_STARTED, "");
}

static void part(jz_redis *redis, uint64_t now_ms)
{
    atomic_store(&redis->is_up, false);
    redis->alone_ms = now_ms;
    redis->gaps_before = atomic_load(&redis->gaps);
    jz_broker_set_joined(redis->server, false);
}

/* Both connections are there, and Redis has acknowledged every topic that was wanted when they came. */
static bool is_complete(jz_redis *redis)
{
    if (redis->publisher.phase != JZ_REDIS_READY || !atomic_load(&redis->is_subscribed))
        return false;
    if (atomic_load(&redis->is_up))
        return true;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topic_counts counts = jz_redis_topics_counts(redis->topics);
    pthread_mutex_unlock(&redis->topics_lock);
    return counts.acknowledged + counts.refused == counts.wanted;
}

static void update_joined(jz_redis *redis, uint64_t now_ms)
{
    bool was_up = atomic_load(&redis->is_up);
    bool is_up = is_complete(redis);
    if (is_up && !was_up)
        join(redis, now_ms);
    else if (was_up && !is_up)
        part(redis, now_ms);
}

/* There was no memory for a topic: the server tells all of them again. */
static void ask_for_topics(jz_redis *redis, uint64_t now_ms)
{
    pthread_mutex_lock(&redis->topics_lock);
    bool has_lost = redis->has_lost_topic;
    redis->has_lost_topic = false;
    pthread_mutex_unlock(&redis->topics_lock);
    if (has_lost) {
        redis->retold_ms = now_ms + AGAIN_MS;
        if (atomic_load(&redis->is_up))
            part(redis, now_ms);
        redis->is_held = redis->has_forgotten = true;
    }
    if (redis->is_held && now_ms >= redis->retold_ms)
        redis->is_held = false;
}

/* The turns */

static void lose_both(jz_redis *redis)
{
    jz_redis_peer *peers[] = {&redis->publisher, &redis->subscriber};
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        jz_redis_wire_fail(&peers[i]->wire,
                           "what this server published to itself did not come back within %" PRIu32 " ms",
                           redis->settings.options.probe_timeout_ms);
        jz_redis_lose(redis, peers[i], false);
    }
}

static void work(jz_redis *redis, uint64_t now_ms)
{
    begin(redis, &redis->publisher, now_ms);
    begin(redis, &redis->subscriber, now_ms);
    if (!jz_redis_sentinels_work(redis, now_ms) && jz_redis_is_starting(redis))
        start_without(redis, redis->sentinels.failure);
    if (!jz_redis_probe_work(redis, now_ms))
        lose_both(redis);
    jz_redis_publisher_follow(redis, now_ms);
    jz_redis_fetch_work(redis, now_ms);
    if (redis->publisher.phase == JZ_REDIS_READY && !jz_redis_publisher_work(redis, now_ms))
        jz_redis_lose(redis, &redis->publisher, false);
    if (redis->subscriber.phase == JZ_REDIS_READY && !jz_redis_subscriber_work(redis, now_ms))
        jz_redis_lose(redis, &redis->subscriber, false);
    jz_redis_retry_refused(redis, now_ms);
    ask_for_topics(redis, now_ms);
    if (!redis->is_held)
        update_joined(redis, now_ms);
    if (redis->gaps_due_ms != 0 && now_ms >= redis->gaps_due_ms)
        jz_redis_tell_gaps(redis);
    if (jz_redis_is_starting(redis) && redis->settings.options.starts_alone &&
        now_ms - redis->start_ms >= JZ_REDIS_ALONE_MS)
        start_without(redis, "it takes long");
}

static int timeout_until(uint64_t due_ms)
{
    uint64_t now_ms = jz_redis_now_ms();
    if (due_ms <= now_ms)
        return 0;
    return due_ms - now_ms < INT_MAX ? (int)(due_ms - now_ms) : INT_MAX;
}

static bool fall_asleep(jz_redis *redis, uint64_t *due_ms)
{
    const jz_redis_peer *peer = &redis->publisher;
    bool is_up = peer->phase == JZ_REDIS_READY;
    bool is_direct = is_up && !peer->wire.secured.is_used;
    uint64_t look_ms;
    bool may_sleep =
        jz_redis_queue_sleep(&redis->queue, is_up, is_direct ? peer->wire.descriptor : -1, jz_redis_now_ms(), &look_ms);
    if (look_ms < *due_ms)
        *due_ms = look_ms;
    return may_sleep;
}

/* The connections that there are. */
static size_t list_peers(jz_redis *redis, jz_redis_peer **peers)
{
    size_t count = 0;
    for (size_t i = 0; i < redis->sentinels.count; i++) {
        if (redis->sentinels.known[i].peer.phase != JZ_REDIS_RESTS)
            peers[count++] = &redis->sentinels.known[i].peer;
    }
    peers[count++] = &redis->publisher;
    peers[count++] = &redis->subscriber;
    return count;
}

static void wait_for_events(jz_redis *redis)
{
    jz_redis_peer *peers[MOST_PEERS];
    struct pollfd watched[MOST_PEERS + 1];
    size_t count = list_peers(redis, peers);
    for (size_t i = 0; i < count; i++)
        watched[i] = jz_redis_peer_watch(peers[i]);
    watched[count] = (struct pollfd){.fd = redis->bell.heard, .events = POLLIN};
    uint64_t due_ms = jz_redis_due_ms(redis);
    bool may_sleep = fall_asleep(redis, &due_ms);
    if (poll(watched, (nfds_t)count + 1, may_sleep ? timeout_until(due_ms) : 0) < 0)
        for (size_t i = 0; i <= count; i++)
            watched[i].revents = 0; /* interrupted */
    jz_redis_queue_wake(&redis->queue);
    uint64_t now_ms = redis->now_ms = jz_redis_now_ms();
    if (watched[count].revents != 0)
        jz_redis_bell_clear(&redis->bell);
    for (size_t i = 0; i < count; i++)
        attend(redis, peers[i], watched[i].revents, now_ms);
    jz_redis_sentinel_settle(redis);
}

/* Whether the thread goes on: until it was asked to stop, and the queue is empty, or that takes too long. */
static bool goes_on(jz_redis *redis, uint64_t now_ms)
{
    if (redis->outcome == JZ_REDIS_NOT_STARTED)
        return false;
    if (!atomic_load(&redis->is_stopping))
        return true;
    if (redis->stop_ms == 0)
        redis->stop_ms = now_ms + redis->settings.options.stop_timeout_ms;
    return !jz_redis_queue_is_idle(&redis->queue) && now_ms < redis->stop_ms;
}

void *jz_redis_loop(void *context)
{
    jz_redis *redis = context;
    redis->start_ms = redis->alone_ms = jz_redis_now_ms();
    for (uint64_t now_ms = redis->start_ms; goes_on(redis, now_ms); now_ms = jz_redis_now_ms()) {
        work(redis, now_ms);
        wait_for_events(redis);
    }
    jz_redis_sentinels_end(&redis->sentinels);
    jz_redis_peer_end(&redis->publisher);
    jz_redis_peer_end(&redis->subscriber);
    jz_redis_conclude(redis, JZ_REDIS_STOPPED, "");
    atomic_store(&redis->is_up, false);
    atomic_store(&redis->is_subscribed, false);
    return NULL;
}
