/* Text in blocks of 64 bytes: unmasked and checked to be UTF-8 in the same pass, with vector instructions. */
#ifndef JAZZY_CODEC_TEXT_BLOCKS_H
#define JAZZY_CODEC_TEXT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JZ_TEXT_BLOCK = 64 };

/*
 * Unmasks `count` blocks from `source` to `destination`, which are the same or do not overlap; `key` has the four bytes
 * in memory order. With `destination` NULL the blocks are only checked; `key` must then be 0. Returns false if no UTF-8
 * text can begin with these blocks; they may end within a character.
 */
typedef bool jz_text_blocks(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key);

/* The function for the vector instructions in use; NULL if there is none for them. */
jz_text_blocks *jz_text_blocks_in_use(void);

/* Private to jz_text_blocks_in_use. */
jz_text_blocks jz_text_blocks_avx2;
jz_text_blocks jz_text_blocks_avx512;
jz_text_blocks jz_text_blocks_neon;

#endif
