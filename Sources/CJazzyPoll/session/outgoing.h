/* Frames to be sent, appended to a buffer. */
#ifndef JAZZY_SESSION_OUTGOING_H
#define JAZZY_SESSION_OUTGOING_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../codec/frame_header.h"
#include "buffer.h"
#include "session.h"

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

/* A message on its way out: one frame, whose payload belongs to the caller or to the session's workspace. */
typedef struct jz_outgoing {
    uint8_t opcode;
    uint8_t reserved; /* JZ_RSV1 where the payload is compressed */
    const void *payload;
    size_t length;
} jz_outgoing;

/* Private to jz_session_prepare: whatever is not a plain data message. */
jz_send_status jz_session_prepare_slowly(jz_session *session, jz_message_kind kind, const void *bytes, size_t length,
                                         jz_compression compression, jz_outgoing *outgoing);

/*
 * Makes of a message what goes out: JZ_SEND_SENT, or DROPPED or CLOSED as jz_ws_send_with. `outgoing` is valid as long
 * as `bytes` and until the workspace is used again, and has to go out now, or jz_session_give_up be called.
 */
static inline jz_send_status jz_session_prepare(jz_session *session, jz_message_kind kind, const void *bytes,
                                                size_t length, jz_compression compression, jz_outgoing *outgoing)
{
    if (!jz_session_is_open(session) || session->uses_deflate || kind > JZ_MESSAGE_BINARY)
        return jz_session_prepare_slowly(session, kind, bytes, length, compression, outgoing);
    *outgoing = (jz_outgoing){
        .opcode = kind == JZ_MESSAGE_TEXT ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY, .payload = bytes, .length = length};
    return JZ_SEND_SENT;
}

/* What was prepared does not go out, for want of memory: the peer's compression context will not have seen it. */
static inline void jz_session_give_up(jz_session *session, const jz_outgoing *outgoing)
{
    if (outgoing->reserved != 0)
        jz_session_forget_context(session);
}

/* Appends what was prepared to `output`, or gives it up: then false. */
static inline bool jz_session_append(jz_session *session, const jz_outgoing *outgoing, jz_buffer *output)
{
    if (JZ_LIKELY(jz_append_frame(output, outgoing->opcode, outgoing->reserved, outgoing->payload, outgoing->length)))
        return true;
    jz_session_give_up(session, outgoing);
    return false;
}

/* The length of the longest prefix of a close reason that fits into a close frame and ends with a character. */
size_t jz_fitting_reason_length(const char *reason, size_t length);

/*
 * Appends a close frame. JZ_CLOSE_NO_STATUS makes it one without a payload. A reason longer than the 123 bytes that fit
 * is cut at the end of a character. False when there is no memory.
 */
bool jz_append_close_frame(jz_buffer *output, uint16_t code, const char *reason, size_t reason_length);

#endif
