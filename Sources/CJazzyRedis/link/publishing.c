/* The connection that publishes. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <string.h>

#include "history/scripts.h"
#include "link/clock.h"
#include "link/link.h"

enum {
    MOST_AREAS = 32,
    REFUSED_MS = 250, /* until announcements are tried again, and for each of them one more */
    MOST_REFUSED_MS = 30000,
    CALM_MS = 5000, /* without a refusal, until it is logged that messages are taken again */
    SHOWN = 64      /* bytes of a topic in the log */
};

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* Redis is not what it was: elsewhere, or later, the message can be published. */
static bool is_for_elsewhere(const char *refusal)
{
    static const char *const words[] = {"READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "CLUSTERDOWN", "MOVED"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (begins(refusal, words[i]))
            return true;
    }
    return false;
}

/*
 * The other connection is given up, too: to a replica it stays, and hears there what the new master hands on, but not
 * what that was told before. Returns false.
 */
static bool leave(jz_redis *redis, const char *reason)
{
    redis->is_elsewhere = true;
    return jz_redis_wire_fail(&redis->publisher.wire, "%.120s", reason);
}

/*
 * Whether Redis is a master is not told just now: it runs a script, or loads. It is asked again with the next probe,
 * but not for longer than a probe may take. A user who may not ask any more is told how to allow it, when the
 * connection is made again: without an answer nobody would see that this Redis has become a replica.
 */
static bool take_refused_role(jz_redis *redis, const char *refusal)
{
    bool is_for_now = begins(refusal, "BUSY") || begins(refusal, "LOADING") || begins(refusal, "TRYAGAIN");
    if (!is_for_now || redis->now_ms - redis->role_ms >= redis->settings.options.probe_timeout_ms)
        return leave(redis, refusal);
    if (!redis->has_no_role)
        jz_redis_log(redis, JZ_LOG_WARNING, "Redis at %s does not say now whether it is a master: %s", redis->where,
                     refusal);
    redis->has_no_role = true;
    return jz_redis_queue_refused(&redis->queue) || jz_redis_wire_fail(&redis->publisher.wire, "%.120s", refusal);
}

/* A user may be allowed to publish to some channels only: then others are taken meanwhile. */
static void log_refusal(jz_redis *redis, const jz_redis_queued *entry, const char *refusal)
{
    const jz_redis_entry *topic = entry->publication != NULL ? &entry->publication->entry : NULL;
    int shown = topic == NULL ? 0 : topic->length < SHOWN ? (int)topic->length : SHOWN;
    if (redis->refused_ms == 0)
        jz_redis_log(redis, JZ_LOG_ERROR,
                     "Redis at %s refuses messages, which are lost for other processes: %s (%s%.*s)", redis->where,
                     refusal, topic != NULL ? "topic " : "no topic", shown, topic != NULL ? topic->name : "");
    redis->refused_ms = redis->now_ms;
}

static bool take_refusal(jz_redis *redis, const jz_redis_queued *entry)
{
    jz_redis_peer *peer = &redis->publisher;
    const char *refusal = peer->replies.refusal;
    if (entry->kind == JZ_REDIS_QUEUED_ROLE)
        return take_refused_role(redis, refusal);
    if (is_for_elsewhere(refusal))
        return leave(redis, refusal);
    if (entry->kind == JZ_REDIS_QUEUED_KEPT && begins(refusal, JZ_REDIS_OUT_OF_TURN))
        return jz_redis_queue_retry(&redis->queue, false) || jz_redis_wire_fail(&peer->wire, "%.120s", refusal);
    if (entry->kind == JZ_REDIS_QUEUED_KEPT && begins(refusal, "NOSCRIPT"))
        return jz_redis_queue_retry(&redis->queue, true) || jz_redis_wire_fail(&peer->wire, "%.120s", refusal);
    if (entry->kind == JZ_REDIS_QUEUED_FETCH)
        jz_redis_fetch_refused(redis, entry->number, refusal);
    else
        log_refusal(redis, entry, refusal);
    bool is_whole = jz_redis_queue_refused(&redis->queue);
    size_t due = jz_redis_queue_announcements(&redis->queue);
    jz_redis_queue_hold_announcements(&redis->queue,
                                      redis->now_ms + REFUSED_MS + (due < MOST_REFUSED_MS ? due : MOST_REFUSED_MS));
    return is_whole || jz_redis_wire_fail(&peer->wire, "%.120s", refusal);
}

