#include "zlib_peer.h"

#include "testing.h"

void zlib_peer_start(zlib_peer *peer, int deflate_bits, int inflate_bits)
{
    *peer = (zlib_peer){0};
    assert_int_equal(deflateInit2(&peer->deflating, 6, Z_DEFLATED, -deflate_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(inflateInit2(&peer->inflating, -inflate_bits), Z_OK);
}

void zlib_peer_finish(zlib_peer *peer)
{
    deflateEnd(&peer->deflating);
    inflateEnd(&peer->inflating);
}

void zlib_peer_forget_compression(zlib_peer *peer)
{
    deflateReset(&peer->deflating);
}

void zlib_peer_forget_decompression(zlib_peer *peer)
{
    inflateReset(&peer->inflating);
}

void zlib_peer_compress(zlib_peer *peer, const void *bytes, size_t length, jz_buffer *payload)
{
    if (length == 0) { /* deflate does not flush twice without input; §7.2.3.6 says what an empty message is */
        assert_true(jz_buffer_append(payload, "", 1));
        return;
    }
    z_stream *stream = &peer->deflating;
    size_t room = deflateBound(stream, length) + 64;
    assert_true(jz_buffer_reserve(payload, room, SIZE_MAX));
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    stream->next_out = payload->bytes + payload->length;
    stream->avail_out = (uInt)room;
    assert_int_equal(deflate(stream, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(stream->avail_in, 0);
    payload->length += room - stream->avail_out - 4;
    assert_memory_equal(payload->bytes + payload->length, "\0\0\xFF\xFF", 4);
}

static bool inflate_all(z_stream *stream, const uint8_t *bytes, size_t length, jz_buffer *message)
{
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    do {
        assert_true(jz_buffer_reserve(message, 65536, SIZE_MAX));
        stream->next_out = message->bytes + message->length;
        stream->avail_out = 65536;
        int result = inflate(stream, Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return false;
        message->length += 65536 - stream->avail_out;
    } while (stream->avail_out == 0);
    return stream->avail_in == 0;
}

bool zlib_peer_decompress(zlib_peer *peer, const uint8_t *payload, size_t length, jz_buffer *message)
{
    message->length = 0;
    return inflate_all(&peer->inflating, payload, length, message) &&
           inflate_all(&peer->inflating, (const uint8_t *)"\0\0\xFF\xFF", 4, message);
}
