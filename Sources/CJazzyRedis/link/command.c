#include "link/command.h"

#include <stdint.h>
#include <stdlib.h>

enum { LEAST_CAPACITY = 1024 };

size_t jz_redis_length_size(size_t length)
{
    size_t size = 4; /* the mark, a digit, and the line's end */
    for (; length >= 10; length /= 10)
        size++;
    return size;
}

char *jz_redis_write_length(char *to, char mark, size_t length)
{
    char *end = to + jz_redis_length_size(length);
    char *digit = end - 2;
    *to = mark;
    do
        *--digit = (char)('0' + length % 10);
    while ((length /= 10) > 0);
    end[-2] = '\r';
    end[-1] = '\n';
    return end;
}

bool jz_redis_buffer_reserve(jz_redis_buffer *buffer, size_t length)
{
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
    if (buffer->capacity - buffer->end >= length)
        return true;
    /* Only where at least as much was sent as is moved: else it would be moved again and again. */
    if (buffer->start > 0 && buffer->start >= jz_redis_buffer_length(buffer)) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, jz_redis_buffer_length(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
        if (buffer->capacity - buffer->end >= length)
            return true;
    }
    if (length > SIZE_MAX / 4 || buffer->end > SIZE_MAX / 4)
        return false;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : LEAST_CAPACITY;
    while (capacity - buffer->end < length)
        capacity *= 2;
    char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void jz_redis_buffer_clear(jz_redis_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (jz_redis_buffer){0};
}

bool jz_redis_command_begin(jz_redis_buffer *buffer, size_t count)
{
    if (!jz_redis_buffer_reserve(buffer, JZ_REDIS_LENGTH_MOST))
        return false;
    char *end = jz_redis_write_length(buffer->bytes + buffer->end, '*', count);
    buffer->end = (size_t)(end - buffer->bytes);
    return true;
}

bool jz_redis_command_add(jz_redis_buffer *buffer, const void *bytes, size_t length)
{
    if (length > SIZE_MAX / 8 || !jz_redis_buffer_reserve(buffer, length + JZ_REDIS_LENGTH_MOST + 2))
        return false;
    char *to = jz_redis_write_length(buffer->bytes + buffer->end, '$', length);
    if (length > 0)
        memcpy(to, bytes, length);
    memcpy(to + length, "\r\n", 2);
    buffer->end = (size_t)(to + length + 2 - buffer->bytes);
    return true;
}

bool jz_redis_command(jz_redis_buffer *buffer, const char *const *texts)
{
    size_t count = 0;
    size_t before = buffer->end;
    bool is_whole = true;
    while (texts[count] != NULL)
        count++;
    if (!jz_redis_command_begin(buffer, count))
        return false;
    for (size_t i = 0; i < count && is_whole; i++)
        is_whole = jz_redis_command_add_text(buffer, texts[i]);
    if (!is_whole)
        buffer->end = before;
    return is_whole;
}
