/* Simple reference implementations for the targets that parse HTTP headers. */
#ifndef JAZZY_FUZZ_PLAIN_TEXT_H
#define JAZZY_FUZZ_PLAIN_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "codec/text.h"

static inline bool plain_is_token(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.start[i];
        if (byte <= ' ' || byte >= 0x7F || strchr("\"(),/:;<=>?@[\\]{}", byte) != NULL) /* RFC 9110 §5.6.2 */
            return false;
    }
    return text.length > 0;
}

static inline bool plain_is(jz_text text, const char *wanted)
{
    return text.length == strlen(wanted) && strncmp(text.start, wanted, text.length) == 0;
}

static inline bool plain_is_ignoring_case(jz_text text, const char *wanted)
{
    return text.length == strlen(wanted) && strncasecmp(text.start, wanted, text.length) == 0;
}

static inline bool plain_has_byte(jz_text text, char byte)
{
    return text.length > 0 && memchr(text.start, byte, text.length) != NULL;
}

/* Whether no space or tab is at either end. */
static inline bool plain_is_trimmed(jz_text text)
{
    return text.length == 0 ||
           (strchr(" \t", text.start[0]) == NULL && strchr(" \t", text.start[text.length - 1]) == NULL);
}

#endif
