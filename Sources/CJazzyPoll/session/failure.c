/* The one table of a connection's failures: the rule that was broken, close code, text. */
#include "jazzy/error.h"

#include <assert.h>
#include <stddef.h>

#include "jazzy/event.h"

static const struct {
    uint16_t close_code;
    const char *text;
} failures[] = {
    [JZ_FAILURE_NONE] = {JZ_CLOSE_ABNORMAL, "no failure"},
    [JZ_FAILURE_RESERVED_BITS] = {JZ_CLOSE_PROTOCOL_ERROR, "a reserved bit is set without an extension that uses it"},
    [JZ_FAILURE_RESERVED_OPCODE] = {JZ_CLOSE_PROTOCOL_ERROR, "the opcode is reserved"},
    [JZ_FAILURE_NOT_MASKED] = {JZ_CLOSE_PROTOCOL_ERROR, "the frame is not masked"},
    [JZ_FAILURE_LENGTH_NOT_MINIMAL] = {JZ_CLOSE_PROTOCOL_ERROR, "the payload length is not in its shortest form"},
    [JZ_FAILURE_LENGTH_TOO_LARGE] = {JZ_CLOSE_PROTOCOL_ERROR, "the payload length has its most significant bit set"},
    [JZ_FAILURE_CONTROL_FRAGMENTED] = {JZ_CLOSE_PROTOCOL_ERROR, "the control frame is fragmented"},
    [JZ_FAILURE_CONTROL_TOO_LONG] = {JZ_CLOSE_PROTOCOL_ERROR, "the control frame is longer than 125 bytes"},
    [JZ_FAILURE_UNEXPECTED_CONTINUATION] = {JZ_CLOSE_PROTOCOL_ERROR, "there is no message to continue"},
    [JZ_FAILURE_EXPECTED_CONTINUATION] = {JZ_CLOSE_PROTOCOL_ERROR, "the message before is not finished"},
    [JZ_FAILURE_INVALID_UTF8] = {JZ_CLOSE_INVALID_PAYLOAD, "the text is not UTF-8"},
    [JZ_FAILURE_INVALID_CLOSE_LENGTH] = {JZ_CLOSE_PROTOCOL_ERROR, "the close frame has half a close code"},
    [JZ_FAILURE_INVALID_CLOSE_CODE] = {JZ_CLOSE_PROTOCOL_ERROR, "the close code may not be sent"},
    [JZ_FAILURE_MESSAGE_TOO_BIG] = {JZ_CLOSE_MESSAGE_TOO_BIG, "the message is larger than this route allows"},
    [JZ_FAILURE_TOO_MANY_FRAMES] = {JZ_CLOSE_MESSAGE_TOO_BIG, "the message has more empty frames than it may have"},
    [JZ_FAILURE_INVALID_COMPRESSION] = {JZ_CLOSE_INVALID_PAYLOAD, "the compressed data is invalid"},
    [JZ_FAILURE_OUT_OF_MEMORY] = {JZ_CLOSE_INTERNAL_ERROR, "the server is out of memory"},
    [JZ_FAILURE_IDLE_TIMEOUT] = {JZ_CLOSE_GOING_AWAY, "nothing came from the peer for too long"},
    [JZ_FAILURE_TRANSPORT] = {JZ_CLOSE_ABNORMAL, "the connection was lost"},
};

static size_t row_of(jz_failure failure)
{
    size_t row = (size_t)failure;
    return row < sizeof failures / sizeof failures[0] ? row : JZ_FAILURE_NONE;
}

const char *jz_failure_text(jz_failure failure)
{
    return failures[row_of(failure)].text;
}

uint16_t jz_failure_close_code(jz_failure failure)
{
    return failures[row_of(failure)].close_code;
}

static const char *const names[] = {
    [JZ_FAILURE_NONE] = "none",
    [JZ_FAILURE_RESERVED_BITS] = "reserved_bits",
    [JZ_FAILURE_RESERVED_OPCODE] = "reserved_opcode",
    [JZ_FAILURE_NOT_MASKED] = "not_masked",
    [JZ_FAILURE_LENGTH_NOT_MINIMAL] = "length_not_minimal",
    [JZ_FAILURE_LENGTH_TOO_LARGE] = "length_too_large",
    [JZ_FAILURE_CONTROL_FRAGMENTED] = "control_fragmented",
    [JZ_FAILURE_CONTROL_TOO_LONG] = "control_too_long",
    [JZ_FAILURE_UNEXPECTED_CONTINUATION] = "unexpected_continuation",
    [JZ_FAILURE_EXPECTED_CONTINUATION] = "expected_continuation",
    [JZ_FAILURE_INVALID_UTF8] = "invalid_utf8",
    [JZ_FAILURE_INVALID_CLOSE_LENGTH] = "invalid_close_length",
    [JZ_FAILURE_INVALID_CLOSE_CODE] = "invalid_close_code",
    [JZ_FAILURE_MESSAGE_TOO_BIG] = "message_too_big",
    [JZ_FAILURE_TOO_MANY_FRAMES] = "too_many_frames",
    [JZ_FAILURE_INVALID_COMPRESSION] = "invalid_compression",
    [JZ_FAILURE_OUT_OF_MEMORY] = "out_of_memory",
    [JZ_FAILURE_IDLE_TIMEOUT] = "idle_timeout",
    [JZ_FAILURE_TRANSPORT] = "transport",
};
static_assert(sizeof names / sizeof names[0] == JZ_FAILURE_COUNT, "each failure has a name");

const char *jz_failure_name(jz_failure failure)
{
    return names[row_of(failure)];
}
