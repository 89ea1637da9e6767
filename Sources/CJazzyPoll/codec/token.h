/* The characters of a token (RFC 9110 §5.6.2). */
#ifndef JAZZY_CODEC_TOKEN_H
#define JAZZY_CODEC_TOKEN_H

#include <stdbool.h>
#include <string.h>

static inline bool jz_is_token_character(char character)
{
    unsigned char byte = (unsigned char)character;
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'))
        return true;
    return byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

#endif
