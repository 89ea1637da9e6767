#include "observed_event.h"

#include <stdio.h>

#include "testing.h"

observed_event observe_event(const jz_event *event, const jz_message *message)
{
    assert_non_null(event->close_reason);
    assert_non_null(message->bytes);
    observed_event observed = {.type = event->type};
    switch (event->type) {
    case JZ_EVENT_OPEN:
        break;
    case JZ_EVENT_MESSAGE:
        observed.kind = message->kind;
        observed.bytes = message->bytes;
        observed.length = message->length;
        return observed;
    case JZ_EVENT_CLOSE:
        observed.close_code = event->close_code;
        observed.was_clean = event->was_clean;
        observed.bytes = (const uint8_t *)event->close_reason;
        observed.length = event->close_reason_length;
        break;
    case JZ_EVENT_ERROR:
        observed.failure = event->failure;
        break;
    }
    assert_int_equal(message->length, 0); /* empty unless the event is a message (jazzy/server.h) */
    return observed;
}

observed_event observed_event_of(const session_event *expected, jz_buffer *bytes)
{
    test_bytes_append(bytes, expected->bytes);
    return (observed_event){.type = expected->type,
                            .kind = expected->kind,
                            .failure = expected->failure,
                            .close_code = expected->close_code,
                            .was_clean = expected->was_clean,
                            .bytes = bytes->bytes,
                            .length = bytes->length};
}

bool observed_events_are_equal(const observed_event *a, const observed_event *b)
{
    return a->type == b->type && a->kind == b->kind && a->failure == b->failure && a->close_code == b->close_code &&
           a->was_clean == b->was_clean && a->length == b->length &&
           (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* The first bytes; bytes that are not printable ASCII as \xHH. */
static void describe_bytes(char text[64], const uint8_t *bytes, size_t length)
{
    size_t position = 0;
    text[0] = '\0';
    for (size_t i = 0; i < length && position < 48; i++) {
        bool is_plain = bytes[i] >= 0x20 && bytes[i] < 0x7F;
        position += (size_t)snprintf(text + position, 64 - position, is_plain ? "%c" : "\\x%02x", bytes[i]);
    }
}

void describe_observed_event(char text[OBSERVED_EVENT_TEXT_SIZE], const observed_event *event)
{
    static const char *const kinds[] = {"text", "binary", "ping", "pong"};
    char bytes[64];
    describe_bytes(bytes, event->bytes, event->length);
    switch (event->type) {
    case JZ_EVENT_OPEN:
        snprintf(text, OBSERVED_EVENT_TEXT_SIZE, "open");
        break;
    case JZ_EVENT_MESSAGE:
        snprintf(text, OBSERVED_EVENT_TEXT_SIZE, "%s of %zu bytes '%s'", kinds[event->kind], event->length, bytes);
        break;
    case JZ_EVENT_CLOSE:
        snprintf(text, OBSERVED_EVENT_TEXT_SIZE, "%s close %u '%s'", event->was_clean ? "clean" : "unclean",
                 event->close_code, bytes);
        break;
    case JZ_EVENT_ERROR:
        snprintf(text, OBSERVED_EVENT_TEXT_SIZE, "error '%s'", jz_failure_text(event->failure));
        break;
    }
}
