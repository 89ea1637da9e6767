/*
 * The fast path for the most common frame, which breaks no rule: an uncompressed data message in one frame, complete in
 * the input, and so short that its length is in the second byte (RFC 6455 §5.2).
 */
#ifndef JAZZY_SESSION_SHORT_MESSAGE_H
#define JAZZY_SESSION_SHORT_MESSAGE_H

#include <assert.h>

#include "codec/frame_header.h"
#include "codec/mask.h"
#include "codec/utf8.h"
#include "session/session.h"

enum { JZ_SHORT_HEADER = 6, JZ_MAX_SHORT_PAYLOAD = 125 };

static inline uint8_t jz_short_message_opcode(const jz_input *input)
{
    enum { FIN = 0x80 };
    return input->bytes[0] ^ FIN;
}

static inline size_t jz_short_message_length(const jz_input *input)
{
    enum { MASKED = 0x80 };
    return input->bytes[1] ^ MASKED;
}

/* Whether such a message is next. */
static inline bool jz_short_message_is_next(const jz_session *session, const jz_input *input)
{
    if (session->incoming != NULL || session->state != JZ_SESSION_OPEN || input->length < JZ_SHORT_HEADER)
        return false;
    uint8_t opcode = jz_short_message_opcode(input);
    size_t length = jz_short_message_length(input);
    return (opcode == JZ_OPCODE_TEXT || opcode == JZ_OPCODE_BINARY) && length <= JZ_MAX_SHORT_PAYLOAD &&
           length <= input->length - JZ_SHORT_HEADER && length <= session->settings->max_message_size;
}

/* Takes that message. Does not check whether a text is UTF-8. */
static inline void jz_short_message_take(jz_input *input, jz_message *message)
{
    size_t length = jz_short_message_length(input);
    uint8_t *payload = input->bytes + JZ_SHORT_HEADER;
    /* Unmasked in place. */
    assert(input->length >= JZ_SHORT_HEADER && length <= input->length - JZ_SHORT_HEADER);
    message->kind = jz_short_message_opcode(input) == JZ_OPCODE_TEXT ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY;
    message->bytes = payload;
    message->length = length;
    jz_mask_short(payload, length, input->bytes + 2);
    input->bytes += JZ_SHORT_HEADER + length;
    input->length -= JZ_SHORT_HEADER + length;
}

/* Private to jz_session_next: takes any input. */
bool jz_session_next_of_any(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event,
                            jz_message *message);

static inline bool jz_session_next(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event,
                                   jz_message *message)
{
    if (JZ_LIKELY(jz_short_message_is_next(session, input))) {
        jz_short_message_take(input, message);
        if (message->kind == JZ_MESSAGE_BINARY || JZ_LIKELY(jz_utf8_is_valid(message->bytes, message->length))) {
            *event = (jz_event){.type = JZ_EVENT_MESSAGE, .close_reason = ""};
            return true;
        }
        jz_session_fail(session, JZ_FAILURE_INVALID_UTF8, output);
    }
    if (input->length == 0 && session->incoming == NULL && session->state == JZ_SESSION_OPEN)
        return false;
    return jz_session_next_of_any(session, input, output, event, message);
}

#endif
