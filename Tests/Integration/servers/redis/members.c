#define _POSIX_C_SOURCE 200809L

#include "members.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../event-line.h"
#include "words.h"

/* A text of any length. */
typedef struct text {
    char *bytes;
    size_t length;
    size_t capacity;
} text;

static char *room_for(text *text, size_t count)
{
    if (text->capacity - text->length < count) {
        text->capacity = 2 * (text->length + count);
        text->bytes = realloc(text->bytes, text->capacity);
        if (text->bytes == NULL)
            abort();
    }
    return text->bytes + text->length;
}

static void JZ_PRINTF(2, 3) append(text *text, const char *format, ...)
{
    enum { MOST = 512 };
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(room_for(text, MOST), MOST, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= MOST)
        abort();
    text->length += (size_t)length;
}

static void append_escaped(text *text, const void *bytes, size_t length)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = ((const unsigned char *)bytes)[i];
        if (memchr(plain, byte, sizeof plain - 1) != NULL)
            append(text, "%c", byte);
        else
            append(text, "%%%02x", byte);
    }
}

static void append_member(text *text, const char *before, const jz_member *member)
{
    append(text, "\n%s", before);
    append_escaped(text, member->key, member->key_length);
    append(text, " ");
    append_escaped(text, member->info, member->info_length);
}

/* Sends a text, and frees it. */
static void send_text(jz_ws ws, text *text)
{
    jz_ws_send(ws, JZ_MESSAGE_TEXT, text->bytes, text->length);
    free(text->bytes);
}

static void JZ_PRINTF(2, 3) answer(jz_ws ws, const char *format, ...)
{
    char words[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof words)
        abort();
    jz_ws_send(ws, JZ_MESSAGE_TEXT, words, (size_t)length);
}

/* MARK: Watches. */

typedef struct watch {
    jz_ws ws;
    uint64_t number;
} watch;

static void tell_change(void *context, const jz_presence_change *change)
{
    const watch *watch = context;
    text told = {0};
    append(&told, "change ");
    append_escaped(&told, change->topic, change->topic_length);
    append(&told, " %zu", change->member_count);
    for (size_t i = 0; i < change->joined_count; i++)
        append_member(&told, "+", &change->joined[i]);
    for (size_t i = 0; i < change->left_count; i++)
        append_member(&told, "-", &change->left[i]);
    send_text(watch->ws, &told);
}

static void begin_watch(jz_server *server, jz_ws ws, word topic, bool is_prefix)
{
    watch *watch = jz_ws_state(ws);
    if (watch != NULL) {
        answer(ws, "!watches already");
        return;
    }
    watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        abort();
    watch->ws = ws;
    answer(ws, "!done %.*s", (int)topic.length, topic.start);
    const jz_presence_watch asked = {
        .topic = topic.start,
        .topic_length = topic.length,
        .is_prefix = is_prefix,
        .changed = tell_change,
        .released = free,
        .context = watch,
    };
    jz_error error = {0};
    uint64_t number = 0;
    if (jz_server_on_presence(server, &asked, &number, &error) != JZ_OK) {
        free(watch);
        answer(ws, "change %s", error.message);
        return;
    }
    watch->number = number;
    jz_ws_set_state(ws, watch);
}

/* MARK: Commands. */

static void join(jz_ws ws, word topic, word key, word info)
{
    const jz_member member = {key.start, key.length, info.start, info.length};
    jz_error error = {0};
    const jz_send_status status = jz_ws_subscribe_as(ws, topic.start, topic.length, &member, &error);
    if (status == JZ_SEND_DROPPED)
        answer(ws, "!dropped %s", error.message);
    else
        answer(ws, "!%s", send_status_word(status));
}

typedef struct list {
    text text;
    size_t count;
} list;

static void append_to_list(void *context, const jz_member *member)
{
    list *list = context;
    append_member(&list->text, "", member);
    list->count++;
}

static void tell_members(jz_server *server, jz_ws ws, word topic)
{
    list list = {0};
    jz_error error = {0};
    if (jz_server_members(server, topic.start, topic.length, append_to_list, &list, &error) != JZ_OK)
        abort();
    text told = {0};
    append(&told, "!members %zu", list.count);
    memcpy(room_for(&told, list.text.length + 1), list.text.length > 0 ? list.text.bytes : "", list.text.length);
    told.length += list.text.length;
    free(list.text.bytes);
    send_text(ws, &told);
}

static void tell_statistics(jz_server *server, jz_ws ws)
{
    jz_presence_statistics now = {0};
    jz_server_presence_statistics(server, &now);
    answer(ws,
           "!{\"topics\": %" PRIu64 ", \"members\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"servers\": %" PRIu64
           ", \"members_elsewhere\": %" PRIu64 ", \"not_kept\": %" PRIu64 ", \"malformed\": %" PRIu64 "}",
           now.topics, now.members, now.bytes, now.servers, now.members_elsewhere, now.not_kept, now.malformed);
}

static void handle_command(jz_server *server, jz_ws ws, const jz_message *message)
{
    word rest = {(const char *)message->bytes, message->length};
    const word command = word_take(&rest);
    const word topic = word_take(&rest);
    if (word_is(command, "join")) {
        const word key = word_take(&rest);
        join(ws, topic, key, rest);
    } else if (word_is(command, "leave")) {
        jz_ws_unsubscribe(ws, topic.start, topic.length);
        answer(ws, "!done %.*s", (int)topic.length, topic.start);
    } else if (word_is(command, "members")) {
        tell_members(server, ws, topic);
    } else if (word_is(command, "watch") || word_is(command, "watch-prefix")) {
        begin_watch(server, ws, topic, word_is(command, "watch-prefix"));
    } else if (word_is(command, "statistics")) {
        tell_statistics(server, ws);
    } else {
        answer(ws, "!unknown");
    }
}

static void handle_members(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    jz_server *server = context;
    const watch *watch = jz_ws_state(ws);
    if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT)
        handle_command(server, ws, message);
    else if (event->type == JZ_EVENT_CLOSE && watch != NULL)
        jz_server_off_presence(server, watch->number);
}

static void handle_join(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type != JZ_EVENT_OPEN)
        return;
    const jz_request *request = jz_ws_request(ws);
    jz_string topic = {0}, key = {0};
    jz_request_parameter(request, "topic", &topic);
    jz_request_parameter(request, "key", &key);
    const jz_member member = {key.start, key.length, NULL, 0};
    if (jz_ws_subscribe_as(ws, topic.start, topic.length, &member, NULL) == JZ_SEND_DROPPED)
        jz_ws_close(ws, 4000, "", 0);
}

jz_status probe_register_member_routes(jz_server *server, jz_error *error)
{
    const jz_status status = jz_server_route_ws(server, "/members", NULL, handle_members, server, error);
    return status == JZ_OK ? jz_server_route_ws(server, "/join/:topic/:key", NULL, handle_join, server, error) : status;
}
