/* Text in blocks of 64 bytes: unmasked and checked to be UTF-8 in the same pass, with vector instructions. */
#ifndef JAZZY_CODEC_TEXT_BLOCKS_H
#define JAZZY_CODEC_TEXT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JZ_TEXT_BLOCK = 64 };

/*
 * Unmasks `count` blocks from `source` to `destination`, which are the same or do not overlap, with the key as its four
 * bytes lie in memory. With a `destination` of NULL they are only checked; then the key has to be 0. Returns false when
 * they cannot be part of a text that begins with them; a character that is cut by their end is no reason.
 */
typedef bool jz_text_blocks(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key);

/* Of the vector instructions that are in use; NULL where they are the compiler's alone. */
jz_text_blocks *jz_text_blocks_in_use(void);

/* Private to jz_text_blocks_in_use. */
jz_text_blocks jz_text_blocks_avx2;
jz_text_blocks jz_text_blocks_avx512;
jz_text_blocks jz_text_blocks_neon;

#endif
