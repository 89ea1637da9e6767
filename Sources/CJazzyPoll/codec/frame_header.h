/* The header of a frame (RFC 6455 §5.2). */
#ifndef JAZZY_CODEC_FRAME_HEADER_H
#define JAZZY_CODEC_FRAME_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codec/big_endian.h"

enum {
    JZ_OPCODE_CONTINUATION = 0x0,
    JZ_OPCODE_TEXT = 0x1,
    JZ_OPCODE_BINARY = 0x2,
    JZ_OPCODE_CLOSE = 0x8,
    JZ_OPCODE_PING = 0x9,
    JZ_OPCODE_PONG = 0xA
};

enum {
    JZ_RSV1 = 0x4,
    JZ_RSV2 = 0x2,
    JZ_RSV3 = 0x1,

    JZ_MAX_CONTROL_PAYLOAD = 125,  /* §5.5 */
    JZ_MAX_FRAME_HEADER = 14,      /* two bytes, eight of extended length, four of masking key */
    JZ_MAX_SENT_FRAME_HEADER = 10, /* a server's frames have no masking key, §5.1 */
    JZ_MAX_CLOSE_REASON = 123      /* what fits into a control frame after the close code */
};

typedef struct jz_frame_header {
    bool fin;
    bool masked;
    uint8_t reserved; /* RSV1, RSV2 and RSV3, as JZ_RSV1 and so on */
    uint8_t opcode;
    uint8_t header_length;  /* bytes of the header on the wire */
    uint8_t masking_key[4]; /* where masked */
    bool length_is_minimal; /* the payload length has its shortest encoding */
    uint64_t payload_length;
} jz_frame_header;

static inline bool jz_opcode_is_control(uint8_t opcode)
{
    return (opcode & 0x8) != 0;
}

/* The length of the header in bytes, 2 to 14, by its first two bytes. */
static inline size_t jz_frame_header_length(const uint8_t first_two[2])
{
    uint8_t length_field = first_two[1] & 0x7F;
    size_t extended = length_field < 126 ? 0 : length_field == 126 ? 2 : 8;
    return 2 + extended + (size_t)(first_two[1] >> 7) * 4;
}

/*
 * Reads a header from the first `length` bytes. Returns false, without filling in `header`, while they are too few.
 * Checks no rules: session/frame_rules.h does.
 */
static inline bool jz_frame_header_decode(const uint8_t *bytes, size_t length, jz_frame_header *header)
{
    size_t header_length = length < 2 ? 2 : jz_frame_header_length(bytes);
    if (length < header_length) {
        *header = (jz_frame_header){0};
        return false;
    }

    header->fin = (bytes[0] & 0x80) != 0;
    header->reserved = (bytes[0] >> 4) & 0x7;
    header->opcode = bytes[0] & 0x0F;
    header->masked = (bytes[1] & 0x80) != 0;
    header->header_length = (uint8_t)header_length;

    uint8_t length_field = bytes[1] & 0x7F;
    header->payload_length = length_field;
    header->length_is_minimal = true;
    if (length_field == 126) {
        header->payload_length = jz_read_uint16(bytes + 2);
        header->length_is_minimal = header->payload_length >= 126;
    } else if (length_field == 127) {
        header->payload_length = jz_read_uint64(bytes + 2);
        header->length_is_minimal = header->payload_length > UINT16_MAX;
    }
    if (header->masked)
        memcpy(header->masking_key, bytes + header_length - 4, 4);
    return true;
}

/* Writes the header of an unmasked frame and returns its length: 2, 4 or 10. `reserved` as in jz_frame_header. */
static inline size_t jz_frame_header_encode(uint8_t destination[JZ_MAX_SENT_FRAME_HEADER], bool fin, uint8_t reserved,
                                            uint8_t opcode, uint64_t payload_length)
{
    destination[0] = (uint8_t)((fin ? 0x80 : 0) | (reserved & 0x7) << 4 | (opcode & 0x0F));
    if (payload_length < 126) {
        destination[1] = (uint8_t)payload_length;
        return 2;
    }
    if (payload_length <= UINT16_MAX) {
        destination[1] = 126;
        jz_write_uint16(destination + 2, (uint16_t)payload_length);
        return 4;
    }
    destination[1] = 127;
    jz_write_uint64(destination + 2, payload_length);
    return 10;
}

#endif
