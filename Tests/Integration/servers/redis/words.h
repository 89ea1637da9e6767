/* Words of a command. */
#ifndef REDIS_PROBE_WORDS_H
#define REDIS_PROBE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct word {
    const char *start;
    size_t length;
} word;

/* Takes the first word, and the space behind it. */
word word_take(word *rest);

bool word_is(word word, const char *text);

#endif
