#include "codec/text.h"

#include <stdint.h>

static unsigned char lower_case(char character)
{
    unsigned char byte = (unsigned char)character;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

bool jz_text_letters_equal(const char *a, const char *b, size_t length)
{
    size_t i = 0;
    /* Most that are equal are written in the same way. */
    while (length - i >= sizeof(uint64_t) && memcmp(a + i, b + i, sizeof(uint64_t)) == 0)
        i += sizeof(uint64_t);
    for (; i < length; i++) {
        if (a[i] != b[i] && lower_case(a[i]) != lower_case(b[i]))
            return false;
    }
    return true;
}

static bool is_white_space(char character)
{
    return character == ' ' || character == '\t';
}

jz_text jz_text_trim(jz_text text)
{
    while (text.length > 0 && is_white_space(text.start[0])) {
        text.start++;
        text.length--;
    }
    while (text.length > 0 && is_white_space(text.start[text.length - 1]))
        text.length--;
    return text;
}

bool jz_text_take_until(jz_text *rest, char separator, jz_text *taken)
{
    const char *end = rest->length > 0 ? memchr(rest->start, separator, rest->length) : NULL;
    if (end == NULL)
        return false;
    *taken = (jz_text){rest->start, (size_t)(end - rest->start)};
    jz_text_skip(rest, taken->length + 1);
    return true;
}

bool jz_text_take_piece(jz_text *rest, char separator, jz_text *piece)
{
    if (rest->length == 0)
        return false;
    if (jz_text_take_until(rest, separator, piece))
        return true;
    *piece = *rest;
    rest->start += rest->length;
    rest->length = 0;
    return true;
}
