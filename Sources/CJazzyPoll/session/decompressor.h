/* One zlib decompressor. */
#ifndef JAZZY_SESSION_DECOMPRESSOR_H
#define JAZZY_SESSION_DECOMPRESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "../../CJazzyZlib/CJazzyZlib.h"
#include "session/buffer.h"
#include "session/compression.h"
#include "session/zlib_memory.h"

struct jz_decompressor {
    z_stream stream;
    jz_zlib_memory memory;
    bool is_after_final_block; /* all that was taken ended with a block that has BFINAL set */
};

/* NULL when there is no memory. */
jz_decompressor *jz_decompressor_create(uint8_t window_bits);
void jz_decompressor_free(jz_decompressor *decompressor);

/* The one that is there, or, where `*decompressor` is NULL, a new one. NULL when there is no memory. */
jz_decompressor *jz_decompressor_ensure(jz_decompressor **decompressor, uint8_t window_bits);

/*
 * A message in parts, appended to `output`: its begin, where `output` is empty, any number of parts, its end. Each goes
 * on from the one before, and the message from the last one. All but the begin can fail as jz_decompress does.
 */
void jz_decompressor_begin(jz_decompressor *decompressor);
jz_failure jz_decompressor_take(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                                size_t max_message_size, jz_buffer *output);
jz_failure jz_decompressor_end(jz_decompressor *decompressor, size_t max_message_size, jz_buffer *output);

/* Decompresses a message, going on from the last one, in place of what `output` held. Contract of jz_decompress. */
jz_failure jz_decompressor_run(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                               size_t max_message_size, jz_buffer *output);

#endif
