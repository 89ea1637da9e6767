#include "session/outgoing.h"

#include <string.h>

#include "codec/big_endian.h"
#include "codec/close_code.h"
#include "codec/frame_header.h"
#include "codec/utf8.h"
#include "jazzy/event.h"
#include "session/session.h"

void jz_session_forget_context(jz_session *session)
{
    if (session->keeps_own_context && session->dedicated != NULL && session->dedicated->compressor != NULL)
        jz_compressor_forget(session->dedicated->compressor);
}

bool jz_session_wants_compression(const jz_session *session, size_t length, jz_compression compression)
{
    if (!session->uses_deflate || compression == JZ_COMPRESSION_NEVER)
        return false;
    return compression == JZ_COMPRESSION_ALWAYS || length >= session->settings->deflate.min_message_size;
}

/*
 * RFC 7692 §7.2.1. False when the message does not become smaller or there is no memory: then it is sent uncompressed.
 */
static bool compress(jz_session *session, const void *bytes, size_t length, const jz_buffer **compressed)
{
    const jz_session_settings *settings = session->settings;
    if (!session->keeps_own_context)
        return jz_compress_alone(settings->workspace, &settings->deflate, session->own_window_bits, bytes, length,
                                 compressed);
    return jz_dedicated_compression_ensure(&session->dedicated) &&
           jz_compress_in_context(settings->workspace, &session->dedicated->compressor, &settings->deflate,
                                  session->own_window_bits, bytes, length, compressed);
}

jz_send_status jz_session_prepare_slowly(jz_session *session, jz_message_kind kind, const void *bytes, size_t length,
                                         jz_compression compression, jz_outgoing *outgoing)
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
    bool is_control = jz_opcode_is_control(opcodes[kind]);
    if (is_control && length > JZ_MAX_CONTROL_PAYLOAD)
        return JZ_SEND_DROPPED;
    *outgoing = (jz_outgoing){.opcode = opcodes[kind], .payload = bytes, .length = length};
    const jz_buffer *compressed = NULL;
    if (!is_control && jz_session_wants_compression(session, length, compression) &&
        compress(session, bytes, length, &compressed)) {
        jz_compression_count_sent(session->settings->workspace, length, compressed->length);
        outgoing->payload = compressed->bytes;
        outgoing->length = compressed->length;
        outgoing->reserved = JZ_RSV1;
    }
    return JZ_SEND_SENT;
}

jz_send_status jz_session_send_with(jz_session *session, jz_message_kind kind, const void *bytes, size_t length,
                                    jz_compression compression, jz_buffer *output)
{
    jz_outgoing outgoing;
    jz_send_status status = jz_session_prepare(session, kind, bytes, length, compression, &outgoing);
    if (status != JZ_SEND_SENT)
        return status;
    return jz_session_append(session, &outgoing, output) ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

jz_send_status jz_session_close(jz_session *session, uint16_t code, const char *reason, size_t reason_length,
                                jz_buffer *output)
{
    return jz_session_close_because(session, JZ_CAUSE_APPLICATION, code, reason, reason_length, output);
}

jz_send_status jz_session_close_because(jz_session *session, jz_close_cause cause, uint16_t code, const char *reason,
                                        size_t reason_length, jz_buffer *output)
{
    if (!jz_session_is_open(session))
        return JZ_SEND_CLOSED;
    code = jz_close_code_to_send(code);
    if (code == 0 || !jz_utf8_is_valid((const uint8_t *)reason, reason_length) ||
        !jz_append_close_frame(output, code, reason, reason_length))
        return JZ_SEND_DROPPED;
    jz_session_blame(session, cause);
    session->state = JZ_SESSION_CLOSE_SENT;
    return JZ_SEND_SENT;
}
