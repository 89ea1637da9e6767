/* Appends outgoing frames to a buffer. */
#ifndef JAZZY_SESSION_FRAME_WRITER_H
#define JAZZY_SESSION_FRAME_WRITER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codec/frame_header.h"
#include "session/buffer.h"

/* Appends one unfragmented, unmasked frame. False when there is no memory: nothing was appended. */
static inline bool jz_append_frame(jz_buffer *output, uint8_t opcode, uint8_t reserved, const void *payload,
                                   size_t length)
{
    if (length > SIZE_MAX - JZ_MAX_SENT_FRAME_HEADER ||
        !jz_buffer_reserve(output, length + JZ_MAX_SENT_FRAME_HEADER, SIZE_MAX))
        return false;
    uint8_t *end = output->bytes + output->length;
    size_t header_length = jz_frame_header_encode(end, true, reserved, opcode, length);
    assert(header_length + length <= output->capacity - output->length);
    if (length > 0)
        memcpy(end + header_length, payload, length);
    output->length += header_length + length;
    return true;
}

/* The length of the longest prefix of a close reason that fits into a close frame and does not cut a character. */
size_t jz_fitting_reason_length(const char *reason, size_t length);

/*
 * Appends a close frame. With JZ_CLOSE_NO_STATUS it has no payload. A reason longer than 123 bytes is cut between two
 * characters. False when there is no memory.
 */
bool jz_append_close_frame(jz_buffer *output, uint16_t code, const char *reason, size_t reason_length);

#endif
