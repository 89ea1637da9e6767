#include "reference_inflate.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "fuzz_input.h"

enum {
    BLOCK_BOUNDARY = 128, /* in z_stream.data_type (zlib.h), */
    UNUSED_BITS = 63      /* and how many bits of the last byte were not used */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Gives a new stream its history: the end of earlier messages, and of the current one. */
static void start_stream(z_stream *stream, const reference_inflate *inflate, const jz_buffer *output)
{
    jz_buffer past = {0};
    require(jz_buffer_append(&past, inflate->history.bytes, inflate->history.length) &&
                jz_buffer_append(&past, output->bytes, output->length),
            "the fuzzer has memory");
    size_t length = smaller(past.length, (size_t)1 << inflate->window_bits);
    *stream = (z_stream){0};
    require(inflateInit2(stream, -inflate->window_bits) == Z_OK, "zlib has memory");
    if (length > 0)
        require(inflateSetDictionary(stream, past.bytes + past.length - length, (uInt)length) == Z_OK,
                "a raw stream takes a history");
    jz_buffer_free(&past);
}

/* Writes a piece. Returns zlib's result, and how many bytes it wrote. */
static int inflate_piece(z_stream *stream, size_t piece, jz_buffer *output, size_t *written)
{
    require(jz_buffer_reserve(output, piece, SIZE_MAX), "the fuzzer has memory");
    stream->next_out = output->bytes + output->length;
    stream->avail_out = (uInt)piece;
    int result = inflate(stream, Z_SYNC_FLUSH);
    *written = piece - stream->avail_out;
    output->length += *written;
    return result;
}

static bool is_at_end(const z_stream *stream)
{
    return (stream->data_type & (BLOCK_BOUNDARY | UNUSED_BITS)) == BLOCK_BOUNDARY;
}

/* Writes pieces until there is nothing more to write, or a final block ended, or something is wrong. */
static int inflate_block(const reference_inflate *inflate, z_stream *stream, size_t limit, jz_buffer *output)
{
    for (;;) {
        uInt rest = stream->avail_in;
        int data_type = stream->data_type;
        size_t written;
        int result = inflate_piece(stream, smaller(inflate->piece, limit - output->length + 1), output, &written);
        bool has_moved = written > 0 || stream->avail_in < rest;
        if (!has_moved)
            stream->data_type = data_type; /* a call for nothing spoils it */
        if ((result != Z_OK && result != Z_BUF_ERROR) || output->length > limit || !has_moved)
            return result;
    }
}

/* `bytes` are the message and the tail after it. */
static reference_inflate_result inflate_all(const reference_inflate *inflate, z_stream *stream, const uint8_t *bytes,
                                            size_t message_length, size_t tail_length, size_t limit, jz_buffer *output)
{
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)(message_length + tail_length);
    for (;;) {
        int result = inflate_block(inflate, stream, limit, output);
        if (output->length > limit)
            return REFERENCE_TOO_LARGE;
        if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
            return REFERENCE_NOT_DEFLATE;
        if (result != Z_STREAM_END)
            return is_at_end(stream) ? REFERENCE_INFLATED : REFERENCE_NOT_DEFLATE;
        /* After a final block at the message's very end the tail is not needed. */
        uInt rest = stream->avail_in;
        if (rest == tail_length)
            return REFERENCE_INFLATED;
        const uint8_t *next = stream->next_in;
        inflateEnd(stream);
        start_stream(stream, inflate, output);
        stream->next_in = (z_const Bytef *)next;
        stream->avail_in = rest;
    }
}

static void keep(jz_buffer *history, const jz_buffer *output)
{
    size_t window = (size_t)1 << MAX_WBITS;
    require(jz_buffer_append(history, output->bytes, output->length), "the fuzzer has memory");
    if (history->length > window) {
        memmove(history->bytes, history->bytes + history->length - window, window);
        history->length = window;
    }
}

reference_inflate_result reference_inflate_message(reference_inflate *inflate, const uint8_t *bytes, size_t length,
                                                   size_t limit, jz_buffer *output)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};
    uint8_t *with_tail = fuzz_allocate(length + sizeof tail);
    if (length > 0)
        memcpy(with_tail, bytes, length);
    memcpy(with_tail + length, tail, sizeof tail);

    output->length = 0;
    z_stream stream;
    start_stream(&stream, inflate, output);
    reference_inflate_result result = inflate_all(inflate, &stream, with_tail, length, sizeof tail, limit, output);
    inflate->is_of_codes = result == REFERENCE_NOT_DEFLATE && stream.msg != NULL && strstr(stream.msg, " set") != NULL;
    inflateEnd(&stream);
    free(with_tail);
    if (result == REFERENCE_INFLATED && inflate->keeps_context)
        keep(&inflate->history, output);
    return result;
}

void reference_inflate_free(reference_inflate *inflate)
{
    jz_buffer_free(&inflate->history);
}
