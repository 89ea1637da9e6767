/* Tokens (RFC 9110 §5.6.2) and field values (§5.5), and their characters. */
#ifndef JAZZY_CODEC_TOKEN_H
#define JAZZY_CODEC_TOKEN_H

#include <stdbool.h>
#include <string.h>

#include "codec/text.h"

static inline bool jz_is_token_character(char character)
{
    unsigned char byte = (unsigned char)character;
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'))
        return true;
    return byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

/* Takes a token off the front, which is empty if there is none. */
static inline jz_text jz_take_token(jz_text *rest)
{
    jz_text token = {rest->start, 0};
    while (token.length < rest->length && jz_is_token_character(rest->start[token.length]))
        token.length++;
    jz_text_skip(rest, token.length);
    return token;
}

static inline bool jz_is_token(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!jz_is_token_character(text.start[i]))
            return false;
    }
    return text.length > 0;
}

/* A field value has visible ASCII, space, tab and obs-text (RFC 9110 §5.5). */
static inline bool jz_is_field_value(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.start[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            return false;
    }
    return true;
}

#endif
