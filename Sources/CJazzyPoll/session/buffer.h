/* Bytes that grow at their end. All zero is an empty buffer that owns nothing. */
#ifndef JAZZY_SESSION_BUFFER_H
#define JAZZY_SESSION_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct jz_buffer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
} jz_buffer;

/* Private to jz_buffer_reserve: the buffer is too small. */
bool jz_buffer_grow(jz_buffer *buffer, size_t additional, size_t ceiling);

/*
 * Makes room for `additional` more bytes. Grows by doubling, so that appending is cheap in the long run, but not past
 * `ceiling` where that suffices (SIZE_MAX: no ceiling). False when there is no memory; the buffer is as it was.
 */
static inline bool jz_buffer_reserve(jz_buffer *buffer, size_t additional, size_t ceiling)
{
    return additional <= buffer->capacity - buffer->length || jz_buffer_grow(buffer, additional, ceiling);
}

/* Appends a copy. False when there is no memory; the buffer is as it was. */
bool jz_buffer_append(jz_buffer *buffer, const void *bytes, size_t length);

/* Gives the memory back and leaves an empty buffer. */
void jz_buffer_free(jz_buffer *buffer);

#endif
