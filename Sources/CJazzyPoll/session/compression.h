/*
 * permessage-deflate on whole messages (RFC 7692 §7.2): the compressors and decompressors that a loop's connections
 * share, and those of one connection. By zlib, or in part by another engine (engine.h, whole_inflater.h).
 */
#ifndef JAZZY_SESSION_COMPRESSION_H
#define JAZZY_SESSION_COMPRESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"
#include "session/whole_inflater.h"
#include "jazzy/error.h"
#include "jazzy/server.h"

typedef struct jz_compressor jz_compressor;
typedef struct jz_decompressor jz_decompressor;

/* Bytes of messages that were compressed. Written by the loop's thread, read by any (loop/count.h). */
typedef struct jz_compression_counters {
    _Atomic uint64_t sent_plain; /* of payloads before they were compressed, for each client that got them so */
    _Atomic uint64_t sent_compressed;
    _Atomic uint64_t received_plain; /* of payloads after they were decompressed */
    _Atomic uint64_t received_compressed;
} jz_compression_counters;

/* Shared by all sessions of one loop. All zero: it owns nothing yet. */
typedef struct jz_compression_workspace {
    jz_compressor *compressors; /* one for each set of parameters */
    jz_decompressor *decompressor;
    jz_whole_inflater *whole_inflater; /* where there is another engine than zlib */
    jz_buffer compressed;              /* the message that was compressed last in a connection's own context */
    jz_buffer decompressed;            /* the message that was decompressed last */
    jz_compression_counters counters;
} jz_compression_workspace;

void jz_compression_count_sent(jz_compression_workspace *workspace, size_t plain, size_t compressed);
void jz_compression_count_received(jz_compression_workspace *workspace, size_t plain, uint64_t compressed);

void jz_compression_workspace_free(jz_compression_workspace *workspace);

/* Frees memory that only unusually large messages needed. Call it now and then, e.g. at the end of a loop iteration. */
void jz_compression_workspace_trim(jz_compression_workspace *workspace);

/* One connection's own compressor and decompressor, created when first needed. All zero is neither. */
typedef struct jz_dedicated_compression {
    jz_compressor *compressor;
    jz_decompressor *decompressor;
} jz_dedicated_compression;

/* Creates `*dedicated`, without either, if it is NULL. False when there is no memory. */
bool jz_dedicated_compression_ensure(jz_dedicated_compression **dedicated);

/* Frees it and what it owns. NULL does nothing. */
void jz_dedicated_compression_free(jz_dedicated_compression *dedicated);

/*
 * Compresses a message without context. The same bytes with the same parameters as in the last call are not compressed
 * again, so that a message to many is compressed once. Returns false when it would not become smaller or there is no
 * memory. `*compressed` is borrowed until the workspace is used again.
 */
bool jz_compress_alone(jz_compression_workspace *workspace, const jz_deflate_options *options, uint8_t window_bits,
                       const uint8_t *bytes, size_t length, const jz_buffer **compressed);

/* Starts a new context, because the peer will not receive the message that was compressed last. */
void jz_compressor_forget(jz_compressor *compressor);

/* Compresses a message with the context of the connection's earlier messages. Returns as jz_compress_alone. */
bool jz_compress_in_context(jz_compression_workspace *workspace, jz_compressor **compressor,
                            const jz_deflate_options *options, uint8_t window_bits, const uint8_t *bytes, size_t length,
                            const jz_buffer **compressed);

/*
 * Decompresses a message. `dedicated` points to the connection's own decompressor, or is NULL without context takeover.
 * Stops as soon as the message exceeds `max_message_size`. On JZ_FAILURE_NONE the message is in
 * `workspace->decompressed`, until the workspace is used again.
 */
jz_failure jz_decompress(jz_compression_workspace *workspace, jz_decompressor **dedicated, uint8_t window_bits,
                         const uint8_t *bytes, size_t length, size_t max_message_size);

#endif
