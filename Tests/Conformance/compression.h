/*
 * Shared by rows about compression: agreements, messages to compress, and a client's compressor, which is plain zlib.
 */
#ifndef JAZZY_CONFORMANCE_COMPRESSION_H
#define JAZZY_CONFORMANCE_COMPRESSION_H

#include <zlib.h>

#include "kinds.h"

enum { MIN_MESSAGE_SIZE = 64 }; /* smaller messages are sent back uncompressed */

/* A client's offer, and its result: see deflate_of. */
typedef struct deflate_offer {
    jz_deflate_mode mode; /* the server's */
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    uint8_t server_max_window_bits; /* 0: not offered */
    uint8_t client_max_window_bits; /* 0: not offered; WITHOUT_VALUE */
} deflate_offer;

enum { WITHOUT_VALUE = 1 };

/* The header of an offer, the answer that RFC 7692 §7.1 asks for, and the options of the server. */
const session_deflate *deflate_of(topic *topic, const deflate_offer *offer);

/* "permessage-deflate" offered to a server whose connections keep contexts, and to one whose do not. */
extern const session_deflate dedicated_deflate;
extern const session_deflate shared_deflate;

/* Text that compresses well, and bytes that do not; each seed has its own. */
test_bytes make_text(topic *topic, size_t length, uint64_t seed);
test_bytes make_noise(topic *topic, size_t length, uint64_t seed);

/* A client's compressor, as the answer to this offer has it. Ended with deflateEnd. */
void client_compressor_start(z_stream *stream, const deflate_offer *offer);

/* Compresses a message as RFC 7692 §7.2.1 says. */
test_bytes client_compress(topic *topic, z_stream *stream, const deflate_offer *offer, test_bytes message);

/* The event of a message that is sent back, compressed where plain zlib makes it smaller. */
session_event got_and_sent_back(jz_message_kind kind, test_bytes message);

/* A frame's first part, compressed. */
static inline session_step peer_compressed(bool fin, uint8_t opcode, test_bytes payload)
{
    return (session_step)PEER({.fin = fin, .reserved = JZ_RSV1, .opcode = opcode, .payload = payload});
}

#endif
