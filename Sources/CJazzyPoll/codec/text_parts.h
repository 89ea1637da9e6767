/* Long text in parts: unmasked and checked to be UTF-8 at the same time, for text_blocks_avx512.c. */
#ifndef JAZZY_CODEC_TEXT_PARTS_H
#define JAZZY_CODEC_TEXT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text_blocks.h"
#include "jazzy/compiler.h"

enum { JZ_TEXT_PARTS = 8 };

/*
 * As jz_text_blocks for eight parts that follow one another, of `length` bytes each, in blocks. A block of the same
 * text is before them, unmasked already, and checked but for where its end goes on here. Where they end, the text may
 * go on.
 */
bool jz_text_parts_avx512(uint8_t *destination, const uint8_t *source, size_t length, uint32_t key);

#endif
