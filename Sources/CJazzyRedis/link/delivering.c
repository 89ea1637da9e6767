/* Messages of the subscribed connection: which are new, what was missed before them, and on to the server. */
#include <string.h>

#include "envelope/envelope.h"
#include "link/link.h"
#include "topics/channel.h"

enum { RETRY_MS = 100 /* until a gap is told of what the server did not take */ };

typedef struct arrival {
    const char *topic;
    size_t topic_length;
    const char *payload;
    size_t length;
    jz_redis_envelope envelope;
    bool is_own;
} arrival;

/* The server is not able to take it: a loop's mailbox is full. Its subscribers have missed it. */
static void note_refusal(jz_redis *redis, const arrival *arrival)
{
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topic *topic = jz_redis_topics_find(redis->topics, arrival->topic, arrival->topic_length);
    if (topic != NULL)
        jz_redis_topics_gap(redis->topics, topic);
    pthread_mutex_unlock(&redis->topics_lock);
    if (redis->gaps_due_ms == 0)
        redis->gaps_due_ms = redis->now_ms + RETRY_MS;
}

static void hand_on(jz_redis *redis, const arrival *arrival)
{
    const jz_redis_envelope *envelope = &arrival->envelope;
    bool is_binary = envelope->kind == JZ_REDIS_BINARY || envelope->kind == JZ_REDIS_KEPT_BINARY;
    jz_message_kind kind = is_binary ? JZ_MESSAGE_BINARY : JZ_MESSAGE_TEXT;
    jz_ws except = {.value = arrival->is_own ? envelope->publisher : 0};
    jz_send_status status;
    if (jz_redis_is_kept(envelope))
        status = jz_broker_deliver_kept(redis->server, redis->batch, except, arrival->topic, arrival->topic_length,
                                        kind, arrival->payload, arrival->length,
                                        (jz_position){.epoch = envelope->epoch, .offset = envelope->offset});
    else
        status = jz_broker_batch_deliver(redis->batch, except, arrival->topic, arrival->topic_length, kind,
                                         arrival->payload, arrival->length);
    if (status == JZ_SEND_DROPPED)
        note_refusal(redis, arrival);
}

/* What becomes of a message that came. */
typedef struct decision {
    bool is_new;
    bool is_delivered;
    bool has_gap; /* to be told before it is delivered */
} decision;

static decision decide(jz_redis *redis, const arrival *arrival, bool is_foreign)
{
    decision made = {.is_new = true};
    jz_redis_verdict verdict = {.is_new = true};
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topic *topic = jz_redis_topics_find(redis->topics, arrival->topic, arrival->topic_length);
    /* What comes before the last subscription is acknowledged was published before the topic was unsubscribed: what was
       published after that, and before it was subscribed again, is missing behind it. */
    if (topic != NULL && jz_redis_topic_is_acknowledged(topic)) {
        if (!is_foreign)
            verdict = jz_redis_heard_take(&topic->heard, &arrival->envelope, redis->now_ms);
        if (verdict.is_gap)
            jz_redis_topics_gap(redis->topics, topic);
        made.is_new = verdict.is_new;
        /* Of what is kept the server knows by its position whether it is new: after Redis has lost it, it may be. */
        made.is_delivered = (verdict.is_new || jz_redis_is_kept(&arrival->envelope)) && topic->is_wanted;
        made.has_gap = jz_redis_link_is_listed(&topic->to_tell);
    }
    pthread_mutex_unlock(&redis->topics_lock);
    return made;
}

static void take(jz_redis *redis, const arrival *arrival, bool is_foreign)
{
    decision made = decide(redis, arrival, is_foreign);
    if (made.has_gap)
        jz_redis_tell_gaps(redis);
    if (arrival->envelope.kind == JZ_REDIS_ANNOUNCEMENT)
        return;
    if (!made.is_new)
        jz_redis_count(&redis->duplicates);
    if (!made.is_delivered)
        return;
    jz_redis_count(arrival->is_own ? &redis->echoes : &redis->received);
    hand_on(redis, arrival);
}

