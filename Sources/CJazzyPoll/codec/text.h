/* A borrowed piece of text: neither owned nor terminated. */
#ifndef JAZZY_CODEC_TEXT_H
#define JAZZY_CODEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct jz_text {
    const char *start;
    size_t length;
} jz_text;

static inline jz_text jz_text_of(const char *terminated)
{
    return (jz_text){terminated, strlen(terminated)};
}

static inline bool jz_text_equals(jz_text a, jz_text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.start, b.start, a.length) == 0);
}

/* Compares without regard to ASCII case, as header names and tokens are (RFC 9110 §5.1). Never looks at the locale. */
bool jz_text_equals_ignoring_case(jz_text a, jz_text b);

/* Without spaces and tabs at both ends (RFC 9110 §5.6.3, optional white space). */
jz_text jz_text_trim(jz_text text);

/* Takes `count` bytes, which are there, off the front. */
static inline void jz_text_skip(jz_text *rest, size_t count)
{
    rest->start += count;
    rest->length -= count;
}

/* Takes the text up to `separator` off the front of `rest`, and the separator. False where there is none. */
bool jz_text_take_until(jz_text *rest, char separator, jz_text *taken);

/*
 * The same, and where there is no separator takes the whole rest: one piece after another until nothing is left, which
 * is false. A separator at the very end has no piece behind it.
 */
bool jz_text_take_piece(jz_text *rest, char separator, jz_text *piece);

#endif
