#include "session/frame_rules.h"

#include "session/incoming.h"

/* RSV1 marks the first frame of a compressed message (RFC 7692 §6), and nothing else. */
static uint8_t allowed_reserved_bits(const jz_session *session, const jz_frame_header *header)
{
    bool begins_message = header->opcode == JZ_OPCODE_TEXT || header->opcode == JZ_OPCODE_BINARY;
    return session->uses_deflate && begins_message ? JZ_RSV1 : 0;
}

/* Incompressible data becomes larger: by slightly more than 1/8 with zlib's worst settings (deflateBound). */
size_t jz_max_compressed_length(size_t length)
{
    return length + length / 4 + 64;
}

/*
 * How many payload bytes of the incomplete message may be buffered. If it is inflated ahead of its end, the buffered
 * bytes are consumed and make room for more.
 */
static size_t max_payload_length(const jz_session *session, bool is_compressed, const jz_inflation *inflation)
{
    size_t max = session->settings->max_message_size;
    if (!is_compressed)
        return max;
    return jz_max_compressed_length(inflation != NULL ? max - inflation->message.length : max);
}

/*
 * Whether another empty frame of the incomplete message would exceed the limit: max_frames, and one more for each byte
 * of payload. A non-empty frame never exceeds it, because its own bytes allow it; for such frames the size limit
 * counts.
 */
static bool is_empty_frame_too_many(const jz_session *session)
{
    uint32_t max_frames = session->settings->max_frames;
    const jz_incoming *incoming = session->incoming;
    uint64_t bytes = incoming->payload.length + (incoming->inflation != NULL ? incoming->inflation->taken : 0);
    return max_frames > 0 && incoming->frame_count >= max_frames + bytes;
}

jz_failure jz_judge_frame(const jz_session *session, const jz_frame_header *header)
{
    if ((header->reserved & ~allowed_reserved_bits(session, header)) != 0)
        return JZ_FAILURE_RESERVED_BITS;
    bool is_control = jz_opcode_is_control(header->opcode);
    if (is_control ? header->opcode > JZ_OPCODE_PONG : header->opcode > JZ_OPCODE_BINARY)
        return JZ_FAILURE_RESERVED_OPCODE;
    if (!header->masked)
        return JZ_FAILURE_NOT_MASKED;
    if (header->payload_length > INT64_MAX)
        return JZ_FAILURE_LENGTH_TOO_LARGE;
    if (is_control) {
        if (!header->fin)
            return JZ_FAILURE_CONTROL_FRAGMENTED;
        if (header->payload_length > JZ_MAX_CONTROL_PAYLOAD)
            return JZ_FAILURE_CONTROL_TOO_LONG;
        return header->length_is_minimal ? JZ_FAILURE_NONE : JZ_FAILURE_LENGTH_NOT_MINIMAL;
    }
    if (!header->length_is_minimal)
        return JZ_FAILURE_LENGTH_NOT_MINIMAL;
    bool is_under_way = session->message_opcode != 0;
    if (header->opcode == JZ_OPCODE_CONTINUATION && !is_under_way)
        return JZ_FAILURE_UNEXPECTED_CONTINUATION;
    if (header->opcode != JZ_OPCODE_CONTINUATION && is_under_way)
        return JZ_FAILURE_EXPECTED_CONTINUATION;
    if (is_under_way && header->payload_length == 0 && is_empty_frame_too_many(session))
        return JZ_FAILURE_TOO_MANY_FRAMES;
    bool is_compressed = is_under_way ? session->message_is_compressed : header->reserved != 0;
    const jz_inflation *inflation = is_under_way ? session->incoming->inflation : NULL;
    size_t message_length = is_under_way ? session->incoming->payload.length : 0;
    if (header->payload_length > max_payload_length(session, is_compressed, inflation) - message_length)
        return JZ_FAILURE_MESSAGE_TOO_BIG;
    return JZ_FAILURE_NONE;
}
