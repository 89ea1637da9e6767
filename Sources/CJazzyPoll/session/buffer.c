#include "session/buffer.h"

#include <string.h>

#include "session/memory.h"

enum { SMALLEST_CAPACITY = 256 };

bool jz_buffer_grow(jz_buffer *buffer, size_t additional, size_t ceiling)
{
    if (additional > SIZE_MAX - buffer->length)
        return false;
    size_t needed = buffer->length + additional;
    size_t capacity = buffer->capacity <= SIZE_MAX / 2 ? buffer->capacity * 2 : SIZE_MAX;
    if (capacity < SMALLEST_CAPACITY)
        capacity = SMALLEST_CAPACITY;
    if (capacity > ceiling)
        capacity = ceiling;
    if (capacity < needed)
        capacity = needed;
    uint8_t *bytes = jz_memory_grow(buffer->bytes, buffer->capacity, buffer->length, &capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool jz_buffer_append(jz_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return true;
    if (!jz_buffer_reserve(buffer, length, SIZE_MAX))
        return false;
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    return true;
}

void jz_buffer_free(jz_buffer *buffer)
{
    jz_memory_give(buffer->bytes, buffer->capacity);
    *buffer = (jz_buffer){0};
}