static bool is_answered_by_text(jz_redis_queued_kind kind)
{
    return kind == JZ_REDIS_QUEUED_SCRIPT || kind == JZ_REDIS_QUEUED_SCRIPT_AGAIN || kind == JZ_REDIS_QUEUED_FETCH;
}

/* The text itself was taken while it was read (jz_redis_fetch_told). */
static bool take_text(jz_redis *redis, const jz_redis_queued *entry)
{
    jz_redis_peer *peer = &redis->publisher;
    if (peer->replies.type != REDIS_REPLY_STRING)
        return jz_redis_wire_fail(&peer->wire, "its answer to a script is not understood");
    bool is_fine = jz_redis_queue_answered(&redis->queue) ||
                   jz_redis_wire_fail(&peer->wire, "it answers a command before it has the whole of it");
    if (is_fine && entry->kind == JZ_REDIS_QUEUED_FETCH)
        jz_redis_fetch_go_on(redis, entry->number);
    return is_fine;
}

static bool take_answer(jz_redis *redis, const jz_redis_queued *entry)
{
    jz_redis_peer *peer = &redis->publisher;
    if (is_answered_by_text(entry->kind))
        return take_text(redis, entry);
    if (entry->kind == JZ_REDIS_QUEUED_ROLE) {
        if (peer->replies.type != REDIS_REPLY_ARRAY || strcmp(peer->replies.word, "master") != 0)
            return leave(redis, "it is no master any more");
        redis->role_ms = redis->now_ms;
        redis->has_no_role = false;
    } else if (peer->replies.type != REDIS_REPLY_INTEGER) {
        return jz_redis_wire_fail(&peer->wire, "its answer to PUBLISH is not understood");
    } else if (redis->refused_ms != 0 && redis->now_ms - redis->refused_ms >= CALM_MS &&
               (entry->kind == JZ_REDIS_QUEUED_MESSAGE || entry->kind == JZ_REDIS_QUEUED_KEPT)) {
        redis->refused_ms = 0;
        jz_redis_log(redis, JZ_LOG_WARNING, "Redis at %s takes messages again", redis->where);
    }
    return jz_redis_queue_answered(&redis->queue) ||
           jz_redis_wire_fail(&peer->wire, "it answers a command before it has the whole of it");
}

static bool on_reply(void *context)
{
    jz_redis *redis = context;
    jz_redis_peer *peer = &redis->publisher;
    const jz_redis_queued *entry = jz_redis_queue_awaited(&redis->queue);
    if (entry == NULL) /* or the reason for which it closes the connection */
        return jz_redis_wire_fail(&peer->wire, "%.120s",
                                  peer->replies.type == REDIS_REPLY_ERROR ? peer->replies.refusal
                                                                          : "it answers what was not asked");
    if (peer->replies.type == REDIS_REPLY_ERROR)
        return take_refusal(redis, entry);
    return take_answer(redis, entry);
}

/* The text of a reply, which is there only now: that of a fetch is wanted. */
static void on_text(void *context, const char *bytes, size_t length)
{
    jz_redis *redis = context;
    const jz_redis_queued *entry = jz_redis_queue_awaited(&redis->queue);
    if (entry != NULL && entry->kind == JZ_REDIS_QUEUED_FETCH)
        jz_redis_fetch_told(redis, entry->number, bytes, length);
}

