/* Telling the application that messages of a topic were, or may have been, missed. */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "link/clock.h"
#include "link/link.h"

enum { SHORT_NAME = 256, LATER_MS = 100 };

/* On these topics servers tell each other of members (jazzy/broker.h); the application does not know them. */
static bool is_of_servers(const char *topic, size_t length)
{
    static const char begin[] = "\xFFjazzy.presence";
    return length >= sizeof begin - 1 && memcmp(topic, begin, sizeof begin - 1) == 0;
}

static void call(jz_redis *redis, const char *topic, size_t length)
{
    const jz_redis_options *options = &redis->settings.options;
    const bool is_told = !is_of_servers(topic, length);
    if (is_told)
        jz_redis_count(&redis->gaps);
    jz_broker_batch_post(redis->batch); /* what came before, which must not wait for the application */
    jz_broker_missed(redis->server, topic, length);
    if (is_told && options->on_gap != NULL)
        options->on_gap(options->gap_context, topic, length);
}

/* Under the lock: a copy of the name, because the topic may go as soon as the lock is left. */
static char *copy_name(const jz_redis_topic *topic, char *buffer)
{
    char *copy = topic->entry.length <= SHORT_NAME ? buffer : malloc(topic->entry.length);
    if (copy != NULL)
        memcpy(copy, topic->entry.name, topic->entry.length);
    return copy;
}

/* False: none is owed that can be told now. */
static bool tell_next(jz_redis *redis)
{
    char buffer[SHORT_NAME];
    char *name = NULL;
    size_t length = 0;
    pthread_mutex_lock(&redis->topics_lock);
    jz_redis_topic *topic = jz_redis_topics_next_gap(redis->topics);
    if (topic != NULL) {
        length = topic->entry.length;
        name = copy_name(topic, buffer);
        if (name == NULL)
            jz_redis_topics_gap(redis->topics, topic);
    }
    pthread_mutex_unlock(&redis->topics_lock);
    if (topic != NULL && name == NULL)
        redis->gaps_due_ms = jz_redis_now_ms() + LATER_MS;
    if (name == NULL)
        return false;
    call(redis, name, length);
    if (name != buffer)
        free(name);
    return true;
}

void jz_redis_tell_gaps(jz_redis *redis)
{
    redis->gaps_due_ms = 0;
    while (tell_next(redis))
        continue;
}
