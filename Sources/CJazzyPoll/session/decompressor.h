/* One zlib decompressor. */
#ifndef JAZZY_SESSION_DECOMPRESSOR_H
#define JAZZY_SESSION_DECOMPRESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "../../CJazzyZlib/CJazzyZlib.h"
#include "buffer.h"
#include "compression.h"
#include "zlib_memory.h"

struct jz_decompressor {
    z_stream stream;
    jz_zlib_memory memory;
    bool is_after_final_block; /* all that was taken ended with a block that has BFINAL set */
};

/* NULL when there is no memory. */
jz_decompressor *jz_decompressor_create(uint8_t window_bits);
void jz_decompressor_free(jz_decompressor *decompressor);

/* Decompresses a message, going on from the last one, in place of what `output` held. Contract of jz_decompress. */
jz_failure jz_decompressor_run(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                               size_t max_message_size, jz_buffer *output);

#endif
