#include "outgoing.h"

#include <string.h>

#include "../codec/big_endian.h"
#include "../codec/close_code.h"
#include "../codec/frame_header.h"
#include "../codec/utf8.h"
#include "jazzy/event.h"
#include "session.h"

bool jz_append_frame(jz_buffer *output, uint8_t opcode, uint8_t reserved, const void *payload, size_t length)
{
    if (length > SIZE_MAX - JZ_MAX_SENT_FRAME_HEADER ||
        !jz_buffer_reserve(output, length + JZ_MAX_SENT_FRAME_HEADER, SIZE_MAX))
        return false;
    output->length += jz_frame_header_encode(output->bytes + output->length, true, reserved, opcode, length);
    if (length > 0)
        memcpy(output->bytes + output->length, payload, length);
    output->length += length;
    return true;
}

/* The length of the longest prefix that fits a close frame and ends with a character. */
static size_t fitting_reason_length(const char *reason, size_t length)
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
        length = fitting_reason_length(reason, reason_length);
        if (length > 0)
            memcpy(payload + 2, reason, length);
        length += 2;
    }
    return jz_append_frame(output, JZ_OPCODE_CLOSE, 0, payload, length);
}

jz_send_status jz_session_send(jz_session *session, jz_message_kind kind, const void *bytes, size_t length,
                               jz_buffer *output)
{
    static const uint8_t opcodes[] = {
        [JZ_MESSAGE_TEXT] = JZ_OPCODE_TEXT,
        [JZ_MESSAGE_BINARY] = JZ_OPCODE_BINARY,
        [JZ_MESSAGE_PING] = JZ_OPCODE_PING,
        [JZ_MESSAGE_PONG] = JZ_OPCODE_PONG,
    };
    if (!jz_session_is_open(session))
        return JZ_SEND_CLOSED;
    if ((size_t)kind >= sizeof opcodes)
        return JZ_SEND_DROPPED;
    if (jz_opcode_is_control(opcodes[kind]) && length > JZ_MAX_CONTROL_PAYLOAD)
        return JZ_SEND_DROPPED;
    return jz_append_frame(output, opcodes[kind], 0, bytes, length) ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

jz_send_status jz_session_close(jz_session *session, uint16_t code, const char *reason, size_t reason_length,
                                jz_buffer *output)
{
    if (!jz_session_is_open(session))
        return JZ_SEND_CLOSED;
    if (!jz_close_code_may_be_sent(code) || !jz_utf8_is_valid((const uint8_t *)reason, reason_length) ||
        !jz_append_close_frame(output, code, reason, reason_length))
        return JZ_SEND_DROPPED;
    session->state = JZ_SESSION_CLOSE_SENT;
    return JZ_SEND_SENT;
}
