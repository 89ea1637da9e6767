/* One compressor, and the message that it compressed last. */
#ifndef JAZZY_SESSION_COMPRESSOR_H
#define JAZZY_SESSION_COMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"
#include "session/compression.h"
#include "session/engine.h"

struct jz_compressor {
    struct jz_compressor *next; /* in the workspace's list */
    jz_compressor_parameters parameters;
    jz_deflater deflater;
    jz_buffer last_message;    /* compressed without context: the input, */
    jz_buffer last_compressed; /* and the output; empty if it was not smaller */
};

/* NULL when there is no memory. */
jz_compressor *jz_compressor_create(jz_compressor_parameters parameters);
void jz_compressor_free(jz_compressor *compressor);

/*
 * Compresses a message in the context of the earlier ones; replaces the content of `output`. False, with a new context,
 * when there is no memory or the result is not smaller than the message.
 */
bool jz_compressor_run(jz_compressor *compressor, const uint8_t *bytes, size_t length, jz_buffer *output);

#endif