static bool is_message(jz_redis_kind kind)
{
    return kind == JZ_REDIS_TEXT || kind == JZ_REDIS_BINARY || kind == JZ_REDIS_KEPT_TEXT ||
           kind == JZ_REDIS_KEPT_BINARY;
}

static void take_from_topic(jz_redis *redis, arrival *arrival)
{
    size_t header_length = 0;
    switch (jz_redis_envelope_read((const uint8_t *)arrival->payload, arrival->length, &arrival->envelope,
                                   &header_length)) {
    case JZ_REDIS_UNREADABLE:
        jz_redis_count(&redis->unreadable);
        return;
    case JZ_REDIS_FOREIGN:
        arrival->envelope = (jz_redis_envelope){.kind = JZ_REDIS_TEXT};
        take(redis, arrival, true);
        return;
    case JZ_REDIS_READ:
        break;
    }
    arrival->is_own = arrival->envelope.origin == redis->origin;
    arrival->payload += header_length;
    arrival->length -= header_length;
    if (arrival->is_own && !redis->settings.options.is_ordered && !jz_redis_is_kept(&arrival->envelope)) {
        if (is_message(arrival->envelope.kind))
            jz_redis_count(&redis->echoes);
    } else if (is_message(arrival->envelope.kind) || arrival->envelope.kind == JZ_REDIS_ANNOUNCEMENT) {
        take(redis, arrival, false);
    } else {
        jz_redis_count(&redis->unreadable);
    }
}

/* Messages to any topic were lost by another process, or, where ours come through Redis, by this one. */
static void take_from_all(jz_redis *redis, const arrival *arrival)
{
    jz_redis_envelope envelope;
    size_t header_length;
    if (jz_redis_envelope_read((const uint8_t *)arrival->payload, arrival->length, &envelope, &header_length) !=
            JZ_REDIS_READ ||
        envelope.kind != JZ_REDIS_LOST_ANY)
        return;
    if (envelope.origin == redis->origin && !redis->settings.options.is_ordered)
        return;
    /* Published before all was told: where many processes lose one Redis at once, each of them says this. */
    if (envelope.sequence >= redis->now_ms - redis->all_told_ms && envelope.sequence > 0)
        return;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topics_gap_everywhere(redis->topics);
    redis->all_told_ms = redis->now_ms;
    pthread_mutex_unlock(&redis->topics_lock);
    jz_redis_tell_gaps(redis);
}

static void take_from_own(jz_redis *redis, const arrival *arrival)
{
    jz_redis_envelope envelope;
    size_t header_length;
    if (jz_redis_envelope_read((const uint8_t *)arrival->payload, arrival->length, &envelope, &header_length) !=
            JZ_REDIS_READ ||
        envelope.origin != redis->origin)
        return;
    if (envelope.kind == JZ_REDIS_PROBE)
        jz_redis_probe_heard(redis, envelope.sequence);
    else if (envelope.kind == JZ_REDIS_MARKER)
        jz_redis_fetch_marked(redis, envelope.sequence);
}

void jz_redis_deliver(void *context, const char *channel, size_t channel_length, const char *payload, size_t length)
{
    jz_redis *redis = context;
    size_t prefix = redis->settings.prefix_length;
    arrival arrival = {.payload = payload, .length = length};
    if (channel_length < prefix || memcmp(channel, redis->settings.options.prefix, prefix) != 0)
        return;
    switch (jz_redis_channel_read(channel + prefix, channel_length - prefix, redis->origin, &arrival.topic,
                                  &arrival.topic_length)) {
    case JZ_REDIS_CHANNEL_TOPIC:
        take_from_topic(redis, &arrival);
        break;
    case JZ_REDIS_CHANNEL_ALL:
        take_from_all(redis, &arrival);
        break;
    case JZ_REDIS_CHANNEL_OWN:
        take_from_own(redis, &arrival);
        break;
    case JZ_REDIS_CHANNEL_OTHER:
        break;
    }
}
