#include "envelope/utf8.h"

#include <string.h>

static bool is_ascii(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

/* Where the ASCII at the front ends. */
static const uint8_t *skip_ascii(const uint8_t *bytes, const uint8_t *end)
{
    while (end - bytes >= 8 && is_ascii(bytes))
        bytes += 8;
    while (bytes < end && *bytes < 0x80)
        bytes++;
    return bytes;
}

/* The length of the character that begins here with a byte beyond ASCII; 0: it is none. */
static size_t character_length(const uint8_t *bytes, const uint8_t *end)
{
    uint8_t first = *bytes;
    uint8_t lowest = 0x80;
    uint8_t highest = 0xBF;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first == 0xE0)
        lowest = 0xA0; /* below: an overlong form */
    else if (first == 0xED)
        highest = 0x9F; /* above: surrogates */
    else if (first == 0xF0)
        lowest = 0x90; /* below: an overlong form */
    else if (first == 0xF4)
        highest = 0x8F; /* above: beyond U+10FFFF */
    if ((size_t)(end - bytes) < length || bytes[1] < lowest || bytes[1] > highest)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xBF)
            return 0;
    }
    return length;
}

bool jz_redis_is_utf8(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return true;
    const uint8_t *end = bytes + length;
    while ((bytes = skip_ascii(bytes, end)) < end) {
        size_t character = character_length(bytes, end);
        if (character == 0)
            return false;
        bytes += character;
    }
    return true;
}
