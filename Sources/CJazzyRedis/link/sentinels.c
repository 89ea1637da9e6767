/*
 * Which Sentinels are asked: first the one whose turn it is, and then, because a dead one does not say so, one more
 * every quarter of a second, or sooner, so that all have had time when the time-out of the whole is over. The first one
 * that has answered is listened to, and the others are left.
 */
#include "link/sentinels.h"

#include <stdio.h>

#include "link/link.h"

enum {
    STEP_MS = 250,
    STEADY_MS = 1000 /* who was listened to for so long begins with short pauses again */
};

static bool is_in_progress(const jz_redis_peer *peer)
{
    return peer->phase != JZ_REDIS_RESTS && peer->phase != JZ_REDIS_READY;
}

static bool is_any_in_progress(const jz_redis_sentinels *sentinels)
{
    for (size_t i = 0; i < sentinels->count; i++) {
        if (is_in_progress(&sentinels->known[i].peer))
            return true;
    }
    return false;
}

static size_t place_of(const jz_redis_sentinels *sentinels, const jz_redis_peer *peer)
{
    size_t place = 0;
    while (&sentinels->known[place].peer != peer)
        place++;
    return place;
}

void jz_redis_sentinels_ask(jz_redis_sentinels *sentinels, uint64_t now_ms)
{
    if (sentinels->is_wanted)
        return;
    /* The one that is listened to may be the one that does not know. */
    for (size_t i = 0; i < sentinels->count; i++) {
        if (sentinels->known[i].peer.phase == JZ_REDIS_READY)
            sentinels->turn = i + 1;
        jz_redis_peer_end(&sentinels->known[i].peer);
    }
    sentinels->is_wanted = true;
    sentinels->next_ms = now_ms;
}

static void begin_round(jz_redis_sentinels *sentinels, uint32_t timeout_ms, uint64_t now_ms)
{
    sentinels->is_asking = true;
    sentinels->asked = sentinels->count;
    sentinels->begun = 0;
    sentinels->next_ms = now_ms;
    sentinels->until_ms = now_ms + timeout_ms;
}

static void begin_next(jz_redis *redis, uint32_t timeout_ms, uint64_t now_ms)
{
    jz_redis_sentinels *sentinels = &redis->sentinels;
    jz_redis_sentinel *next = &sentinels->known[(sentinels->turn + sentinels->begun) % sentinels->asked];
    uint64_t step_ms = timeout_ms / 2 / sentinels->asked;
    sentinels->begun++;
    sentinels->next_ms = now_ms + (step_ms < STEP_MS ? step_ms : STEP_MS);
    next->peer.target.port = next->host.port;
    snprintf(next->peer.target.host, sizeof next->peer.target.host, "%s", next->host.name);
    if (!jz_redis_peer_begin(&next->peer, sentinels->until_ms, now_ms))
        jz_redis_lose(redis, &next->peer, false);
}

bool jz_redis_sentinels_work(jz_redis *redis, uint64_t now_ms)
{
    jz_redis_sentinels *sentinels = &redis->sentinels;
    const jz_redis_options *options = &redis->settings.options;
    if (sentinels->is_wanted && !sentinels->is_asking && now_ms >= sentinels->next_ms)
        begin_round(sentinels, options->connect_timeout_ms, now_ms);
    if (!sentinels->is_asking)
        return true;
    while (sentinels->begun < sentinels->asked && (now_ms >= sentinels->next_ms || !is_any_in_progress(sentinels)))
        begin_next(redis, options->connect_timeout_ms, now_ms);
    if (sentinels->begun < sentinels->asked || is_any_in_progress(sentinels))
        return true;
    sentinels->is_asking = false;
    sentinels->next_ms = now_ms + jz_redis_backoff_next(&sentinels->backoff, options);
    return false;
}

uint64_t jz_redis_sentinels_due_ms(const jz_redis_sentinels *sentinels)
{
    bool is_next_due = sentinels->is_wanted && (!sentinels->is_asking || sentinels->begun < sentinels->asked);
    uint64_t due_ms = is_next_due ? sentinels->next_ms : UINT64_MAX;
    for (size_t i = 0; i < sentinels->count; i++) {
        const jz_redis_peer *peer = &sentinels->known[i].peer;
        if (is_in_progress(peer) && peer->due_ms < due_ms)
            due_ms = peer->due_ms;
    }
    return due_ms;
}

void jz_redis_sentinels_ready(jz_redis_sentinels *sentinels, const jz_redis_peer *peer)
{
    sentinels->is_wanted = sentinels->is_asking = false;
    for (size_t i = 0; i < sentinels->count; i++) {
        if (&sentinels->known[i].peer != peer)
            jz_redis_peer_end(&sentinels->known[i].peer);
    }
}

void jz_redis_sentinels_lost(jz_redis_sentinels *sentinels, jz_redis_peer *peer, uint64_t now_ms)
{
    bool was_ready = peer->phase == JZ_REDIS_READY;
    bool was_steady = was_ready && now_ms - peer->ready_ms >= STEADY_MS;
    sentinels->failure = peer->wire.failure;
    jz_redis_peer_end(peer);
    if (!was_ready)
        return;
    sentinels->is_wanted = true;
    sentinels->turn = place_of(sentinels, peer) + 1;
    sentinels->next_ms = now_ms;
    if (was_steady)
        sentinels->backoff.failures = 0;
    else
        sentinels->next_ms += jz_redis_backoff_next(&sentinels->backoff, &peer->settings->options);
}

void jz_redis_sentinels_end(jz_redis_sentinels *sentinels)
{
    for (size_t i = 0; i < sentinels->count; i++)
        jz_redis_peer_end(&sentinels->known[i].peer);
}
