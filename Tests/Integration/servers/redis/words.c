#include "words.h"

#include <string.h>

word word_take(word *rest)
{
    const char *space = rest->length > 0 ? memchr(rest->start, ' ', rest->length) : NULL;
    const size_t length = space != NULL ? (size_t)(space - rest->start) : rest->length;
    const word taken = {rest->start, length};
    const size_t used = space != NULL ? length + 1 : length;
    rest->start += used;
    rest->length -= used;
    return taken;
}

bool word_is(word word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.start, text, word.length) == 0;
}
