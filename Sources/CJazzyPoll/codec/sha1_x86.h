/* Private to sha1.c. */
#ifndef JAZZY_CODEC_SHA1_X86_H
#define JAZZY_CODEC_SHA1_X86_H

#include <stdint.h>

#include "jazzy/compiler.h"

/* Only if JZ_HAS_SHA: FIPS 180-4 §6.1.2. */
void jz_sha1_take_block_x86(uint32_t state[5], const uint8_t block[64]);

#endif
