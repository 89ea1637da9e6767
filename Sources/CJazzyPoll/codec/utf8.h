/* UTF-8 validation (RFC 3629), incremental, so that text is refused at its first impossible byte (RFC 6455 §8.1). */
#ifndef JAZZY_CODEC_UTF8_H
#define JAZZY_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where in a character the text so far ends: how many continuation bytes are missing, and the range in which the next
 * one must be. All zero between characters, so `(jz_utf8){0}` starts a text.
 */
typedef struct jz_utf8 {
    uint8_t pending;
    uint8_t lowest;
    uint8_t highest;
} jz_utf8;

/* From this length on, checking in blocks (text_blocks.h) is faster. */
enum { JZ_UTF8_BLOCKS_FROM = 128 };

/* How many of the last bytes belong to a character that is not complete: 0 to 3. The bytes are valid so far. */
size_t jz_utf8_cut_length(const uint8_t *bytes, size_t length);

/* Takes the next bytes of a text. Returns false as soon as nothing that could follow would make it UTF-8. */
bool jz_utf8_feed(jz_utf8 *state, const uint8_t *bytes, size_t length);

/* Whether the text may end here, because it does not end within a character. */
static inline bool jz_utf8_is_complete(const jz_utf8 *state)
{
    return state->pending == 0;
}

/* Whether a whole text is UTF-8. */
bool jz_utf8_is_valid(const uint8_t *bytes, size_t length);

#endif
