#include "session/decompressor.h"

#include <limits.h>
#include <stdlib.h>

enum {
    STATE = 7 * 1024,         /* bytes that inflate allocates beside its window (zconf.h), with alignment */
    SMALLEST_WINDOW_BITS = 9, /* zlib compresses with 9 where 8 was agreed on; a window of 9 bits decodes both */
    SMALLEST_CHUNK = 4096,    /* bytes by which the output grows at a time, at least, */
    LARGEST_CHUNK = 262144,   /* and at most: so much can a decompression bomb cost beyond the limit */
    AT_BLOCK_BOUNDARY = 128,  /* in z_stream.data_type, after inflate: zlib.h; */
    UNUSED_BITS = 63          /* and there: how many bits of the last byte are unused */
};

jz_decompressor *jz_decompressor_create(uint8_t window_bits)
{
    jz_decompressor *decompressor = calloc(1, sizeof *decompressor);
    if (decompressor == NULL)
        return NULL;
    jz_zlib_memory_begin(&decompressor->memory, ((size_t)1 << window_bits) + STATE, &decompressor->stream);
    if (inflateInit2(&decompressor->stream, -window_bits) != Z_OK) {
        jz_zlib_memory_end(&decompressor->memory);
        free(decompressor);
        return NULL;
    }
    return decompressor;
}

jz_decompressor *jz_decompressor_ensure(jz_decompressor **decompressor, uint8_t window_bits)
{
    if (*decompressor == NULL)
        *decompressor = jz_decompressor_create(window_bits < SMALLEST_WINDOW_BITS ? SMALLEST_WINDOW_BITS : window_bits);
    return *decompressor;
}

void jz_decompressor_free(jz_decompressor *decompressor)
{
    if (decompressor == NULL)
        return;
    inflateEnd(&decompressor->stream);
    jz_zlib_memory_end(&decompressor->memory);
    free(decompressor);
}

void jz_decompressor_forget(jz_decompressor *decompressor)
{
    inflateReset(&decompressor->stream);
}

bool jz_make_room_to_inflate(jz_buffer *output, size_t max_message_size)
{
    if (output->length < output->capacity)
        return true;
    size_t chunk = output->capacity < SMALLEST_CHUNK ? SMALLEST_CHUNK : output->capacity;
    if (chunk > LARGEST_CHUNK)
        chunk = LARGEST_CHUNK;
    size_t beyond_limit = max_message_size - output->length + 1;
    if (chunk > beyond_limit)
        chunk = beyond_limit;
    return jz_buffer_reserve(output, chunk, output->length + chunk);
}

/* Whether the last call of inflate ended between two blocks, at a byte boundary, where a message must end (§7.2.1). */
static bool is_at_block_boundary(const z_stream *stream)
{
    return (stream->data_type & (AT_BLOCK_BOUNDARY | UNUSED_BITS)) == AT_BLOCK_BOUNDARY;
}

/* Takes all of `length` bytes, at most UINT_MAX. */
static jz_failure take_part(jz_decompressor *decompressor, const uint8_t *bytes, size_t length, size_t max_message_size,
                            jz_buffer *output)
{
    z_stream *stream = &decompressor->stream;
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    for (;;) {
        if (!jz_make_room_to_inflate(output, max_message_size))
            return JZ_FAILURE_OUT_OF_MEMORY;
        size_t room = output->capacity - output->length;
        stream->next_out = output->bytes + output->length;
        stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
        uInt given = stream->avail_out;
        int result = inflate(stream, Z_SYNC_FLUSH);
        output->length += given - stream->avail_out;
        if (result == Z_MEM_ERROR)
            return JZ_FAILURE_OUT_OF_MEMORY;
        if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
            return JZ_FAILURE_INVALID_COMPRESSION;
        if (output->length > max_message_size)
            return JZ_FAILURE_MESSAGE_TOO_BIG;
        decompressor->is_after_final_block = result == Z_STREAM_END;
        /* RFC 7692 §7.2.3.4: the context continues. This keeps the window in place; copying it would cost far more than
           receiving such a block, which can have just two bytes. */
        if (decompressor->is_after_final_block)
            (void)inflateResetKeep(stream);
        /*
         * Unused room means that there is no more output, as does the end of a block. Do not call inflate again then:
         * zlib would leave the boundary.
         */
        if (stream->avail_in == 0 &&
            (stream->avail_out > 0 || decompressor->is_after_final_block || is_at_block_boundary(stream)))
            return JZ_FAILURE_NONE;
    }
}

void jz_decompressor_begin(jz_decompressor *decompressor)
{
    decompressor->is_after_final_block = false;
}

jz_failure jz_decompressor_take(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                                size_t max_message_size, jz_buffer *output)
{
    while (length > 0) {
        size_t part = length < UINT_MAX ? length : UINT_MAX;
        jz_failure failure = take_part(decompressor, bytes, part, max_message_size, output);
        if (failure != JZ_FAILURE_NONE)
            return failure;
        bytes += part;
        length -= part;
    }
    return JZ_FAILURE_NONE;
}

jz_failure jz_decompressor_end(jz_decompressor *decompressor, size_t max_message_size, jz_buffer *output)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF}; /* which the sender omitted, §7.2.2 */
    /* The sender also omitted the byte that makes the tail an empty block (against §7.2.1): the message is complete. */
    if (decompressor->is_after_final_block)
        return JZ_FAILURE_NONE;
    jz_failure failure = take_part(decompressor, tail, sizeof tail, max_message_size, output);
    if (failure == JZ_FAILURE_NONE && !is_at_block_boundary(&decompressor->stream))
        failure = JZ_FAILURE_INVALID_COMPRESSION;
    return failure;
}

jz_failure jz_decompressor_run(jz_decompressor *decompressor, const uint8_t *bytes, size_t length,
                               size_t max_message_size, jz_buffer *output)
{
    output->length = 0;
    jz_decompressor_begin(decompressor);
    jz_failure failure = jz_decompressor_take(decompressor, bytes, length, max_message_size, output);
    return failure != JZ_FAILURE_NONE ? failure : jz_decompressor_end(decompressor, max_message_size, output);
}
