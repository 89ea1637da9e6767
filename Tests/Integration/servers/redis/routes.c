#define _POSIX_C_SOURCE 200809L

#include "routes.h"

#include <inttypes.h>
#include <jazzy/broker.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../event-line.h"
#include "words.h"

static void JZ_PRINTF(2, 3) answer(jz_ws ws, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text)
        abort();
    jz_ws_send(ws, JZ_MESSAGE_TEXT, text, (size_t)length);
}

void probe_tell_gap(void *context, const char *topic, size_t length)
{
    const probe *probe = context;
    char text[1024];
    if (probe->conceals_gaps)
        return;
    const int written = snprintf(text, sizeof text, "gap %.*s", (int)length, topic);
    if (written < 0 || (size_t)written >= sizeof text)
        abort();
    /* What this thread delivers keeps its order, which a message of jz_server_publish need not. */
    jz_broker_deliver(probe->server, topic, length, JZ_MESSAGE_TEXT, text, (size_t)written);
}

/* The first message says how it has begun; all others are what is published. */
static void resume(jz_ws ws, word topic, word since)
{
    jz_subscribe_options options = {.announces = true};
    options.has_since = since.length > 0 && jz_position_parse(since.start, since.length, &options.since);
    if (jz_ws_subscribe_from(ws, topic.start, topic.length, &options, NULL) == JZ_SEND_DROPPED)
        answer(ws, "!dropped");
}

static void handle_command(const probe *probe, jz_ws ws, const jz_message *message)
{
    word rest = {(const char *)message->bytes, message->length};
    const word command = word_take(&rest);
    const word topic = word_take(&rest);
    if (word_is(command, "publish")) {
        const jz_send_status status =
            jz_ws_publish(ws, topic.start, topic.length, message->kind, rest.start, rest.length);
        answer(ws, "!%s", send_status_word(status));
    } else if (word_is(command, "announce")) {
        const jz_send_status status =
            jz_server_publish(probe->server, topic.start, topic.length, message->kind, rest.start, rest.length);
        answer(ws, "!%s", send_status_word(status));
    } else if (word_is(command, "subscribe")) {
        jz_ws_subscribe(ws, topic.start, topic.length);
        answer(ws, "!done %.*s", (int)topic.length, topic.start);
    } else if (word_is(command, "resume")) {
        resume(ws, topic, rest);
    } else if (word_is(command, "unsubscribe")) {
        jz_ws_unsubscribe(ws, topic.start, topic.length);
        answer(ws, "!done %.*s", (int)topic.length, topic.start);
    } else if (word_is(command, "live")) {
        const bool is_live = jz_redis_is_live(probe->redis, topic.start, topic.length);
        answer(ws, "!live %.*s %s", (int)topic.length, topic.start, is_live ? "yes" : "no");
    } else {
        answer(ws, "!unknown");
    }
}

static void handle_topics(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        handle_command(context, ws, message);
}

static void handle_statistics(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_TEXT)
        return;
    const probe *probe = context;
    const jz_redis_statistics now = jz_redis_statistics_of(probe->redis);
    answer(
        ws,
        "{\"is_up\": %s, \"reconnects\": %" PRIu64 ", \"gaps\": %" PRIu64 ", \"published\": %" PRIu64
        ", \"received\": %" PRIu64 ", \"echoes\": %" PRIu64 ", \"duplicates\": %" PRIu64 ", \"unreadable\": %" PRIu64
        ", \"dropped\": %" PRIu64
        ", \"queue_bytes\": %zu, \"queue_messages\": %zu, \"topics\": %zu, \"live_topics\": %zu, \"lag_us\": %" PRIu64
        "}",
        now.is_up ? "true" : "false", now.reconnects, now.gaps, now.published, now.received, now.echoes, now.duplicates,
        now.unreadable, now.dropped, now.queue_bytes, now.queue_messages, now.topics, now.live_topics, now.lag_us);
}

jz_status probe_register_redis_routes(probe *probe, jz_error *error)
{
    jz_status status = jz_server_route_ws(probe->server, "/topics", NULL, handle_topics, probe, error);
    if (status == JZ_OK)
        status = jz_server_route_ws(probe->server, "/redis-statistics", NULL, handle_statistics, probe, error);
    return status;
}
