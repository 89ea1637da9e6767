/* The sending half of a session: turns messages into frames. The receiving half is session.h. */
#ifndef JAZZY_SESSION_OUTGOING_H
#define JAZZY_SESSION_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/frame_header.h"
#include "session/frame_writer.h"
#include "session/session.h"

/* Appends a message's frame to `output`. Returns as jz_ws_send_with: SENT, DROPPED or CLOSED. */
jz_send_status jz_session_send_with(jz_session *session, jz_message_kind kind, const void *bytes, size_t length,
                                    jz_compression compression, jz_buffer *output);

static inline jz_send_status jz_session_send(jz_session *session, jz_message_kind kind, const void *bytes,
                                             size_t length, jz_buffer *output)
{
    return jz_session_send_with(session, kind, bytes, length, JZ_COMPRESSION_AUTOMATIC, output);
}

/*
 * Appends a close frame to `output`, and waits for the peer's. Returns as jz_ws_close: SENT, DROPPED or CLOSED. If no
 * cause was set before, the application is the cause.
 */
jz_send_status jz_session_close(jz_session *session, uint16_t code, const char *reason, size_t reason_length,
                                jz_buffer *output);
jz_send_status jz_session_close_because(jz_session *session, jz_close_cause cause, uint16_t code, const char *reason,
                                        size_t reason_length, jz_buffer *output);

/* Whether the session would compress a data message of this length. */
bool jz_session_wants_compression(const jz_session *session, size_t length, jz_compression compression);

/* Starts a new compression context, because the peer was sent a message that is not in the old one. */
void jz_session_forget_context(jz_session *session);

/* An outgoing message: one frame, whose payload belongs to the caller or to the session's workspace. */
typedef struct jz_outgoing {
    uint8_t opcode;
    uint8_t reserved; /* JZ_RSV1 if the payload is compressed */
    const void *payload;
    size_t length;
} jz_outgoing;

/* Private to jz_session_prepare: everything but an uncompressed data message. */
jz_send_status jz_session_prepare_slowly(jz_session *session, jz_message_kind kind, const void *bytes, size_t length,
                                         jz_compression compression, jz_outgoing *outgoing);

/*
 * Turns a message into a frame: JZ_SEND_SENT, or DROPPED or CLOSED as jz_ws_send_with. `outgoing` is valid as long as
 * `bytes` and until the workspace is used again. Send it now, or call jz_session_give_up.
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

/* The prepared frame is not sent, because there is no memory: it must not be in the compression context. */
static inline void jz_session_give_up(jz_session *session, const jz_outgoing *outgoing)
{
    if (outgoing->reserved != 0)
        jz_session_forget_context(session);
}

/* Appends the prepared frame to `output`. False: there is no memory, and it was given up. */
static inline bool jz_session_append(jz_session *session, const jz_outgoing *outgoing, jz_buffer *output)
{
    if (JZ_LIKELY(jz_append_frame(output, outgoing->opcode, outgoing->reserved, outgoing->payload, outgoing->length)))
        return true;
    jz_session_give_up(session, outgoing);
    return false;
}

#endif
