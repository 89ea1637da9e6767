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
    bool is_after_final_block; /* the input so far ended with a block that has BFINAL set */
};

/* NULL when there is no memory. */
jz_decompressor *jz_decompressor_create(uint8_t window_bits);
void jz_decompressor_free(jz_decompressor *decompressor);

/* Starts a new context. */
void jz_decompressor_forget(jz_decompressor *decompressor);

/* Returns `*decompressor`, which is created if it is NULL. NULL when there is no memory. */
jz_decompressor *jz_decompressor_ensure(jz_decompressor **decompressor, uint8_t window_bits);

/*
 * Private to what decompresses: gives a full output more room, more each time, so that large messages need few steps,
 * but never more than a chunk beyond the limit. False when there is no memory.
 */
bool jz_make_room_to_inflate(jz_buffer *output, size_t max_message_size);

/*
 * Decompress a message in parts, appended to `output`: begin, with an empty `output`; take any number of parts; end.
 * Parts and messages share one context. take and end fail as jz_decompress does.
 */
void jz_decompressor_begin(jz_decompressor *decompressor);
jz_failure jz_decompressor_take(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                                size_t max_message_size, jz_buffer *output);
jz_failure jz_decompressor_end(jz_decompressor *decompressor, size_t max_message_size, jz_buffer *output);

/*
 * Decompresses a message in the context of the earlier ones; replaces the content of `output`. Fails as jz_decompress.
 */
jz_failure jz_decompressor_run(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                               size_t max_message_size, jz_buffer *output);

#endif
