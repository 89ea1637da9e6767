/*
 * What Redis keeps of a topic, for a server that has not got it. The command goes to the publishing connection, once
 * the topic is acknowledged on the subscribed one. There its marker comes, behind all that was published before the
 * answer: only then, and with the whole answer, the server is told. If a connection is lost meanwhile, the command is
 * sent anew.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "history/kept_reply.h"
#include "history/scripts.h"
#include "link/clock.h"
#include "link/link.h"
#include "topics/channel.h"

enum {
    MOST_LOOKED_AT = 256, /* of those that wait, each time */
    LOOK_MS = 10,
    LOOK_AWAY_MS = 100 /* while there is no connection */
};

bool jz_redis_fetch_begin(jz_redis *redis, const char *topic, size_t length, const jz_history_options *history,
                          uint64_t number)
{
    jz_redis_fetch *fetch = jz_redis_fetch_make(topic, length);
    if (fetch == NULL)
        return false;
    jz_redis_bounds bounds = jz_redis_bounds_of(history->keep, history->for_ms, history->bytes);
    fetch->number = number;
    fetch->asked_ms = jz_redis_now_ms();
    fetch->keep = bounds.keep;
    fetch->for_ms = bounds.for_ms;
    fetch->bytes = bounds.bytes;
    atomic_store_explicit(&redis->keeps, true, memory_order_relaxed);
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_list_append(&redis->asked_to_fetch, &fetch->place);
    pthread_mutex_unlock(&redis->topics_lock);
    jz_redis_bell_ring(&redis->bell);
    return true;
}

/* Answers */

static void fail(jz_redis *redis, jz_redis_fetch *fetch)
{
    jz_broker_kept kept = {.is_failed = true};
    jz_redis_count(&redis->not_fetched);
    jz_broker_batch_post(redis->batch);
    jz_broker_fetched(redis->server, fetch->topic, fetch->topic_length, fetch->number, &kept);
    jz_redis_fetches_remove(&redis->fetches, fetch);
}

static jz_broker_kept_message *messages_of(const jz_redis_kept_reply *reply)
{
    jz_broker_kept_message *messages = malloc(reply->count * sizeof *messages);
    for (size_t i = 0; messages != NULL && i < reply->count; i++)
        messages[i] =
            (jz_broker_kept_message){.kind = reply->messages[i].is_binary ? JZ_MESSAGE_BINARY : JZ_MESSAGE_TEXT,
                                     .bytes = reply->messages[i].bytes,
                                     .length = reply->messages[i].length,
                                     .age_ms = reply->messages[i].age_ms};
    return messages;
}

/* What was delivered before goes first. */
static void tell(jz_redis *redis, jz_redis_fetch *fetch, const jz_redis_kept_reply *reply)
{
    jz_broker_kept_message *messages = reply->count > 0 ? messages_of(reply) : NULL;
    jz_broker_kept kept = {.newest = {.epoch = reply->epoch, .offset = reply->newest},
                           .count = messages != NULL ? reply->count : 0,
                           .messages = messages};
    jz_redis_count(&redis->fetched);
    jz_broker_batch_post(redis->batch);
    jz_broker_fetched(redis->server, fetch->topic, fetch->topic_length, fetch->number, &kept);
    jz_redis_fetches_remove(&redis->fetches, fetch);
    free(messages);
}

static void settle(jz_redis *redis, jz_redis_fetch *fetch)
{
    jz_redis_kept_reply reply;
    if (!fetch->has_marker || fetch->reply == NULL)
        return;
    if (jz_redis_kept_reply_read(fetch->reply, fetch->reply_length, &reply) == JZ_REDIS_KEPT_READ)
        tell(redis, fetch, &reply);
    else
        fail(redis, fetch);
    free(reply.messages);
}

void jz_redis_fetch_told(jz_redis *redis, uint64_t id, const char *bytes, size_t length)
{
    jz_redis_fetch *fetch = jz_redis_fetches_find(&redis->fetches, id);
    if (fetch != NULL && !jz_redis_fetch_keep_reply(fetch, bytes, length))
        fail(redis, fetch);
}

void jz_redis_fetch_go_on(jz_redis *redis, uint64_t id)
{
    jz_redis_fetch *fetch = jz_redis_fetches_find(&redis->fetches, id);
    if (fetch != NULL)
        settle(redis, fetch);
}

void jz_redis_fetch_marked(jz_redis *redis, uint64_t id)
{
    jz_redis_fetch *fetch = jz_redis_fetches_find(&redis->fetches, id);
    if (fetch == NULL)
        return;
    fetch->has_marker = true;
    settle(redis, fetch);
}

void jz_redis_fetch_refused(jz_redis *redis, uint64_t id, const char *refusal)
{
    jz_redis_fetch *fetch = jz_redis_fetches_find(&redis->fetches, id);
    if (redis->refused_ms == 0)
        jz_redis_log(redis, JZ_LOG_ERROR, "Redis at %s does not tell what it keeps of topics with history: %.120s",
                     redis->where, refusal);
    redis->refused_ms = redis->now_ms;
    if (fetch != NULL)
        fail(redis, fetch);
}

