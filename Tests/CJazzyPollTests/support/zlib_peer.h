/* The other side of permessage-deflate, in plain zlib, to check ours against. */
#ifndef JAZZY_TESTS_ZLIB_PEER_H
#define JAZZY_TESTS_ZLIB_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "session/buffer.h"

typedef struct zlib_peer {
    z_stream deflating;
    z_stream inflating;
} zlib_peer;

/* A peer that compresses with a window of that many bits, and can only see that far back when it decompresses. */
void zlib_peer_start(zlib_peer *peer, int deflate_bits, int inflate_bits);
void zlib_peer_finish(zlib_peer *peer);

/* The peer's context is not taken over to its next message. */
void zlib_peer_forget_compression(zlib_peer *peer);
void zlib_peer_forget_decompression(zlib_peer *peer);

/* Appends the message as RFC 7692 §7.2.1 has it compressed. */
void zlib_peer_compress(zlib_peer *peer, const void *bytes, size_t length, jz_buffer *payload);

/* Decompresses a payload as §7.2.2 says, in place of what `message` held. False when it cannot be. */
bool zlib_peer_decompress(zlib_peer *peer, const uint8_t *payload, size_t length, jz_buffer *message);

#endif
