/* A frame as a client sends it, or with any field as it must not be. */
#ifndef JAZZY_FUZZ_CLIENT_FRAME_H
#define JAZZY_FUZZ_CLIENT_FRAME_H

#include "session/buffer.h"

typedef enum length_form { SHORTEST_LENGTH, LENGTH_OF_16_BITS, LENGTH_OF_64_BITS } length_form;

typedef struct client_frame {
    bool fin;
    uint8_t reserved; /* 0 to 7 */
    uint8_t opcode;   /* 0 to 15 */
    bool masked;
    uint8_t masking_key[4];
    length_form form;
    uint64_t claimed_length; /* the length in the header; payload_length in a correct frame */
    const uint8_t *payload;
    size_t payload_length;
} client_frame;

void client_frame_append(jz_buffer *output, const client_frame *frame);

#endif
