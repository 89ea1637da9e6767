/* The public functions, and the table of the broker. */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "link/clock.h"
#include "link/link.h"
#include "settings/report.h"
#include "tables/random.h"

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    return jz_redis_run(context, server, error);
}

static void stop(void *context)
{
    jz_redis_halt(context);
}

static void ring_unless(jz_redis *redis, bool has_rung)
{
    if (!has_rung)
        jz_redis_bell_ring(&redis->bell);
}

static void subscribe(void *context, const char *topic, size_t length)
{
    jz_redis *redis = context;
    pthread_mutex_lock(&redis->topics_lock);
    bool has_rung = redis->has_rung;
    if (!jz_redis_topics_want(redis->topics, length > 0 ? topic : "", length)) {
        redis->has_lost_topic = true;
        has_rung = false;
    }
    redis->has_rung = true;
    pthread_mutex_unlock(&redis->topics_lock);
    ring_unless(redis, has_rung);
}

static void unsubscribe(void *context, const char *topic, size_t length)
{
    jz_redis *redis = context;
    uint64_t now_ms = jz_redis_now_ms();
    pthread_mutex_lock(&redis->topics_lock);
    /* Not before the linger is over, unless the thread would sleep for longer. */
    bool has_rung = redis->has_rung || now_ms + redis->settings.options.linger_ms >= redis->topics_look_ms;
    jz_redis_topics_unwant(redis->topics, length > 0 ? topic : "", length, now_ms);
    redis->has_rung = redis->has_rung || !has_rung;
    pthread_mutex_unlock(&redis->topics_lock);
    ring_unless(redis, has_rung);
}

/* What subscribers here get through Redis: they must be subscribed there before. */
static uint64_t turn_to_wait_for(jz_redis *redis, const char *topic, size_t length)
{
    pthread_mutex_lock(&redis->topics_lock);
    uint64_t turn = jz_redis_topics_turn_of(redis->topics, length > 0 ? topic : "", length);
    pthread_mutex_unlock(&redis->topics_lock);
    return turn;
}

static jz_send_status publish(void *context, jz_ws except, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    jz_redis *redis = context;
    if (kind != JZ_MESSAGE_TEXT && kind != JZ_MESSAGE_BINARY)
        return JZ_SEND_DROPPED;
    bool is_ordered = redis->settings.options.is_ordered;
    jz_redis_publishing publishing = {.topic = topic,
                                      .topic_length = topic_length,
                                      .kind = kind == JZ_MESSAGE_TEXT ? JZ_REDIS_TEXT : JZ_REDIS_BINARY,
                                      .publisher = is_ordered ? except.value : 0,
                                      .turn = is_ordered ? turn_to_wait_for(redis, topic, topic_length) : 0,
                                      .bytes = bytes,
                                      .length = length};
    return jz_redis_queue_publish(&redis->queue, &publishing) ? JZ_SEND_QUEUED : JZ_SEND_DROPPED;
}

static jz_send_status publish_kept(void *context, jz_ws except, const char *topic, size_t topic_length,
                                   const jz_history_options *history, jz_message_kind kind, const void *bytes,
                                   size_t length)
{
    jz_redis *redis = context;
    if (kind != JZ_MESSAGE_TEXT && kind != JZ_MESSAGE_BINARY)
        return JZ_SEND_DROPPED;
    atomic_store_explicit(&redis->keeps, true, memory_order_relaxed);
    jz_redis_publishing publishing = {.topic = topic,
                                      .topic_length = topic_length,
                                      .kind = kind == JZ_MESSAGE_TEXT ? JZ_REDIS_KEPT_TEXT : JZ_REDIS_KEPT_BINARY,
                                      .publisher = except.value,
                                      .turn = turn_to_wait_for(redis, topic, topic_length),
                                      .bytes = bytes,
                                      .length = length,
                                      .bounds = jz_redis_bounds_of(history->keep, history->for_ms, history->bytes)};
    return jz_redis_queue_keep(&redis->queue, &publishing) ? JZ_SEND_QUEUED : JZ_SEND_DROPPED;
}

static bool fetch(void *context, const char *topic, size_t topic_length, const jz_history_options *history,
                  uint64_t number)
{
    return jz_redis_fetch_begin(context, topic, topic_length, history, number);
}

static void flush(void *context)
{
    jz_redis *redis = context;
    jz_redis_queue_flush(&redis->queue);
}

static bool is_live(void *context, const char *topic, size_t length)
{
    return jz_redis_is_live(context, topic, length);
}

static void report(void *context, jz_broker_report *report)
{
    jz_redis_statistics now = jz_redis_statistics_of(context);
    *report = (jz_broker_report){.is_up = now.is_up,
                                 .reconnects = now.reconnects,
                                 .gaps = now.gaps,
                                 .received = now.received,
                                 .echoes = now.echoes,
                                 .duplicates = now.duplicates,
                                 .unreadable = now.unreadable,
                                 .dropped = now.dropped,
                                 .queued_bytes = now.queue_bytes,
                                 .queued_messages = now.queue_messages,
                                 .lag_us = now.lag_us,
                                 .refused_topics = now.refused_topics};
}

