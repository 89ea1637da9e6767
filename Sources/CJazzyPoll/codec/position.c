/* The text of a position: it comes back from clients, so that nothing but what was written is read. */
#include "jazzy/history.h"

#include <inttypes.h>
#include <stdio.h>

enum { EPOCH_DIGITS = 16, MOST_OFFSET_DIGITS = 20 };

size_t jz_position_format(jz_position position, char text[JZ_POSITION_SIZE])
{
    return (size_t)snprintf(text, JZ_POSITION_SIZE, "%016" PRIx64 ":%" PRIu64, position.epoch, position.offset);
}

/* The value of a lower case hexadecimal digit; 16 or more: it is none. */
static unsigned digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return (unsigned)(character - '0');
    return character >= 'a' && character <= 'f' ? (unsigned)(character - 'a') + 10 : 16;
}

/* Without leading zeros, so that each position has one text. */
static bool parse_offset(const char *text, size_t length, uint64_t *offset)
{
    if (length == 0 || length > MOST_OFFSET_DIGITS || (text[0] == '0' && length > 1))
        return false;
    *offset = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = digit_of(text[i]);
        if (digit > 9 || *offset > (UINT64_MAX - digit) / 10)
            return false;
        *offset = *offset * 10 + digit;
    }
    return true;
}

bool jz_position_parse(const char *text, size_t length, jz_position *position)
{
    jz_position parsed = {0};
    if (length <= EPOCH_DIGITS || text[EPOCH_DIGITS] != ':')
        return false;
    for (size_t i = 0; i < EPOCH_DIGITS; i++) {
        unsigned digit = digit_of(text[i]);
        if (digit > 15)
            return false;
        parsed.epoch = parsed.epoch << 4 | digit;
    }
    if (!parse_offset(text + EPOCH_DIGITS + 1, length - EPOCH_DIGITS - 1, &parsed.offset))
        return false;
    *position = parsed;
    return true;
}
