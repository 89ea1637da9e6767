#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "link/link.h"

void jz_redis_log(const jz_redis *redis, jz_log_level level, const char *format, ...)
{
    char text[JZ_LOG_LINE_SIZE + 1]; /* a longer one is visibly cut in the line */
    char line[JZ_LOG_LINE_SIZE];
    const jz_redis_options *options = &redis->settings.options;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    jz_log_escape(text, strlen(text), line, sizeof line);
    if (options->log != NULL)
        options->log(options->log_context, level, line);
    else if (level >= JZ_LOG_WARNING)
        fprintf(stderr, "jazzy: %s: %s\n", level == JZ_LOG_WARNING ? "warning" : "error", line);
}

/* Attempts to connect fail for the same few reasons again and again. */
static bool was_logged(jz_redis *redis, const char *failure)
{
    for (size_t i = 0; i < redis->logged_count && i < JZ_REDIS_MOST_LOGGED; i++) {
        if (strcmp(redis->logged[i], failure) == 0)
            return true;
    }
    char *place = redis->logged[redis->logged_count++ % JZ_REDIS_MOST_LOGGED];
    snprintf(place, JZ_REDIS_FAILURE_SIZE, "%s", failure);
    return false;
}

void jz_redis_log_loss(jz_redis *redis, const jz_redis_peer *peer, bool was_ready)
{
    const char *failure = peer->wire.failure;
    if (was_ready)
        jz_redis_log(redis, JZ_LOG_WARNING, "the %s connection to Redis at %s is lost: %s", peer->name, redis->where,
                     failure);
    else if (!was_logged(redis, failure))
        jz_redis_log(redis, JZ_LOG_WARNING, "the %s connection to Redis at %s cannot be made: %s", peer->name,
                     redis->where, failure);
}