/* False: no memory, or no descriptor. */
static bool init(jz_redis *redis)
{
    const jz_redis_options *options = &redis->settings.options;
    redis->origin = jz_redis_new_origin();
    redis->topics_look_ms = UINT64_MAX;
    redis->fetch_epochs = jz_redis_random();
    redis->topics = jz_redis_topics_create(options->linger_ms);
    redis->queue.prefix = options->prefix;
    redis->queue.prefix_length = redis->settings.prefix_length;
    redis->queue.limit = options->queue_limit;
    redis->queue.batch = options->publish_batch;
    redis->queue.bell = &redis->bell;
    return redis->topics != NULL && jz_redis_bell_open(&redis->bell) &&
           jz_redis_queue_init(&redis->queue, redis->origin);
}

jz_redis *jz_redis_create(const jz_redis_options *options, jz_error *error)
{
    jz_error own;
    if (error == NULL)
        error = &own;
    jz_redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL) {
        jz_redis_report_no_memory(error);
        return NULL;
    }
    redis->bell = (jz_redis_bell){.heard = -1, .rung = -1};
    jz_redis_fetches_init(&redis->fetches);
    jz_redis_list_init(&redis->asked_to_fetch);
    pthread_mutex_init(&redis->topics_lock, NULL);
    pthread_mutex_init(&redis->state_lock, NULL);
    redis->concluded = (jz_redis_bell){.heard = -1, .rung = -1};
    redis->table = (jz_broker){.context = redis,
                               .start = start,
                               .stop = stop,
                               .subscribe = subscribe,
                               .unsubscribe = unsubscribe,
                               .publish_except = publish,
                               .is_live = is_live,
                               .report = report,
                               .flush = flush,
                               .publish_kept = publish_kept,
                               .fetch = fetch};
    bool is_taken = jz_redis_settings_take(&redis->settings, options, error) == JZ_OK &&
                    jz_redis_secured_check(&redis->settings, error) == JZ_OK;
    if (is_taken && !init(redis)) {
        jz_redis_report(error, JZ_STATUS_OUT_OF_MEMORY, "no memory or descriptor is left for the Redis broker");
        is_taken = false;
    }
    if (!is_taken) {
        jz_redis_free(redis);
        return NULL;
    }
    redis->table.is_ordered = redis->settings.options.is_ordered;
    jz_redis_url_describe(&redis->settings.url, redis->where, sizeof redis->where);
    return redis;
}

const jz_broker *jz_redis_broker(jz_redis *redis)
{
    return &redis->table;
}

/* The connection has been heard of, unless the thread itself does not come to listen. */
static bool is_heard(jz_redis *redis)
{
    const jz_redis_options *options = &redis->settings.options;
    uint64_t allowed = (uint64_t)options->probe_interval_ms + options->probe_timeout_ms;
    return atomic_load(&redis->is_subscribed) && jz_redis_now_ms() - atomic_load(&redis->heard_ms) <= allowed;
}

bool jz_redis_is_live(jz_redis *redis, const char *topic, size_t length)
{
    if (!is_heard(redis))
        return false;
    pthread_mutex_lock(&redis->topics_lock);
    const jz_redis_topic *found = jz_redis_topics_find(redis->topics, length > 0 ? topic : "", length);
    bool is_live = found != NULL && found->is_wanted && jz_redis_topic_is_acknowledged(found);
    pthread_mutex_unlock(&redis->topics_lock);
    return is_live;
}

jz_redis_statistics jz_redis_statistics_of(jz_redis *redis)
{
    jz_redis_statistics now = {.is_up = atomic_load(&redis->is_up),
                               .reconnects = atomic_load(&redis->reconnects),
                               .gaps = atomic_load(&redis->gaps),
                               .published = atomic_load(&redis->queue.accepted),
                               .received = atomic_load(&redis->received),
                               .echoes = atomic_load(&redis->echoes),
                               .duplicates = atomic_load(&redis->duplicates),
                               .unreadable = atomic_load(&redis->unreadable),
                               .dropped = atomic_load(&redis->queue.dropped),
                               .fetched = atomic_load(&redis->fetched),
                               .not_fetched = atomic_load(&redis->not_fetched),
                               .lag_us = atomic_load(&redis->lag_us)};
    jz_redis_queue_measure(&redis->queue, &now.queue_bytes, &now.queue_messages);
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topic_counts counts = jz_redis_topics_counts(redis->topics);
    pthread_mutex_unlock(&redis->topics_lock);
    now.topics = counts.kept;
    now.refused_topics = counts.refused;
    now.live_topics = atomic_load(&redis->is_subscribed) ? counts.acknowledged : 0;
    return now;
}

void jz_redis_free(jz_redis *redis)
{
    if (redis == NULL)
        return;
    jz_redis_halt(redis);
    jz_redis_fetch_end(redis);
    jz_redis_sentinel_free(redis);
    jz_redis_queue_destroy(&redis->queue);
    jz_redis_asked_clear(&redis->asked);
    if (redis->topics != NULL)
        jz_redis_topics_free(redis->topics);
    jz_redis_bell_close(&redis->bell);
    jz_redis_settings_clear(&redis->settings);
    pthread_mutex_destroy(&redis->state_lock);
    pthread_mutex_destroy(&redis->topics_lock);
    free(redis);
}
