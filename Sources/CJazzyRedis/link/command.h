/* Commands as Redis reads them: arrays of strings, each with its length in front. */
#ifndef JAZZY_REDIS_LINK_COMMAND_H
#define JAZZY_REDIS_LINK_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes that wait to be sent. All zero: none. */
typedef struct jz_redis_buffer {
    char *bytes;
    size_t start; /* of what was not sent yet */
    size_t end;
    size_t capacity;
} jz_redis_buffer;

enum { JZ_REDIS_LENGTH_MOST = 24 }; /* "$18446744073709551615\r\n" */

/* Writes `mark` ('*' or '$') and a number, and returns where it ends; at most JZ_REDIS_LENGTH_MOST bytes. */
char *jz_redis_write_length(char *to, char mark, size_t length);

/* How many bytes that are. */
size_t jz_redis_length_size(size_t length);

/* Room for that many more bytes at its end. False: no memory. */
bool jz_redis_buffer_reserve(jz_redis_buffer *buffer, size_t length);

/* Frees its memory. */
void jz_redis_buffer_clear(jz_redis_buffer *buffer);

/* Begin a command of so many strings, and add one of them. False: no memory, and nothing was added. */
bool jz_redis_command_begin(jz_redis_buffer *buffer, size_t count);
bool jz_redis_command_add(jz_redis_buffer *buffer, const void *bytes, size_t length);

static inline bool jz_redis_command_add_text(jz_redis_buffer *buffer, const char *text)
{
    return jz_redis_command_add(buffer, text, strlen(text));
}

/* A whole command of texts, up to a NULL. False: no memory. */
bool jz_redis_command(jz_redis_buffer *buffer, const char *const *texts);

static inline size_t jz_redis_buffer_length(const jz_redis_buffer *buffer)
{
    return buffer->end - buffer->start;
}

#endif
