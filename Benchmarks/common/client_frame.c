#include "client_frame.h"

#include <string.h>

#include "codec/frame_header.h"
#include "codec/mask.h"

const uint8_t toggling_key[4] = {1, 2, 3, 1};
const uint8_t zero_key[4] = {0};

size_t write_client_frame(uint8_t *destination, uint8_t opcode, uint8_t reserved, const uint8_t key[4],
                          const void *payload, size_t length)
{
    size_t header_length = jz_frame_header_encode(destination, true, reserved, opcode, length);
    destination[1] |= 0x80;
    memcpy(destination + header_length, key, 4);
    header_length += 4;
    memcpy(destination + header_length, payload, length);
    jz_mask(destination + header_length, destination + header_length, length, key, 0);
    return header_length + length;
}
