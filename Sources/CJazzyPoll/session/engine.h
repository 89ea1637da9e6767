/*
 * What compresses messages: zlib, or the engine that was chosen when the core was built. This is all that the rest of
 * the session knows of it.
 */
#ifndef JAZZY_SESSION_ENGINE_H
#define JAZZY_SESSION_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"

typedef struct jz_compressor_parameters {
    uint8_t window_bits;
    uint8_t memory_level;
    uint8_t level;
    bool keeps_context; /* messages refer to earlier ones; otherwise a message is forgotten before the next */
} jz_compressor_parameters;

#ifdef JZ_DEFLATE_ISAL
#include "session/isal_deflate.h"
#else
#include "session/zlib_deflate.h"
#endif

/* False when there is no memory. The struct may not move until it is ended. */
bool jz_deflater_begin(jz_deflater *deflater, jz_compressor_parameters parameters);
void jz_deflater_end(jz_deflater *deflater);

/* Starts a new context. */
void jz_deflater_forget(jz_deflater *deflater);

/*
 * Appends a message, compressed in the context of the earlier ones, and a flush, which ends with 00 00 FF FF (RFC 7692
 * §7.2.1). False when there is no memory, or, where the engine stops at that, when it does not become smaller: a new
 * context has to be started then.
 */
bool jz_deflater_take(jz_deflater *deflater, const uint8_t *bytes, size_t length, jz_buffer *output);

#endif
