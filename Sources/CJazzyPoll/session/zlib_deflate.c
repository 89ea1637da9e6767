#include "session/engine.h"

#ifndef JZ_DEFLATE_ISAL
#include <limits.h>

enum {
    SYNC_FLUSH_LENGTH = 6, /* bytes that a flush adds at most */
    USUAL_LEVEL = 6
};

/*
 * At the default level we let zlib search shorter hash chains (48 instead of 128), and search for a longer match even
 * after one of up to 32 bytes (instead of 16): JSON becomes slightly smaller and takes 5 to 15 % less time; source code
 * becomes at most 0.5 % larger. A reset undoes this.
 */
static void tune(jz_deflater *deflater)
{
    enum { GOOD_LENGTH = 8, MAX_LAZY = 32, NICE_LENGTH = 128, MAX_CHAIN = 48 };
    if (deflater->level == USUAL_LEVEL)
        deflateTune(&deflater->stream, GOOD_LENGTH, MAX_LAZY, NICE_LENGTH, MAX_CHAIN);
}

/* The bytes that deflate allocates: zlib's figures (zconf.h), plus its state and alignment. */
static size_t memory_of(jz_compressor_parameters parameters)
{
    enum { STATE = 6 * 1024 + 512 };
    return ((size_t)1 << (parameters.window_bits + 2)) + ((size_t)1 << (parameters.memory_level + 9)) + STATE;
}

bool jz_deflater_begin(jz_deflater *deflater, jz_compressor_parameters parameters)
{
    *deflater = (jz_deflater){.level = parameters.level};
    jz_zlib_memory_begin(&deflater->memory, memory_of(parameters), &deflater->stream);
    /* Negative window bits: raw deflate, without zlib's header and checksum. */
    if (deflateInit2(&deflater->stream, parameters.level, Z_DEFLATED, -parameters.window_bits, parameters.memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        jz_zlib_memory_end(&deflater->memory);
        return false;
    }
    tune(deflater);
    return true;
}

void jz_deflater_end(jz_deflater *deflater)
{
    deflateEnd(&deflater->stream);
    jz_zlib_memory_end(&deflater->memory);
}

void jz_deflater_forget(jz_deflater *deflater)
{
    deflateReset(&deflater->stream);
    tune(deflater);
}

/* Compresses a part of a message, at most UINT_MAX bytes, and appends the output. */
static bool take_part(z_stream *stream, const uint8_t *bytes, size_t length, int flush, jz_buffer *output)
{
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    do {
        size_t room = deflateBound(stream, stream->avail_in) + SYNC_FLUSH_LENGTH;
        if (!jz_buffer_reserve(output, room, SIZE_MAX))
            return false;
        room = output->capacity - output->length;
        stream->next_out = output->bytes + output->length;
        stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
        uInt given = stream->avail_out;
        int result = deflate(stream, flush);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return false;
        output->length += given - stream->avail_out;
    } while (stream->avail_out == 0);
    return true;
}

bool jz_deflater_take(jz_deflater *deflater, const uint8_t *bytes, size_t length, jz_buffer *output)
{
    while (length > UINT_MAX) {
        if (!take_part(&deflater->stream, bytes, UINT_MAX, Z_NO_FLUSH, output))
            return false;
        bytes += UINT_MAX;
        length -= UINT_MAX;
    }
    return take_part(&deflater->stream, bytes, length, Z_SYNC_FLUSH, output);
}
#endif
