#include "frame_header.h"

#include <string.h>

#include "big_endian.h"

bool jz_frame_header_decode(const uint8_t *bytes, size_t length, jz_frame_header *header)
{
    if (length < 2)
        return false;
    size_t header_length = jz_frame_header_length(bytes);
    if (length < header_length)
        return false;

    header->fin = (bytes[0] & 0x80) != 0;
    header->reserved = (bytes[0] >> 4) & 0x7;
    header->opcode = bytes[0] & 0x0F;
    header->masked = (bytes[1] & 0x80) != 0;
    header->header_length = (uint8_t)header_length;

    uint8_t length_field = bytes[1] & 0x7F;
    if (length_field == 126) {
        header->payload_length = jz_read_uint16(bytes + 2);
        header->length_is_minimal = header->payload_length >= 126;
    } else if (length_field == 127) {
        header->payload_length = jz_read_uint64(bytes + 2);
        header->length_is_minimal = header->payload_length > UINT16_MAX;
    } else {
        header->payload_length = length_field;
        header->length_is_minimal = true;
    }
    if (header->masked)
        memcpy(header->masking_key, bytes + header_length - 4, 4);
    return true;
}