void jz_redis_publisher_init(jz_redis *redis)
{
    jz_redis_peer_init(&redis->publisher, &redis->settings, "publishing", redis->origin);
    redis->publisher.on_reply = on_reply;
    redis->publisher.context = redis;
    redis->publisher.longest = JZ_REDIS_LONGEST_FETCHED;
    redis->publisher.replies = (jz_redis_replies){.on_text = on_text, .context = redis};
}

/*
 * What Redis has answered may still be lost, if that Redis was one that all others had left already: where the network
 * is parted, the old master goes on beside the new one for as long as that lasts. So if it is another Redis now, or
 * cannot be told, all is in doubt that the one before may have taken.
 */
void jz_redis_publisher_ready(jz_redis *redis, bool is_same, uint64_t now_ms)
{
    uint64_t lately_ms = now_ms > JZ_REDIS_DOUBT_MS ? now_ms - JZ_REDIS_DOUBT_MS : 0;
    bool is_lately = is_same || lately_ms < redis->doubt_ms;
    redis->role_ms = now_ms;
    redis->has_no_role = false;
    if (jz_redis_queue_needs_script(&redis->queue))
        (void)jz_redis_queue_load_script(
            &redis->queue); /* without memory for it each message is refused, and tried again */
    if (!redis->publisher.was_ready)
        return;
    jz_redis_queue_reconnected(&redis->queue, is_lately ? lately_ms : redis->doubt_ms, redis->publisher.lost_ms);
    if (!is_same)
        redis->doubt_ms = redis->publisher.lost_ms;
}

void jz_redis_publisher_lost(jz_redis *redis)
{
    jz_redis_fetches_again(&redis->fetches);
    if (jz_redis_queue_rewind(&redis->queue))
        jz_redis_log(redis, JZ_LOG_ERROR,
                     "a message is lost for other processes: Redis at %s closes the connection whenever it is sent",
                     redis->where);
}

static uint64_t settle_turns(jz_redis *redis)
{
    pthread_mutex_lock(&redis->topics_lock);
    uint64_t settled = jz_redis_topics_settled_turn(redis->topics);
    pthread_mutex_unlock(&redis->topics_lock);
    return jz_redis_queue_settle_turns(&redis->queue, settled);
}

void jz_redis_publisher_follow(jz_redis *redis, uint64_t now_ms)
{
    if (!redis->settings.options.is_ordered && !atomic_load_explicit(&redis->keeps, memory_order_relaxed))
        return;
    uint64_t held = settle_turns(redis);
    if (held != redis->held_turn)
        redis->held_ms = now_ms;
    redis->held_turn = held;
    if (held == 0 || now_ms - redis->held_ms < redis->settings.options.connect_timeout_ms)
        return;
    jz_redis_log(redis, JZ_LOG_WARNING,
                 "Redis at %s does not acknowledge topics within %" PRIu32
                 " ms: what is published to them waits no longer for that",
                 redis->where, redis->settings.options.connect_timeout_ms);
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topics_wait_no_longer(redis->topics);
    pthread_mutex_unlock(&redis->topics_lock);
    redis->held_turn = settle_turns(redis);
}

static bool send_queue(jz_redis *redis)
{
    struct iovec areas[MOST_AREAS];
    size_t count;
    jz_redis_wire *wire = &redis->publisher.wire;
    while (!wire->is_blocked && (count = jz_redis_queue_areas(&redis->queue, areas, MOST_AREAS)) > 0) {
        size_t sent = 0;
        if (!jz_redis_wire_send(wire, areas, count, &sent))
            return false;
        jz_redis_queue_sent(&redis->queue, sent);
    }
    return true;
}

bool jz_redis_publisher_work(jz_redis *redis, uint64_t now_ms)
{
    jz_redis_queue_advance(&redis->queue, true, now_ms);
    if (jz_redis_wire_flush(&redis->publisher.wire) && send_queue(redis))
        return true;
    /* Redis closes the connection where a message is longer than it allows, and says so before. */
    jz_redis_peer_receive(&redis->publisher, redis->scratch, sizeof redis->scratch);
    return false;
}
