#include "event-line.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { SHOWN_BYTES = 128 };

const char *send_status_word(jz_send_status status)
{
    static const char *const words[] = {
        [JZ_SEND_SENT] = "sent",
        [JZ_SEND_QUEUED] = "queued",
        [JZ_SEND_DROPPED] = "dropped",
        [JZ_SEND_CLOSED] = "closed",
    };
    return words[status];
}

/* Bytes as hexadecimal digits, which need no escaping in JSON; no more than SHOWN_BYTES of them. */
static const char *hexadecimal(const void *bytes, size_t length, char text[2 * SHOWN_BYTES + 1])
{
    size_t count = length < SHOWN_BYTES ? length : SHOWN_BYTES;
    for (size_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    text[2 * count] = '\0';
    return text;
}

void event_line_print(jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const char *const kinds[] = {
        [JZ_MESSAGE_TEXT] = "text",
        [JZ_MESSAGE_BINARY] = "binary",
        [JZ_MESSAGE_PING] = "ping",
        [JZ_MESSAGE_PONG] = "pong",
    };
    char text[2 * SHOWN_BYTES + 1];
    char fields[512] = "";
    const char *name = "open";
    switch (event->type) {
    case JZ_EVENT_OPEN:
        break;
    case JZ_EVENT_MESSAGE:
        name = "message";
        snprintf(fields, sizeof fields, ", \"kind\": \"%s\", \"length\": %zu, \"bytes\": \"%s\"", kinds[message->kind],
                 message->length, hexadecimal(message->bytes, message->length, text));
        break;
    case JZ_EVENT_ERROR:
        name = "error";
        snprintf(fields, sizeof fields, ", \"failure\": \"%s\"", jz_failure_text(event->failure));
        break;
    case JZ_EVENT_CLOSE:
        name = "close";
        snprintf(fields, sizeof fields, ", \"code\": %d, \"clean\": %s, \"reason\": \"%s\", \"send\": \"%s\"",
                 event->close_code, event->was_clean ? "true" : "false",
                 hexadecimal(event->close_reason, event->close_reason_length, text),
                 send_status_word(jz_ws_send(ws, JZ_MESSAGE_TEXT, "too late", 8)));
        break;
    }
    printf("{\"ws\": \"%" PRIx64 "\", \"thread\": %" PRIuPTR ", \"is_open\": %s, \"event\": \"%s\"%s}\n", ws.value,
           (uintptr_t)pthread_self(), jz_ws_is_open(ws) ? "true" : "false", name, fields);
    fflush(stdout);
}
