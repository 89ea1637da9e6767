/* When the broker's thread has something to do, though nothing comes. */
#define _POSIX_C_SOURCE 200809L

#include "link/link.h"

static void earlier(uint64_t *due_ms, uint64_t other_ms)
{
    if (other_ms < *due_ms)
        *due_ms = other_ms;
}

static void peer_due(const jz_redis *redis, const jz_redis_peer *peer, uint64_t *due_ms)
{
    bool is_waiting_for_sentinels = peer->phase == JZ_REDIS_RESTS &&
                                    redis->settings.url.where == JZ_REDIS_AT_SENTINEL &&
                                    !jz_redis_sentinel_has_told(redis, peer);
    if (peer->phase != JZ_REDIS_READY && !is_waiting_for_sentinels)
        earlier(due_ms, peer->due_ms);
}

static uint64_t peers_and_times_due(jz_redis *redis)
{
    uint64_t due_ms = jz_redis_sentinels_due_ms(&redis->sentinels);
    peer_due(redis, &redis->publisher, &due_ms);
    peer_due(redis, &redis->subscriber, &due_ms);
    if (redis->probe.is_used)
        earlier(&due_ms, redis->probe.next_ms);
    if (redis->probe.unheard_ms != 0)
        earlier(&due_ms, redis->probe.unheard_ms + redis->settings.options.probe_timeout_ms);
    if (redis->publisher.phase == JZ_REDIS_READY)
        earlier(&due_ms, jz_redis_queue_due_ms(&redis->queue));
    if (redis->subscriber.phase == JZ_REDIS_READY && !atomic_load(&redis->is_subscribed))
        earlier(&due_ms, redis->subscriber.ready_ms + redis->settings.options.connect_timeout_ms);
    earlier(&due_ms, jz_redis_fetch_due_ms(redis));
    if (redis->gaps_due_ms != 0)
        earlier(&due_ms, redis->gaps_due_ms);
    if (redis->held_turn != 0)
        earlier(&due_ms, redis->held_ms + redis->settings.options.connect_timeout_ms);
    if (redis->refused_due_ms != 0)
        earlier(&due_ms, redis->refused_due_ms);
    if (redis->is_held)
        earlier(&due_ms, redis->retold_ms);
    if (redis->stop_ms != 0)
        earlier(&due_ms, redis->stop_ms);
    if (jz_redis_is_starting(redis))
        earlier(&due_ms, redis->start_ms + JZ_REDIS_ALONE_MS);
    return due_ms;
}

/* When topics end their linger, and that the thread looks at them then. */
static void add_topics_due(jz_redis *redis, uint64_t *due_ms)
{
    /* Where commands are still unsent, more are written when it is writable. */
    if (redis->subscriber.phase != JZ_REDIS_READY || jz_redis_wire_waits(&redis->subscriber.wire))
        return;
    pthread_mutex_lock(&redis->topics_lock);
    earlier(due_ms, jz_redis_topics_deadline_ms(redis->topics));
    redis->topics_look_ms = *due_ms;
    pthread_mutex_unlock(&redis->topics_lock);
}

uint64_t jz_redis_due_ms(jz_redis *redis)
{
    uint64_t due_ms = peers_and_times_due(redis);
    add_topics_due(redis, &due_ms);
    return due_ms;
}
