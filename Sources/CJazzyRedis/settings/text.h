/* Pieces of texts, and copies of them, which are overwritten before they are freed: there are passwords among them. */
#ifndef JAZZY_REDIS_SETTINGS_TEXT_H
#define JAZZY_REDIS_SETTINGS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed, not NUL-terminated. */
typedef struct jz_redis_text {
    const char *start;
    size_t length;
} jz_redis_text;

static inline jz_redis_text jz_redis_text_of(const char *text)
{
    return (jz_redis_text){text, strlen(text)};
}

/* Whether the text begins so; that is taken off then. */
bool jz_redis_text_skip(jz_redis_text *text, const char *beginning);

/* Where the first, or last, of these characters is; the text's length if there is none. */
size_t jz_redis_text_first(jz_redis_text text, const char *characters);
size_t jz_redis_text_last(jz_redis_text text, char character);

/* The first `length` characters, which are taken off, with one more that separates them if `separated`. */
jz_redis_text jz_redis_text_take(jz_redis_text *text, size_t length, bool separated);

/* A number in decimal of at most `most`, and nothing else. */
bool jz_redis_text_number(jz_redis_text text, unsigned long most, unsigned long *number);

/* A NUL-terminated copy; NULL: no memory. */
char *jz_redis_text_copy(jz_redis_text text);

/* The same with each %XX decoded. False: a % without two digits, or a NUL. `copy` is NULL then, or if no memory. */
bool jz_redis_text_decode(jz_redis_text text, char **copy);

/* Overwrites and frees a copy; NULL does nothing. */
void jz_redis_text_free(const char *copy);

#endif