/* Asking */

static bool write_command(jz_redis *redis, const jz_redis_fetch *fetch, const char *channel, size_t channel_length)
{
    uint8_t header[JZ_REDIS_ENVELOPE_MOST];
    jz_redis_envelope marker = {.kind = JZ_REDIS_MARKER, .origin = redis->origin, .sequence = fetch->id};
    jz_redis_script_call call = {
        .topic = fetch->topic,
        .topic_length = fetch->topic_length,
        .channel = channel,
        .channel_length = channel_length,
        .header = header,
        .header_length = jz_redis_envelope_write(&marker, header),
        .epoch = jz_redis_next_epoch(&redis->fetch_epochs),
        .bounds = {.keep = fetch->keep, .for_ms = fetch->for_ms, .bytes = fetch->bytes},
    };
    size_t size;
    if (!jz_redis_fetch_plan(redis->settings.prefix_length, &call, &size))
        return false;
    char *to = jz_redis_queue_ask_for(&redis->queue, JZ_REDIS_QUEUED_FETCH, fetch->id, size);
    if (to != NULL)
        jz_redis_fetch_write(redis->settings.options.prefix, redis->settings.prefix_length, &call, to);
    return to != NULL;
}

static void send_command(jz_redis *redis, jz_redis_fetch *fetch)
{
    size_t prefix = redis->settings.prefix_length;
    char *channel = malloc(prefix + JZ_REDIS_OWN_CHANNEL_MOST);
    jz_redis_fetches_send(&redis->fetches, fetch);
    bool is_sent = false;
    if (channel != NULL) {
        memcpy(channel, redis->settings.options.prefix, prefix);
        char *end = jz_redis_channel_write_own(channel + prefix, redis->origin);
        is_sent = write_command(redis, fetch, channel, (size_t)(end - channel));
    }
    free(channel);
    if (!is_sent)
        fail(redis, fetch);
}

typedef enum readiness { NOT_WANTED, NOT_YET, SUBSCRIBED } readiness;

static readiness readiness_of(jz_redis *redis, const jz_redis_fetch *fetch)
{
    pthread_mutex_lock(&redis->topics_lock);
    const jz_redis_topic *topic = jz_redis_topics_find(redis->topics, fetch->topic, fetch->topic_length);
    readiness is = topic == NULL || !topic->is_wanted      ? NOT_WANTED
                   : jz_redis_topic_is_acknowledged(topic) ? SUBSCRIBED
                                                           : NOT_YET;
    pthread_mutex_unlock(&redis->topics_lock);
    return is;
}

static bool is_connected(const jz_redis *redis)
{
    return redis->publisher.phase == JZ_REDIS_READY && atomic_load(&redis->is_subscribed);
}

/* The first that waits is sent, given up, or goes behind the others. */
static void look_at(jz_redis *redis, jz_redis_fetch *fetch, uint64_t late_ms)
{
    readiness is = readiness_of(redis, fetch);
    if (is == NOT_WANTED || fetch->asked_ms < late_ms)
        fail(redis, fetch);
    else if (is == SUBSCRIBED && is_connected(redis) && jz_redis_fetches_have_room(&redis->fetches, fetch))
        send_command(redis, fetch);
    else
        jz_redis_fetches_postpone(&redis->fetches, fetch);
}

void jz_redis_fetch_work(jz_redis *redis, uint64_t now_ms)
{
    uint64_t timeout_ms = redis->settings.options.connect_timeout_ms;
    if (timeout_ms > JZ_FETCH_TIMEOUT_MS)
        timeout_ms = JZ_FETCH_TIMEOUT_MS; /* nobody waits any more, and it may be asked for again */
    uint64_t late_ms = now_ms > timeout_ms ? now_ms - timeout_ms : 0;
    jz_redis_fetch *fetch;
    if (!atomic_load_explicit(&redis->keeps, memory_order_relaxed))
        return;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_fetches_take(&redis->fetches, &redis->asked_to_fetch);
    pthread_mutex_unlock(&redis->topics_lock);
    while ((fetch = jz_redis_fetches_sent_before(&redis->fetches, late_ms)) != NULL)
        fail(redis, fetch);
    size_t count = redis->fetches.waiting.count;
    for (size_t i = 0; i < count && i < MOST_LOOKED_AT; i++)
        look_at(redis, jz_redis_fetches_first(&redis->fetches), late_ms);
}

uint64_t jz_redis_fetch_due_ms(const jz_redis *redis)
{
    if (redis->fetches.waiting.count + redis->fetches.sent.count == 0)
        return UINT64_MAX;
    bool may_send = is_connected(redis) && redis->fetches.waiting.count > 0;
    return redis->now_ms + (may_send ? LOOK_MS : LOOK_AWAY_MS);
}

void jz_redis_fetch_end(jz_redis *redis)
{
    jz_redis_fetches_take(&redis->fetches, &redis->asked_to_fetch);
    jz_redis_fetches_clear(&redis->fetches);
}
