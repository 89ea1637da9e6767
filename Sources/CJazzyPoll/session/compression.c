#include "session/compression.h"

#include <stdlib.h>
#include <string.h>

#include "session/compressor.h"
#include "session/decompressor.h"

enum {
    KEEP_UP_TO = 256 * 1024, /* bytes: larger buffers are given back by trimming */
    LARGEST_WINDOW_BITS = 15,
    SHORT_MESSAGE = 1024,   /* bytes: such a message */
    SHORT_WINDOW_BITS = 11, /* fits into this window, as far back as zlib searches it, */
    SHORT_MEMORY_LEVEL = 5  /* and its symbols fit into one block at this level */
};

/*
 * The parameters to compress a message without context. A short message does not need a large window and hash table,
 * and clearing them would cost more than compressing the message.
 */
static jz_compressor_parameters parameters_for(jz_compressor_parameters parameters, size_t length)
{
    if (length > SHORT_MESSAGE)
        return parameters;
    if (parameters.window_bits > SHORT_WINDOW_BITS)
        parameters.window_bits = SHORT_WINDOW_BITS;
    if (parameters.memory_level > SHORT_MEMORY_LEVEL)
        parameters.memory_level = SHORT_MEMORY_LEVEL;
    return parameters;
}

static jz_compressor_parameters parameters_of(const jz_deflate_options *options, uint8_t window_bits,
                                              bool keeps_context)
{
    return (jz_compressor_parameters){.window_bits = window_bits,
                                      .memory_level = options->memory_level,
                                      .level = options->level,
                                      .keeps_context = keeps_context};
}

/* Both keep no context. */
static bool is_same(jz_compressor_parameters a, jz_compressor_parameters b)
{
    return a.window_bits == b.window_bits && a.memory_level == b.memory_level && a.level == b.level;
}

static jz_compressor *shared_compressor(jz_compression_workspace *workspace, jz_compressor_parameters parameters)
{
    for (jz_compressor *compressor = workspace->compressors; compressor != NULL; compressor = compressor->next) {
        if (is_same(compressor->parameters, parameters))
            return compressor;
    }
    jz_compressor *compressor = jz_compressor_create(parameters);
    if (compressor != NULL) {
        compressor->next = workspace->compressors;
        workspace->compressors = compressor;
    }
    return compressor;
}

static bool is_last_message(const jz_compressor *compressor, const uint8_t *bytes, size_t length)
{
    return compressor->last_message.length == length && memcmp(compressor->last_message.bytes, bytes, length) == 0;
}

bool jz_compress_alone(jz_compression_workspace *workspace, const jz_deflate_options *options, uint8_t window_bits,
                       const uint8_t *bytes, size_t length, const jz_buffer **compressed)
{
    jz_compressor_parameters parameters = parameters_for(parameters_of(options, window_bits, false), length);
    jz_compressor *compressor = shared_compressor(workspace, parameters);
    if (compressor == NULL || length == 0)
        return false;
    if (!is_last_message(compressor, bytes, length)) {
        compressor->last_message.length = 0;
        compressor->last_compressed.length = 0;
        jz_compressor_forget(compressor);
        (void)jz_compressor_run(compressor, bytes, length, &compressor->last_compressed);
        /* Comparing costs little beside compressing. If there is no memory for the copy, the result is just not
           reused. */
        (void)jz_buffer_append(&compressor->last_message, bytes, length);
    }
    *compressed = &compressor->last_compressed;
    return compressor->last_compressed.length > 0;
}

bool jz_compress_in_context(jz_compression_workspace *workspace, jz_compressor **compressor,
                            const jz_deflate_options *options, uint8_t window_bits, const uint8_t *bytes, size_t length,
                            const jz_buffer **compressed)
{
    if (*compressor == NULL)
        *compressor = jz_compressor_create(parameters_of(options, window_bits, true));
    if (*compressor == NULL || length == 0)
        return false;
    *compressed = &workspace->compressed;
    return jz_compressor_run(*compressor, bytes, length, &workspace->compressed);
}

jz_failure jz_decompress(jz_compression_workspace *workspace, jz_decompressor **dedicated, uint8_t window_bits,
                         const uint8_t *bytes, size_t length, size_t max_message_size)
{
    if (dedicated == NULL &&
        jz_inflate_whole(&workspace->whole_inflater, bytes, length, max_message_size, &workspace->decompressed))
        return JZ_FAILURE_NONE;
    jz_decompressor *decompressor = dedicated != NULL
                                        ? jz_decompressor_ensure(dedicated, window_bits)
                                        : jz_decompressor_ensure(&workspace->decompressor, LARGEST_WINDOW_BITS);
    if (decompressor == NULL)
        return JZ_FAILURE_OUT_OF_MEMORY;
    if (dedicated == NULL)
        jz_decompressor_forget(decompressor);
    return jz_decompressor_run(decompressor, bytes, length, max_message_size, &workspace->decompressed);
}

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount, memory_order_relaxed);
}

void jz_compression_count_sent(jz_compression_workspace *workspace, size_t plain, size_t compressed)
{
    add(&workspace->counters.sent_plain, plain);
    add(&workspace->counters.sent_compressed, compressed);
}

void jz_compression_count_received(jz_compression_workspace *workspace, size_t plain, uint64_t compressed)
{
    add(&workspace->counters.received_plain, plain);
    add(&workspace->counters.received_compressed, compressed);
}

static void trim(jz_buffer *buffer)
{
    if (buffer->capacity > KEEP_UP_TO)
        jz_buffer_free(buffer);
}

void jz_compression_workspace_trim(jz_compression_workspace *workspace)
{
    trim(&workspace->compressed);
    trim(&workspace->decompressed);
    for (jz_compressor *compressor = workspace->compressors; compressor != NULL; compressor = compressor->next) {
        trim(&compressor->last_compressed);
        /* An input without its output would mean a message that does not become smaller. */
        if (compressor->last_compressed.bytes == NULL)
            jz_buffer_free(&compressor->last_message);
        trim(&compressor->last_message);
    }
}

void jz_compression_workspace_free(jz_compression_workspace *workspace)
{
    jz_compressor *next;
    for (jz_compressor *compressor = workspace->compressors; compressor != NULL; compressor = next) {
        next = compressor->next;
        jz_compressor_free(compressor);
    }
    jz_decompressor_free(workspace->decompressor);
    jz_whole_inflater_free(workspace->whole_inflater);
    jz_buffer_free(&workspace->compressed);
    jz_buffer_free(&workspace->decompressed);
    *workspace = (jz_compression_workspace){0};
}

bool jz_dedicated_compression_ensure(jz_dedicated_compression **dedicated)
{
    if (*dedicated == NULL)
        *dedicated = calloc(1, sizeof **dedicated);
    return *dedicated != NULL;
}

void jz_dedicated_compression_free(jz_dedicated_compression *dedicated)
{
    if (dedicated == NULL)
        return;
    jz_compressor_free(dedicated->compressor);
    jz_decompressor_free(dedicated->decompressor);
    free(dedicated);
}
