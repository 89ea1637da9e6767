/* The subscribed connection: which topics it is told, and what it answers. */
#define _POSIX_C_SOURCE 200809L

#include <string.h>

#include "link/clock.h"
#include "link/link.h"
#include "topics/channel.h"

enum {
    OWN_CHANNELS = 2,                   /* that of all processes, and that of this one */
    MOST_UNSENT = 256 * 1024,           /* of commands; more are written when these are sent */
    LONGEST_MESSAGE = 513 * 1024 * 1024 /* proto-max-bulk-len of Redis, and what is around it */
};

static bool add_channel(jz_redis *redis, jz_redis_buffer *out, size_t suffix, const char *topic, size_t length)
{
    size_t prefix = redis->settings.prefix_length;
    if (!jz_redis_buffer_reserve(out, prefix + suffix + JZ_REDIS_LENGTH_MOST + 2))
        return false;
    char *to = jz_redis_write_length(out->bytes + out->end, '$', prefix + suffix);
    memcpy(to, redis->settings.options.prefix, prefix);
    to = jz_redis_channel_write(to + prefix, topic, length);
    memcpy(to, "\r\n", 2);
    out->end = (size_t)(to + 2 - out->bytes);
    return true;
}

bool jz_redis_ask_for_topics(jz_redis *redis, bool is_subscribe, jz_redis_topic *const *topics, size_t count)
{
    jz_redis_buffer *out = &redis->subscriber.wire.out;
    bool is_whole = jz_redis_command_begin(out, count + 1) &&
                    jz_redis_command_add_text(out, is_subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE");
    for (size_t i = 0; i < count && is_whole; i++) {
        const jz_redis_entry *entry = &topics[i]->entry;
        is_whole =
            add_channel(redis, out, jz_redis_channel_length(entry->name, entry->length), entry->name, entry->length);
    }
    return (is_whole && jz_redis_asked_add(&redis->asked, is_subscribe, topics, count)) ||
           jz_redis_wire_fail(&redis->subscriber.wire, "out of memory");
}

/* Under the lock. `has_more` is set: one batch was full. */
static bool add_batches(jz_redis *redis, uint64_t now_ms, bool *has_more)
{
    jz_redis_topic *batch[JZ_REDIS_TOPIC_BATCH];
    size_t count = jz_redis_topics_next_to_subscribe(redis->topics, batch, JZ_REDIS_TOPIC_BATCH);
    *has_more = count == JZ_REDIS_TOPIC_BATCH;
    if (count > 0 && !jz_redis_ask_for_topics(redis, true, batch, count))
        return false;
    count = jz_redis_topics_next_to_unsubscribe(redis->topics, now_ms, batch, JZ_REDIS_TOPIC_BATCH);
    *has_more = *has_more || count == JZ_REDIS_TOPIC_BATCH;
    return count == 0 || jz_redis_ask_for_topics(redis, false, batch, count);
}

bool jz_redis_subscriber_work(jz_redis *redis, uint64_t now_ms)
{
    jz_redis_wire *wire = &redis->subscriber.wire;
    bool has_more = true;
    if (redis->own_channels < OWN_CHANNELS &&
        now_ms - redis->subscriber.ready_ms >= redis->settings.options.connect_timeout_ms)
        return jz_redis_wire_fail(wire, "it does not acknowledge subscriptions");
    while (has_more && jz_redis_buffer_length(&wire->out) < MOST_UNSENT) {
        pthread_mutex_lock(&redis->topics_lock);
        redis->has_rung = false;
        bool is_written = add_batches(redis, now_ms, &has_more);
        pthread_mutex_unlock(&redis->topics_lock);
        if (!is_written || !jz_redis_wire_flush(wire))
            return false;
    }
    return jz_redis_wire_flush(wire);
}

static bool take_acknowledgement(jz_redis *redis)
{
    jz_redis_peer *peer = &redis->subscriber;
    const char *channel = peer->replies.channel;
    size_t length = peer->replies.channel_length;
    size_t prefix = redis->settings.prefix_length;
    const char *topic;
    size_t topic_length;
    if (length < prefix || memcmp(channel, redis->settings.options.prefix, prefix) != 0)
        return jz_redis_wire_fail(&peer->wire, "it acknowledges what was not subscribed");
    jz_redis_channel_kind kind =
        jz_redis_channel_read(channel + prefix, length - prefix, redis->origin, &topic, &topic_length);
    if (kind == JZ_REDIS_CHANNEL_TOPIC) {
        pthread_mutex_lock(&redis->topics_lock);
        bool is_awaited =
            jz_redis_asked_answered(&redis->asked) && jz_redis_topics_answered(redis->topics, topic, topic_length);
        pthread_mutex_unlock(&redis->topics_lock);
        if (!is_awaited)
            return jz_redis_wire_fail(&peer->wire, "it acknowledges what was not subscribed");
        jz_redis_tell_gaps(redis);
    } else if (++redis->own_channels == OWN_CHANNELS) {
        atomic_store(&redis->heard_ms, jz_redis_now_ms());
        atomic_store(&redis->is_subscribed, true);
    }
    return true;
}

static bool on_reply(void *context)
{
    jz_redis *redis = context;
    const jz_redis_replies *replies = &redis->subscriber.replies;
    if (replies->type == REDIS_REPLY_ERROR)
        return jz_redis_take_refusal(redis, replies->refusal);
    if (replies->type != REDIS_REPLY_ARRAY)
        return jz_redis_wire_fail(&redis->subscriber.wire, "it answers what was not asked");
    if (strcmp(replies->word, "subscribe") == 0 || strcmp(replies->word, "unsubscribe") == 0)
        return take_acknowledgement(redis);
    return true;
}

void jz_redis_subscriber_init(jz_redis *redis)
{
    jz_redis_peer_init(&redis->subscriber, &redis->settings, "subscribed", ~redis->origin);
    redis->subscriber.longest = LONGEST_MESSAGE;
    redis->subscriber.on_reply = on_reply;
    redis->subscriber.context = redis;
    redis->subscriber.replies = (jz_redis_replies){.on_message = jz_redis_deliver, .context = redis};
}

static bool subscribe_own(jz_redis *redis)
{
    size_t prefix = redis->settings.prefix_length;
    jz_redis_buffer *out = &redis->subscriber.wire.out;
    jz_redis_buffer name = {0};
    if (!jz_redis_buffer_reserve(&name, prefix + JZ_REDIS_OWN_CHANNEL_MOST))
        return false;
    memcpy(name.bytes, redis->settings.options.prefix, prefix);
    bool is_whole = jz_redis_command_begin(out, 1 + OWN_CHANNELS) && jz_redis_command_add_text(out, "SUBSCRIBE");
    char *end = jz_redis_channel_write_all(name.bytes + prefix);
    is_whole = is_whole && jz_redis_command_add(out, name.bytes, (size_t)(end - name.bytes));
    end = jz_redis_channel_write_own(name.bytes + prefix, redis->origin);
    is_whole = is_whole && jz_redis_command_add(out, name.bytes, (size_t)(end - name.bytes));
    jz_redis_buffer_clear(&name);
    return is_whole;
}

bool jz_redis_subscriber_ready(jz_redis *redis)
{
    redis->own_channels = 0;
    /* Whatever is subscribed only now may have missed something while there was no connection. */
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_asked_clear(&redis->asked);
    jz_redis_topics_connected(redis->topics);
    redis->all_told_ms = redis->now_ms;
    pthread_mutex_unlock(&redis->topics_lock);
    return subscribe_own(redis) || jz_redis_wire_fail(&redis->subscriber.wire, "out of memory");
}

void jz_redis_subscriber_lost(jz_redis *redis)
{
    jz_redis_fetches_again(&redis->fetches);
    atomic_store(&redis->is_subscribed, false);
    redis->own_channels = 0;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_asked_clear(&redis->asked);
    jz_redis_topics_disconnected(redis->topics);
    pthread_mutex_unlock(&redis->topics_lock);
}
