/* A growing byte buffer. All zero is an empty buffer that owns nothing. */
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

/* Private to jz_buffer_reserve, for when the buffer is too small. */
bool jz_buffer_grow(jz_buffer *buffer, size_t additional, size_t ceiling);

/*
 * Makes room for `additional` more bytes. Doubles the capacity, so that appending has amortized constant cost, but not
 * beyond `ceiling` if that is enough (SIZE_MAX: no ceiling). False when there is no memory; the buffer is unchanged.
 */
static inline bool jz_buffer_reserve(jz_buffer *buffer, size_t additional, size_t ceiling)
{
    return additional <= buffer->capacity - buffer->length || jz_buffer_grow(buffer, additional, ceiling);
}

/* Appends a copy. False when there is no memory; the buffer is unchanged. */
bool jz_buffer_append(jz_buffer *buffer, const void *bytes, size_t length);

/* Frees the memory; the buffer is then empty. */
void jz_buffer_free(jz_buffer *buffer);

#endif
