/*
 * codec/: pure functions over bytes: masks, UTF-8, frame headers, request heads, keys, addresses. Not here: allocated
 * memory, sockets, threads.
 *
 * A borrowed text, not terminated by a NUL.
 */
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

/* Private to the inline function below, which most texts do not get past: their lengths differ. */
bool jz_text_letters_equal(const char *a, const char *b, size_t length);

/* Compares ignoring ASCII case, as for header names and tokens (RFC 9110 §5.1). Does not depend on the locale. */
static inline bool jz_text_equals_ignoring_case(jz_text a, jz_text b)
{
    return a.length == b.length && jz_text_letters_equal(a.start, b.start, a.length);
}

/* Without spaces and tabs at both ends (RFC 9110 §5.6.3, optional white space). */
jz_text jz_text_trim(jz_text text);

/* Takes `count` bytes off the front; there must be as many. */
static inline void jz_text_skip(jz_text *rest, size_t count)
{
    rest->start += count;
    rest->length -= count;
}

/* Takes the text up to `separator`, and the separator, off the front of `rest`. False if there is no separator. */
bool jz_text_take_until(jz_text *rest, char separator, jz_text *taken);

/*
 * The same, but without a separator takes the whole rest. Call it for one piece after another, until it returns false:
 * nothing is left. There is no piece behind a separator at the very end.
 */
bool jz_text_take_piece(jz_text *rest, char separator, jz_text *piece);

#endif
