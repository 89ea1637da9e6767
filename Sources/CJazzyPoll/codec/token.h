/* Tokens (RFC 9110 §5.6.2) and field values (§5.5), and their characters. */
#ifndef JAZZY_CODEC_TOKEN_H
#define JAZZY_CODEC_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "codec/text.h"

/* A digit, a letter, or one of !#$%&'*+-.^_`|~ */
static inline bool jz_is_token_character(char character)
{
    /* A bit for each character of ASCII. */
    static const uint64_t are_token_characters[4] = {UINT64_C(0x03FF6CFA00000000), UINT64_C(0x57FFFFFFC7FFFFFE), 0, 0};
    unsigned char byte = (unsigned char)character;
    return (are_token_characters[byte / 64] >> (byte % 64) & 1) != 0;
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

/* How many of eight bytes come before the first control character; DEL is one. */
static inline size_t jz_count_before_control(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    uint64_t without_del = word ^ ones * 0x7F;
    uint64_t marks = (((word - ones * 0x20) & ~word) | ((without_del - ones) & ~without_del)) & (ones * 0x80);
    /* The first mark is right; a byte behind it may have one because of a borrow. */
    return marks == 0 ? sizeof word : (size_t)__builtin_ctzll(marks) / 8;
}

/* A field value has visible ASCII, space, tab and obs-text (RFC 9110 §5.5). */
static inline bool jz_is_field_value(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        while (text.length - i > sizeof(uint64_t) && jz_count_before_control(text.start + i) == sizeof(uint64_t))
            i += sizeof(uint64_t);
        unsigned char byte = (unsigned char)text.start[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            return false;
    }
    return true;
}

#endif
