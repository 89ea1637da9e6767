#include "codec/utf8.h"

#include <string.h>

#include "codec/text_blocks.h"

enum { SHORT_TEXT = 16 }; /* bytes: fewer are checked one by one, which is cheaper than making a block */

/* The number of ASCII bytes at the start, rounded down to whole words; or all bytes. */
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
            return position;
    }
    /* Check the rest with a word that overlaps the last whole word, if there is one. */
    if (position < length && length >= 8) {
        uint64_t word;
        memcpy(&word, bytes + length - 8, sizeof word);
        if ((word & high_bits) == 0)
            return length;
    }
    return position;
}

/* Takes the first byte of a character that has several (RFC 3629 §4, the table of well-formed sequences). */
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

/* Checks byte by byte, but runs of ASCII in words. */
static bool feed_bytes(jz_utf8 *state, const uint8_t *bytes, size_t length)
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

size_t jz_utf8_cut_length(const uint8_t *bytes, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        uint8_t byte = bytes[length - back];
        if (byte < 0x80)
            return 0;
        if (byte >= 0xC0) {
            size_t character = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
            return character > back ? back : 0;
        }
    }
    return 0;
}

/*
 * Checks fewer bytes than three blocks, which end with a whole character: zeros, which are ASCII, pad them to blocks.
 */
static bool check_rest(jz_text_blocks *take_blocks, const uint8_t *bytes, size_t length)
{
    uint8_t padded[2 * JZ_TEXT_BLOCK] = {0};
    if (length > 0)
        memcpy(padded, bytes, length);
    return take_blocks(NULL, padded, length / JZ_TEXT_BLOCK + 1, 0);
}

/* `bytes` begin with a character. */
static bool feed_blocks(jz_utf8 *state, jz_text_blocks *take_blocks, const uint8_t *bytes, size_t length)
{
    size_t cut = jz_utf8_cut_length(bytes, length);
    size_t whole = length - cut;
    size_t blocks = whole / JZ_TEXT_BLOCK * JZ_TEXT_BLOCK;
    if (!take_blocks(NULL, bytes, blocks / JZ_TEXT_BLOCK, 0))
        return false;
    size_t checked = blocks - jz_utf8_cut_length(bytes, blocks);
    return check_rest(take_blocks, bytes + checked, whole - checked) && feed_bytes(state, bytes + whole, cut);
}

bool jz_utf8_feed(jz_utf8 *state, const uint8_t *bytes, size_t length)
{
    size_t begun = state->pending < length ? state->pending : length;
    if (begun > 0) {
        if (!feed_bytes(state, bytes, begun))
            return false;
        bytes += begun;
        length -= begun;
    }
    size_t ascii = ascii_prefix(bytes, length);
    bytes += ascii;
    length -= ascii;
    jz_text_blocks *take_blocks = length >= SHORT_TEXT ? jz_text_blocks_in_use() : NULL;
    return take_blocks != NULL ? feed_blocks(state, take_blocks, bytes, length) : feed_bytes(state, bytes, length);
}

bool jz_utf8_is_valid(const uint8_t *bytes, size_t length)
{
    jz_utf8 state = {0};
    return jz_utf8_feed(&state, bytes, length) && jz_utf8_is_complete(&state);
}
