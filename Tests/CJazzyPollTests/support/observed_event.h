/* An event in a form for comparing and showing returned and expected events. */
#ifndef JAZZY_TESTS_OBSERVED_EVENT_H
#define JAZZY_TESTS_OBSERVED_EVENT_H

#include "session_row.h"

typedef struct observed_event {
    jz_event_type type;
    jz_message_kind kind;
    jz_failure failure;
    uint16_t close_code;
    bool was_clean;
    const uint8_t *bytes; /* borrowed */
    size_t length;
} observed_event;

enum { OBSERVED_EVENT_TEXT_SIZE = 256 };

/* Converts an event that a session returned. Also checks what jazzy/event.h promises for every event. */
observed_event observe_event(const jz_event *event, const jz_message *message);

/* Converts an event that a row expects; its bytes are stored in `bytes`. */
observed_event observed_event_of(const session_event *expected, jz_buffer *bytes);

bool observed_events_are_equal(const observed_event *a, const observed_event *b);

void describe_observed_event(char text[OBSERVED_EVENT_TEXT_SIZE], const observed_event *event);

#endif
