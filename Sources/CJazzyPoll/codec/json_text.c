#include "codec/json_text.h"

/* The character behind the '\' of a short escape; 0: the character has none. */
static char short_escape(unsigned char character)
{
    switch (character) {
    case '"':
    case '\\':
        return (char)character;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static bool is_plain(unsigned char character)
{
    return character >= ' ' && character != '"' && character != '\\';
}

size_t jz_json_text_length(jz_text text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char character = (unsigned char)text.start[i];
        size_t escaped = short_escape(character) != 0 ? 2 : JZ_MOST_JSON_BYTES;
        length += is_plain(character) ? 1 : escaped;
    }
    return length;
}

char *jz_json_text_write(jz_text text, char *place)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char character = (unsigned char)text.start[i];
        char escape = short_escape(character);
        if (is_plain(character)) {
            *place++ = (char)character;
            continue;
        }
        *place++ = '\\';
        if (escape != 0) {
            *place++ = escape;
            continue;
        }
        memcpy(place, "u00", 3);
        place[3] = digits[character >> 4];
        place[4] = digits[character & 15];
        place += 5;
    }
    return place;
}
