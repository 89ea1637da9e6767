/* A client's compressor (RFC 7692 §7.2.1), which makes use of every freedom that the RFC gives to it. */
#ifndef JAZZY_FUZZ_CLIENT_DEFLATE_H
#define JAZZY_FUZZ_CLIENT_DEFLATE_H

#include <zlib.h>

#include "session/buffer.h"

typedef struct client_deflate {
    z_stream stream;
} client_deflate;

/* How a message is compressed. All zero is the common way. */
typedef struct client_deflate_manner {
    uint8_t level_below_9;          /* 0 to 9: zlib's level is 9 minus this; 9 stores without compressing */
    uint8_t strategy;               /* zlib's: 0 to 4 */
    bool begins_anew;               /* does not refer to earlier messages */
    bool has_several_blocks;        /* §7.2.3.5 */
    bool ends_with_final_block;     /* §7.2.3.4 */
    bool leaves_out_the_last_block; /* after a final block, against the RFC; receivers take it all the same */
} client_deflate_manner;

void client_deflate_init(client_deflate *deflate, uint8_t window_bits, uint8_t memory_level);
void client_deflate_free(client_deflate *deflate);

/* Appends the payload of a compressed message to `output`. */
void client_deflate_message(client_deflate *deflate, client_deflate_manner manner, const uint8_t *bytes, size_t length,
                            jz_buffer *output);

#endif
