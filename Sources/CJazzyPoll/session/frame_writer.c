#include "session/frame_writer.h"

#include "codec/big_endian.h"
#include "jazzy/event.h"

size_t jz_fitting_reason_length(const char *reason, size_t length)
{
    if (length <= JZ_MAX_CLOSE_REASON)
        return length;
    length = JZ_MAX_CLOSE_REASON;
    while (length > 0 && ((uint8_t)reason[length] & 0xC0) == 0x80)
        length--;
    return length;
}

bool jz_append_close_frame(jz_buffer *output, uint16_t code, const char *reason, size_t reason_length)
{
    uint8_t payload[JZ_MAX_CONTROL_PAYLOAD];
    size_t length = 0;
    if (code != JZ_CLOSE_NO_STATUS) {
        jz_write_uint16(payload, code);
        length = jz_fitting_reason_length(reason, reason_length);
        if (length > 0)
            memcpy(payload + 2, reason, length);
        length += 2;
    }
    return jz_append_frame(output, JZ_OPCODE_CLOSE, 0, payload, length);
}
