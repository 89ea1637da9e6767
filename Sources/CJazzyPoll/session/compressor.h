/* One zlib compressor, and the message that it compressed last. */
#ifndef JAZZY_SESSION_COMPRESSOR_H
#define JAZZY_SESSION_COMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyZlib/CJazzyZlib.h"
#include "session/buffer.h"
#include "session/compression.h"
#include "session/zlib_memory.h"

typedef struct jz_compressor_parameters {
    uint8_t window_bits;
    uint8_t memory_level;
    uint8_t level;
} jz_compressor_parameters;

struct jz_compressor {
    struct jz_compressor *next; /* of those that a workspace has */
    jz_compressor_parameters parameters;
    z_stream stream;
    jz_zlib_memory memory;
    jz_buffer last_message;    /* compressed alone: what went in, */
    jz_buffer last_compressed; /* and what came out; empty where it did not become smaller */
};

/* NULL when there is no memory. */
jz_compressor *jz_compressor_create(jz_compressor_parameters parameters);
void jz_compressor_free(jz_compressor *compressor);

/*
 * Compresses a message, going on from the last one, in place of what `output` held. False, with a fresh context, when
 * there is no memory or the result is not smaller than the message.
 */
bool jz_compressor_run(jz_compressor *compressor, const uint8_t *bytes, size_t length, jz_buffer *output);

#endif
