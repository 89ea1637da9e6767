/* The events and output of a session, in a form that can be compared byte by byte. */
#ifndef JAZZY_FUZZ_TRANSCRIPT_H
#define JAZZY_FUZZ_TRANSCRIPT_H

#include <string.h>

#include "session/buffer.h"
#include "jazzy/event.h"

void transcript_append_message(jz_buffer *transcript, jz_message_kind kind, const uint8_t *bytes, size_t length);
void transcript_append_error(jz_buffer *transcript, jz_failure failure);
void transcript_append_close(jz_buffer *transcript, uint16_t code, bool was_clean, const uint8_t *reason,
                             size_t reason_length);

static inline bool transcript_begins_with(const jz_buffer *transcript, const jz_buffer *start)
{
    return start->length <= transcript->length &&
           (start->length == 0 || memcmp(transcript->bytes, start->bytes, start->length) == 0);
}

static inline bool transcript_equals(const jz_buffer *a, const jz_buffer *b)
{
    return a->length == b->length && transcript_begins_with(a, b);
}

#endif
