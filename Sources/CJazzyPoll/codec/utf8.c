#include "utf8.h"

#include <string.h>

/* The number of ASCII bytes at the start, counted in whole words. */
static size_t ascii_prefix(const uint8_t *bytes, size_t length)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t position = 0;
    for (; length - position >= 32; position += 32) {
        uint64_t words[4];
        memcpy(words, bytes + position, sizeof words);
        if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0)
            break;
    }
    for (; length - position >= 8; position += 8) {
        uint64_t word;
        memcpy(&word, bytes + position, sizeof word);
        if ((word & high_bits) != 0)
            break;
    }
    return position;
}

/* Takes the first byte of a character of several bytes: RFC 3629 §4, the table of well-formed sequences. */
static bool begin_character(jz_utf8 *state, uint8_t byte)
{
    state->lowest = 0x80;
    state->highest = 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
        state->pending = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        state->pending = 2;
        if (byte == 0xE0)
            state->lowest = 0xA0; /* below: an overlong form */
        if (byte == 0xED)
            state->highest = 0x9F; /* above: surrogates */
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        state->pending = 3;
        if (byte == 0xF0)
            state->lowest = 0x90; /* below: an overlong form */
        if (byte == 0xF4)
            state->highest = 0x8F; /* above: beyond U+10FFFF */
    } else {
        return false;
    }
    return true;
}

bool jz_utf8_feed(jz_utf8 *state, const uint8_t *bytes, size_t length)
{
    size_t position = 0;
    while (position < length) {
        if (state->pending == 0) {
            position += ascii_prefix(bytes + position, length - position);
            while (position < length && bytes[position] < 0x80)
                position++;
            if (position == length)
                break;
            if (!begin_character(state, bytes[position++]))
                return false;
        }
        while (state->pending > 0 && position < length) {
            uint8_t byte = bytes[position++];
            if (byte < state->lowest || byte > state->highest)
                return false;
            state->lowest = 0x80;
            state->highest = 0xBF;
            state->pending--;
        }
    }
    return true;
}

bool jz_utf8_is_valid(const uint8_t *bytes, size_t length)
{
    jz_utf8 state = {0};
    return jz_utf8_feed(&state, bytes, length) && jz_utf8_is_complete(&state);
}
