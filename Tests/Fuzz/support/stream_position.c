#include "stream_position.h"

#include "codec/frame_header.h"

static bool breaks_a_rule_for_all(const jz_frame_header *header)
{
    static const char *const known_opcodes = "\x01\x02\x08\x09\x0A";
    bool is_known = header->opcode == JZ_OPCODE_CONTINUATION;
    for (const char *opcode = known_opcodes; *opcode != '\0'; opcode++)
        is_known = is_known || header->opcode == *opcode;
    bool is_too_long = header->payload_length >> 63 != 0;
    return !is_known || !header->masked || !header->length_is_minimal || is_too_long;
}

/* RFC 6455 §5.2, §5.4, §5.5; RFC 7692 §6. How large a message may be is another matter. */
static bool breaks_a_rule(const stream_position *position, const jz_frame_header *header)
{
    if (breaks_a_rule_for_all(header))
        return true;
    if (header->opcode >= JZ_OPCODE_CLOSE)
        return !header->fin || header->payload_length > 125 || header->reserved != 0;
    bool is_continuation = header->opcode == JZ_OPCODE_CONTINUATION;
    bool may_be_compressed = position->allows_compression && !is_continuation;
    if (header->reserved != 0 && !(may_be_compressed && header->reserved == JZ_RSV1))
        return true;
    return is_continuation != position->has_message_under_way;
}

void stream_position_move(stream_position *position, const uint8_t *bytes, size_t length)
{
    jz_frame_header header;
    while (!position->breaks_a_rule &&
           jz_frame_header_decode(bytes + position->frame_start, length - position->frame_start, &header)) {
        position->breaks_a_rule = breaks_a_rule(position, &header);
        size_t payload_start = position->frame_start + header.header_length;
        if (header.payload_length > length - payload_start)
            return;
        position->frame_start = payload_start + (size_t)header.payload_length;
        if (header.opcode < JZ_OPCODE_CLOSE)
            position->has_message_under_way = !header.fin;
    }
}
