#include "client_deflate.h"

#include "fuzz_input.h"

enum { SYNC_FLUSH_TAIL = 4, LARGEST_LEVEL = 9 };

void client_deflate_init(client_deflate *deflate, uint8_t window_bits, uint8_t memory_level)
{
    *deflate = (client_deflate){0};
    require(deflateInit2(&deflate->stream, LARGEST_LEVEL, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY) ==
                Z_OK,
            "zlib has memory");
}

void client_deflate_free(client_deflate *deflate)
{
    deflateEnd(&deflate->stream);
}

static void append_deflated(z_stream *stream, const uint8_t *bytes, size_t length, int flush, jz_buffer *output)
{
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    do {
        enum { ROOM = 4096 };
        require(jz_buffer_reserve(output, ROOM, SIZE_MAX), "the fuzzer has memory");
        stream->next_out = output->bytes + output->length;
        stream->avail_out = ROOM;
        int result = deflate(stream, flush);
        require(result == Z_OK || result == Z_BUF_ERROR || result == Z_STREAM_END, "zlib compresses anything");
        output->length += ROOM - stream->avail_out;
    } while (stream->avail_out == 0);
}

/* Other settings than the last message's; the stream has nothing to flush, so that this writes nothing. */
static void set_level(z_stream *stream, int level, int strategy)
{
    uint8_t room[64];
    stream->next_in = NULL;
    stream->avail_in = 0;
    stream->next_out = room;
    stream->avail_out = sizeof room;
    int result = deflateParams(stream, level, strategy);
    require((result == Z_OK || result == Z_BUF_ERROR) && stream->avail_out == sizeof room, "there is nothing to flush");
}

static void append_byte(jz_buffer *output, uint8_t byte)
{
    require(jz_buffer_append(output, &byte, 1), "the fuzzer has memory");
}

void client_deflate_message(client_deflate *deflate, client_deflate_manner manner, const uint8_t *bytes, size_t length,
                            jz_buffer *output)
{
    z_stream *stream = &deflate->stream;
    size_t start = output->length;
    if (manner.begins_anew)
        deflateReset(stream);
    set_level(stream, LARGEST_LEVEL - manner.level_below_9, manner.strategy);
    size_t first = manner.has_several_blocks ? length / 2 : 0;
    if (first > 0)
        append_deflated(stream, bytes, first, Z_FULL_FLUSH, output);
    if (manner.ends_with_final_block) {
        append_deflated(stream, bytes + first, length - first, Z_FINISH, output);
        deflateReset(stream);
        if (!manner.leaves_out_the_last_block)
            append_byte(output, 0x00); /* the empty block before the tail, §7.2.3.4 */
        return;
    }
    append_deflated(stream, bytes + first, length - first, Z_SYNC_FLUSH, output);
    if (output->length - start >= SYNC_FLUSH_TAIL)
        output->length -= SYNC_FLUSH_TAIL;
    else
        append_byte(output, 0x00); /* zlib has no two flushes with nothing between: §7.2.3.6 */
}
