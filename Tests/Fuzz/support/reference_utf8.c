#include "reference_utf8.h"

enum { FIRST_SURROGATE = 0xD800, LAST_SURROGATE = 0xDFFF, LAST_CODE_POINT = 0x10FFFF };

/* How many bytes a character has by its first byte; 0 where no character begins with it. */
static size_t length_of_character(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if ((first & 0xE0) == 0xC0)
        return 2;
    if ((first & 0xF0) == 0xE0)
        return 3;
    return (first & 0xF8) == 0xF0 ? 4 : 0;
}

/*
 * The code point of a character whose missing bytes are replaced by `filler`. With all bits of the filler 0 it is the
 * smallest, with all 1 the largest that is still possible.
 */
static uint32_t code_point_of(const uint8_t *bytes, size_t length, size_t whole, uint32_t filler)
{
    static const uint32_t bits_of_first[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code_point = bytes[0] & bits_of_first[whole];
    for (size_t i = 1; i < whole; i++)
        code_point = code_point << 6 | (i < length ? bytes[i] & 0x3Fu : filler);
    return code_point;
}

/* Whether some code point from `first` to `last` may be written in `whole` bytes: RFC 3629 §3. */
static bool has_legal_code_point(uint32_t first, uint32_t last, size_t whole)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (last < smallest[whole] || first > LAST_CODE_POINT)
        return false;
    return first < FIRST_SURROGATE || last > LAST_SURROGATE;
}

reference_utf8_result reference_utf8(const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        size_t whole = length_of_character(bytes[0]);
        size_t present = whole < length ? whole : length;
        if (whole == 0)
            return REFERENCE_UTF8_IMPOSSIBLE;
        for (size_t i = 1; i < present; i++) {
            if ((bytes[i] & 0xC0) != 0x80)
                return REFERENCE_UTF8_IMPOSSIBLE;
        }
        uint32_t first = code_point_of(bytes, present, whole, 0);
        uint32_t last = code_point_of(bytes, present, whole, 0x3F);
        if (!has_legal_code_point(first, last, whole))
            return REFERENCE_UTF8_IMPOSSIBLE;
        if (present < whole)
            return REFERENCE_UTF8_UNFINISHED;
        bytes += whole;
        length -= whole;
    }
    return REFERENCE_UTF8_VALID;
}
