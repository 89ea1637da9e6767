#include "utf8_reference.h"

/* The code points that are encoded in 1, 2, 3 and 4 bytes. */
static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
static const uint32_t highest[] = {0, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

size_t reference_utf8_encode(uint32_t code_point, uint8_t bytes[4])
{
    size_t length = 1;
    while (length < 4 && code_point > highest[length])
        length++;
    static const uint8_t marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    bytes[0] = (uint8_t)(marks[length] | code_point);
    return length;
}

/* How many bytes a character has that begins with this byte, by its leading ones; 0 for none. */
static size_t length_told_by(uint8_t byte)
{
    if (byte < 0x80)
        return 1;
    size_t ones = 0;
    while (ones < 8 && (byte << ones & 0x80) != 0)
        ones++;
    return ones >= 2 && ones <= 4 ? ones : 0;
}

/* Whether some code point from `first` to `last` may be encoded in so many bytes. */
static bool has_code_point(uint32_t first, uint32_t last, size_t length)
{
    first = first > lowest[length] ? first : lowest[length];
    last = last < highest[length] ? last : highest[length];
    bool are_all_surrogates = first >= 0xD800 && last <= 0xDFFF;
    return first <= last && !are_all_surrogates;
}

/* How many of the first bytes can begin a character; `*is_whole` where they are one. */
static size_t take_character(const uint8_t *bytes, size_t length, bool *is_whole)
{
    size_t wanted = length_told_by(bytes[0]);
    *is_whole = false;
    if (wanted == 0)
        return 0;
    uint32_t value = wanted == 1 ? bytes[0] : bytes[0] & (0x7Fu >> wanted);
    for (size_t taken = 1;; taken++) {
        uint32_t missing_bits = (uint32_t)(wanted - taken) * 6;
        uint32_t first = value << missing_bits;
        if (!has_code_point(first, first | ((1u << missing_bits) - 1), wanted))
            return taken - 1;
        *is_whole = taken == wanted;
        if (*is_whole || taken == length || (bytes[taken] & 0xC0) != 0x80)
            return taken;
        value = value << 6 | (bytes[taken] & 0x3Fu);
    }
}

size_t reference_utf8_first_impossible(const uint8_t *bytes, size_t length)
{
    for (size_t position = 0; position < length;) {
        bool is_whole;
        size_t taken = take_character(bytes + position, length - position, &is_whole);
        position += taken;
        if (!is_whole)
            return position;
    }
    return length;
}
