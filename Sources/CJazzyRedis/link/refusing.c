/*
 * Topics that Redis refuses, because its user may not subscribe to their channels (ACL). It refuses the whole SUBSCRIBE
 * that names one of them: so that is asked again in halves, until those that are refused stand alone. They are told,
 * and asked for again from time to time; all others are live.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "link/link.h"

enum {
    PROBES_UNTIL_RETRIED = 6, /* 30 s, as probes go by default */
    BATCH_MS = 50,            /* between two batches of those that are retried: ten thousand topics a second */
    MOST_RETRIED = JZ_REDIS_TOPIC_BATCH,
    MOST_LOGGED = 4, /* topics, until they are tried again */
    SHOWN = 64       /* bytes of a topic in the log */
};

static void log_topic(jz_redis *redis, const jz_redis_topic *topic, const char *refusal)
{
    int shown = topic->entry.length < SHOWN ? (int)topic->entry.length : SHOWN;
    jz_redis_log(
        redis, JZ_LOG_ERROR,
        "Redis at %s refuses to subscribe to the topic %.*s, so that what others publish does not reach it here: "
        "%.120s (ACL SETUSER ... &%s*)",
        redis->where, shown, topic->entry.name, refusal, redis->settings.options.prefix);
}

static uint64_t time_of_retry(const jz_redis *redis)
{
    return redis->now_ms + (uint64_t)PROBES_UNTIL_RETRIED * redis->settings.options.probe_interval_ms;
}

/* Under the lock. It may free the topic. */
static void give_up(jz_redis *redis, jz_redis_topic *topic, const char *refusal)
{
    bool is_news = topic->is_wanted && topic->unanswered == 1 && !topic->was_refused;
    if (is_news && redis->refused_now++ < MOST_LOGGED)
        log_topic(redis, topic, refusal);
    jz_redis_topics_refused(redis->topics, topic);
    if (redis->refused_due_ms == 0)
        redis->refused_due_ms = time_of_retry(redis);
}

/* Under the lock: how many of them are to be asked for again, which come first. */
static size_t keep_those_to_ask(jz_redis *redis, jz_redis_command_asked *command, const char *refusal)
{
    size_t kept = 0;
    for (size_t i = 0; i < command->count; i++) {
        if (jz_redis_topics_is_to_be_asked_again(command->topics[i]))
            command->topics[kept++] = command->topics[i];
        else
            give_up(redis, command->topics[i], refusal);
    }
    return kept;
}

/* Under the lock. */
static bool divide(jz_redis *redis, jz_redis_command_asked *command, const char *refusal)
{
    bool was_alone = command->count == 1;
    size_t kept = keep_those_to_ask(redis, command, refusal);
    size_t half = kept / 2;
    if (was_alone && kept == 1) {
        give_up(redis, command->topics[0], refusal);
        return true;
    }
    return (half == 0 || jz_redis_ask_for_topics(redis, true, command->topics, half)) &&
           (kept == 0 || jz_redis_ask_for_topics(redis, true, command->topics + half, kept - half));
}

bool jz_redis_take_refusal(jz_redis *redis, const char *refusal)
{
    if (strncmp(refusal, "NOPERM", 6) != 0)
        return jz_redis_wire_fail(&redis->subscriber.wire, "%.120s", refusal);
    if (!atomic_load(&redis->is_subscribed))
        return jz_redis_wire_fail(&redis->subscriber.wire, "%.100s: all processes need ACL SETUSER ... &%.32s?J*",
                                  refusal, redis->settings.options.prefix);
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_command_asked *command = jz_redis_asked_refused(&redis->asked);
    bool is_fine = command != NULL && divide(redis, command, refusal);
    pthread_mutex_unlock(&redis->topics_lock);
    if (command == NULL)
        return jz_redis_wire_fail(&redis->subscriber.wire, "%.120s", refusal);
    free(command);
    return is_fine;
}

/* Those that are refused now are asked for again, one batch after the other. */
static void begin_to_retry(jz_redis *redis, size_t refused)
{
    if (redis->refused_now > MOST_LOGGED)
        jz_redis_log(redis, JZ_LOG_ERROR, "Redis at %s refuses %zu more topics", redis->where,
                     redis->refused_now - MOST_LOGGED);
    redis->refused_now = 0;
    redis->to_retry = refused;
}

void jz_redis_retry_refused(jz_redis *redis, uint64_t now_ms)
{
    if (redis->refused_due_ms == 0 || now_ms < redis->refused_due_ms)
        return;
    pthread_mutex_lock(&redis->topics_lock);
    size_t refused = jz_redis_topics_counts(redis->topics).refused;
    pthread_mutex_unlock(&redis->topics_lock);
    if (redis->to_retry == 0)
        begin_to_retry(redis, refused);
    size_t count = redis->to_retry < MOST_RETRIED ? redis->to_retry : MOST_RETRIED;
    redis->to_retry -= count;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topics_retry_refused(redis->topics, count);
    pthread_mutex_unlock(&redis->topics_lock);
    if (redis->to_retry > 0)
        redis->refused_due_ms = now_ms + BATCH_MS;
    else
        redis->refused_due_ms = refused > 0 ? time_of_retry(redis) : 0;
}
