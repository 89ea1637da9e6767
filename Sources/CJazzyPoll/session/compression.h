/*
 * permessage-deflate on whole messages (RFC 7692 §7.2), through zlib: the compressors and decompressors that a loop's
 * connections share, and those that a connection has to itself.
 */
#ifndef JAZZY_SESSION_COMPRESSION_H
#define JAZZY_SESSION_COMPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"
#include "jazzy/error.h"
#include "jazzy/server.h"

typedef struct jz_compressor jz_compressor;
typedef struct jz_decompressor jz_decompressor;

/* Shared by all sessions of one loop. All zero is one that owns nothing yet. */
typedef struct jz_compression_workspace {
    jz_compressor *compressors; /* one for each set of parameters */
    jz_decompressor *decompressor;
    jz_buffer compressed;   /* the message that was compressed last, where it was not shared */
    jz_buffer decompressed; /* the message that was decompressed last */
} jz_compression_workspace;

void jz_compression_workspace_free(jz_compression_workspace *workspace);

/* Gives back what only an unusually large message needed. To be called now and then, e.g. when a loop's turn ends. */
void jz_compression_workspace_trim(jz_compression_workspace *workspace);

/* What a connection has to itself, made when it is first needed. All zero is nothing. */
typedef struct jz_dedicated_compression {
    jz_compressor *compressor;
    jz_decompressor *decompressor;
} jz_dedicated_compression;

/* Makes `*dedicated`, where it is NULL, one that owns nothing yet. False when there is no memory. */
bool jz_dedicated_compression_ensure(jz_dedicated_compression **dedicated);

/* Frees it and what it owns. NULL does nothing. */
void jz_dedicated_compression_free(jz_dedicated_compression *dedicated);

/*
 * Compresses a message without regard to others. The same bytes with the same parameters as the last time are not
 * compressed again, so that a message to many is compressed once. Returns false when it would not become smaller or
 * there is no memory. `*compressed` is borrowed until the workspace is used again.
 */
bool jz_compress_alone(jz_compression_workspace *workspace, const jz_deflate_options *options, uint8_t window_bits,
                       const uint8_t *bytes, size_t length, const jz_buffer **compressed);

/* Begins a new context, because the peer will not see the message that was compressed last. */
void jz_compressor_forget(jz_compressor *compressor);

/* Compresses a message with a context that goes on from the connection's last one. Returns as jz_compress_alone. */
bool jz_compress_in_context(jz_compression_workspace *workspace, jz_compressor **compressor,
                            const jz_deflate_options *options, uint8_t window_bits, const uint8_t *bytes, size_t length,
                            const jz_buffer **compressed);

/*
 * Decompresses a message. `dedicated` is where the connection's own decompressor is, or NULL where contexts are not
 * taken over. Stops as soon as the message is larger than `max_message_size`. On JZ_FAILURE_NONE the message is in
 * `workspace->decompressed`, until the workspace is used again.
 */
jz_failure jz_decompress(jz_compression_workspace *workspace, jz_decompressor **dedicated, uint8_t window_bits,
                         const uint8_t *bytes, size_t length, size_t max_message_size);

#endif
