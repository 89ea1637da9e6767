/* Every rule that a peer can break: an error event, a close event, and a close frame with the right code. */
#include "support/session_row.h"
#include "support/testing.h"

#define BREAKS(name_, failure_, code, ...)                                                                             \
    {                                                                                                                  \
        name_, .steps = STEPS(__VA_ARGS__), FAILS(failure_, code)                                                      \
    }

static const session_row reserved_bits[] = {
    BREAKS("RSV1 on text", JZ_FAILURE_RESERVED_BITS, 1002,
           PEER({.fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_TEXT, .payload = BYTES("x")})),
    BREAKS("RSV2 on binary", JZ_FAILURE_RESERVED_BITS, 1002,
           PEER({.fin = true, .reserved = JZ_RSV2, .opcode = JZ_OPCODE_BINARY, .payload = BYTES("x")})),
    BREAKS("RSV3 on text", JZ_FAILURE_RESERVED_BITS, 1002,
           PEER({.fin = true, .reserved = JZ_RSV3, .opcode = JZ_OPCODE_TEXT, .payload = BYTES("x")})),
    BREAKS("all reserved bits on an empty message", JZ_FAILURE_RESERVED_BITS, 1002,
           PEER({.fin = true, .reserved = 7, .opcode = JZ_OPCODE_TEXT})),
    BREAKS("RSV1 on a ping", JZ_FAILURE_RESERVED_BITS, 1002,
           PEER({.fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_PING, .payload = BYTES("x")})),
    BREAKS("RSV3 on a close", JZ_FAILURE_RESERVED_BITS, 1002,
           PEER({.fin = true, .reserved = JZ_RSV3, .opcode = JZ_OPCODE_CLOSE, .close_code = 1000})),
    BREAKS("RSV1 on a continuation", JZ_FAILURE_RESERVED_BITS, 1002, PEER(TEXT_START("a")),
           PEER({.fin = true, .reserved = JZ_RSV1, .opcode = JZ_OPCODE_CONTINUATION, .payload = BYTES("b")})),
};

#define RESERVED_OPCODE(number)                                                                                        \
    BREAKS("opcode " #number, JZ_FAILURE_RESERVED_OPCODE, 1002,                                                        \
           PEER({.fin = true, .opcode = (number), .payload = BYTES("x")})),                                            \
        BREAKS("opcode " #number " between fragments", JZ_FAILURE_RESERVED_OPCODE, 1002, PEER(TEXT_START("a")),        \
               PEER({.fin = true, .opcode = (number)}))

static const session_row reserved_opcodes[] = {
    RESERVED_OPCODE(3),  RESERVED_OPCODE(4),  RESERVED_OPCODE(5),  RESERVED_OPCODE(6),  RESERVED_OPCODE(7),
    RESERVED_OPCODE(11), RESERVED_OPCODE(12), RESERVED_OPCODE(13), RESERVED_OPCODE(14), RESERVED_OPCODE(15),
};

static const session_row masking[] = {
    BREAKS("an unmasked text message", JZ_FAILURE_NOT_MASKED, 1002, PEER(RAW("\x81\x05Hello"))),
    BREAKS("an unmasked empty message", JZ_FAILURE_NOT_MASKED, 1002, PEER(RAW("\x82\x00"))),
    BREAKS("an unmasked ping", JZ_FAILURE_NOT_MASKED, 1002, PEER(RAW("\x89\x05Hello"))),
    BREAKS("an unmasked close", JZ_FAILURE_NOT_MASKED, 1002, PEER(RAW("\x88\x02\x03\xe8"))),
    BREAKS("an unmasked continuation", JZ_FAILURE_NOT_MASKED, 1002, PEER(TEXT_START("Hel")), PEER(RAW("\x80\x02lo"))),
};

static const session_row lengths[] = {
    BREAKS("no bytes in 16 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002,
           PEER({.fin = true, .opcode = JZ_OPCODE_TEXT, .length_form = LENGTH_OF_16_BITS})),
    BREAKS("125 bytes in 16 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_TEXT, 125, LENGTH_OF_16_BITS))),
    BREAKS("no bytes in 64 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002,
           PEER({.fin = true, .opcode = JZ_OPCODE_TEXT, .length_form = LENGTH_OF_64_BITS})),
    BREAKS("126 bytes in 64 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_BINARY, 126, LENGTH_OF_64_BITS))),
    BREAKS("65,535 bytes in 64 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_BINARY, 65535, LENGTH_OF_64_BITS))),
    BREAKS("a ping of 5 bytes in 16 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_PING, 5, LENGTH_OF_16_BITS))),
    BREAKS("a continuation of 5 bytes in 64 bits", JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002, PEER(BINARY_START("a")),
           PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, 5, LENGTH_OF_64_BITS))),
    BREAKS("the lowest length of 64 bits that is not allowed", JZ_FAILURE_LENGTH_TOO_LARGE, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_BINARY, UINT64_C(1) << 63, LENGTH_OF_64_BITS))),
    BREAKS("the highest length of 64 bits", JZ_FAILURE_LENGTH_TOO_LARGE, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_TEXT, UINT64_MAX, LENGTH_OF_64_BITS))),
    BREAKS("a length of 64 bits that is not allowed, in a continuation", JZ_FAILURE_LENGTH_TOO_LARGE, 1002,
           PEER(TEXT_START("a")), PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, UINT64_MAX, LENGTH_OF_64_BITS))),
};

static const session_row control_frames[] = {
    BREAKS("a ping without FIN", JZ_FAILURE_CONTROL_FRAGMENTED, 1002,
           PEER({.opcode = JZ_OPCODE_PING, .payload = BYTES("x")})),
    BREAKS("an empty pong without FIN", JZ_FAILURE_CONTROL_FRAGMENTED, 1002, PEER({.opcode = JZ_OPCODE_PONG})),
    BREAKS("a close without FIN", JZ_FAILURE_CONTROL_FRAGMENTED, 1002,
           PEER({.opcode = JZ_OPCODE_CLOSE, .close_code = 1000})),
    BREAKS("a ping without FIN between fragments", JZ_FAILURE_CONTROL_FRAGMENTED, 1002, PEER(TEXT_START("a")),
           PEER({.opcode = JZ_OPCODE_PING})),
    BREAKS("a ping of 126 bytes", JZ_FAILURE_CONTROL_TOO_LONG, 1002, PEER(PING_OF(REPEATED("x", 126)))),
    BREAKS("a pong of 126 bytes", JZ_FAILURE_CONTROL_TOO_LONG, 1002, PEER(PONG_OF(REPEATED("x", 126)))),
    BREAKS("a close of 126 bytes", JZ_FAILURE_CONTROL_TOO_LONG, 1002, PEER(CLOSE_OF(1000, REPEATED("x", 124)))),
    BREAKS("a ping of 65,536 bytes, refused at its header", JZ_FAILURE_CONTROL_TOO_LONG, 1002,
           PEER(CLAIM_OF(JZ_OPCODE_PING, 65536, SHORTEST_LENGTH))),
};

static const session_row fragments[] = {
    BREAKS("a continuation first of all", JZ_FAILURE_UNEXPECTED_CONTINUATION, 1002, PEER(LAST("x"))),
    BREAKS("an empty continuation first of all", JZ_FAILURE_UNEXPECTED_CONTINUATION, 1002, PEER(CONTINUATION(""))),
    {"a continuation after a whole message", .steps = STEPS(PEER(TEXT("a")), PEER(CONTINUATION("x"))),
     .events = EVENTS(GOT_TEXT("a")), FAILS(JZ_FAILURE_UNEXPECTED_CONTINUATION, 1002)},
    {"a continuation after the last fragment", .steps = STEPS(PEER(TEXT_START("a")), PEER(LAST("b")), PEER(LAST("x"))),
     .events = EVENTS(GOT_TEXT("ab")), FAILS(JZ_FAILURE_UNEXPECTED_CONTINUATION, 1002)},
    BREAKS("a text within a text", JZ_FAILURE_EXPECTED_CONTINUATION, 1002, PEER(TEXT_START("a")), PEER(TEXT("b"))),
    BREAKS("a binary message within a text", JZ_FAILURE_EXPECTED_CONTINUATION, 1002, PEER(TEXT_START("a")),
           PEER(BINARY("b"))),
    BREAKS("a text that begins within a binary message", JZ_FAILURE_EXPECTED_CONTINUATION, 1002,
           PEER(BINARY_START("a")), PEER(TEXT_START("b"))),
    BREAKS("a text after an empty first fragment", JZ_FAILURE_EXPECTED_CONTINUATION, 1002, PEER(TEXT_START("")),
           PEER(TEXT("b"))),
    {"a text between fragments, after a ping", .steps = STEPS(PEER(TEXT_START("a")), PEER(PING("?")), PEER(TEXT("b"))),
     .events = EVENTS(GOT_PING("?")), .output = FRAMES(PONG("?")), FAILS(JZ_FAILURE_EXPECTED_CONTINUATION, 1002)},
};

/* The last byte is the first that is impossible; nothing more ever comes. */
#define IMPOSSIBLE(name, literal)                                                                                      \
    BREAKS(name " is refused before the text's end", JZ_FAILURE_INVALID_UTF8, 1007,                                    \
           PEER(PART_OF(JZ_OPCODE_TEXT, 100, literal))),                                                               \
        BREAKS(name " in a whole text", JZ_FAILURE_INVALID_UTF8, 1007, PEER(TEXT(literal))),                           \
        BREAKS(name " in a first fragment", JZ_FAILURE_INVALID_UTF8, 1007, PEER(TEXT_START(literal))),                 \
        BREAKS(name " in a later fragment", JZ_FAILURE_INVALID_UTF8, 1007, PEER(TEXT_START("a")),                      \
               PEER(CONTINUATION(literal)))

static const session_row texts[] = {
    IMPOSSIBLE("a stray continuation byte", "Hello \x80"),
    IMPOSSIBLE("a missing continuation byte", "\xE2\x82"
                                              "a"),
    IMPOSSIBLE("an overlong form", "\xC0"),
    IMPOSSIBLE("an overlong form of three bytes", "\xE0\x9F"),
    IMPOSSIBLE("a surrogate", "\xED\xA0"),
    IMPOSSIBLE("a code point beyond U+10FFFF", "\xF4\x90"),
    IMPOSSIBLE("the byte FF", "\xFF"),
    BREAKS("a byte that is impossible after the last fragment's", JZ_FAILURE_INVALID_UTF8, 1007,
           PEER(TEXT_START("\xF4")), PEER(CONTINUATION("\x90"))),
    BREAKS("a text that ends within a character", JZ_FAILURE_INVALID_UTF8, 1007, PEER(TEXT("a\xE2\x82"))),
    BREAKS("fragments that end within a character", JZ_FAILURE_INVALID_UTF8, 1007, PEER(TEXT_START("a\xE2")),
           PEER(LAST("\x82"))),
    BREAKS("an empty last fragment within a character", JZ_FAILURE_INVALID_UTF8, 1007, PEER(TEXT_START("\xC3")),
           PEER(LAST(""))),
    BREAKS("a close reason that is not UTF-8", JZ_FAILURE_INVALID_UTF8, 1007, PEER(CLOSE(1000, "\xC0\xAF"))),
    BREAKS("a close reason that ends within a character", JZ_FAILURE_INVALID_UTF8, 1007,
           PEER(CLOSE(1000, "a\xE2\x82"))),
};

#define REFUSED_CLOSE_CODE(code)                                                                                       \
    BREAKS("close code " #code, JZ_FAILURE_INVALID_CLOSE_CODE, 1002, PEER(CLOSE(code, ""))),                           \
        BREAKS("close code " #code " with a reason", JZ_FAILURE_INVALID_CLOSE_CODE, 1002, PEER(CLOSE(code, "reason")))

static const session_row close_frames[] = {
    BREAKS("a close of one byte", JZ_FAILURE_INVALID_CLOSE_LENGTH, 1002,
           PEER({.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = BYTES("\x03")})),
    BREAKS("close code 0", JZ_FAILURE_INVALID_CLOSE_CODE, 1002,
           PEER({.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = BYTES("\0\0")})),
    REFUSED_CLOSE_CODE(999),
    REFUSED_CLOSE_CODE(1004),
    REFUSED_CLOSE_CODE(1005),
    REFUSED_CLOSE_CODE(1006),
    REFUSED_CLOSE_CODE(1015),
    REFUSED_CLOSE_CODE(1016),
    REFUSED_CLOSE_CODE(1100),
    REFUSED_CLOSE_CODE(2000),
    REFUSED_CLOSE_CODE(2999),
    REFUSED_CLOSE_CODE(5000),
    REFUSED_CLOSE_CODE(65535),
};

static const session_row sizes[] = {
    {"a message larger than allowed", .max_message_size = 5, .steps = STEPS(PEER(TEXT("Hello!"))),
     FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
    {"a message larger than allowed, refused at its header", .max_message_size = 5,
     .steps = STEPS(PEER(CLAIM_OF(JZ_OPCODE_BINARY, 6, SHORTEST_LENGTH))), FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
    {"the largest length that a header can claim",
     .steps = STEPS(PEER(CLAIM_OF(JZ_OPCODE_BINARY, INT64_MAX, SHORTEST_LENGTH))),
     FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
    {"fragments that are together larger than allowed", .max_message_size = 5,
     .steps = STEPS(PEER(BINARY_START("Hel")), PEER(LAST("lo!"))), FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
    {"a byte behind fragments as large as allowed", .max_message_size = 5,
     .steps = STEPS(PEER(BINARY_START("Hello")), PEER(CONTINUATION("")),
                    PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, 1, SHORTEST_LENGTH))),
     FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
};

static const session_row what_surrounds_a_failure[] = {
    {"messages before it are delivered", .steps = STEPS(PEER(TEXT("one")), PEER(PING("?")), PEER(RAW("\x81\x05Hello"))),
     .events = EVENTS(GOT_TEXT("one"), GOT_PING("?")), .output = FRAMES(PONG("?")), FAILS(JZ_FAILURE_NOT_MASKED, 1002)},
    BREAKS("messages behind it are not delivered, pings not answered", JZ_FAILURE_NOT_MASKED, 1002,
           PEER(RAW("\x81\x05Hello")), PEER(TEXT("two")), PEER(PING("?")), PEER(CLOSE(1000, ""))),
    BREAKS("only the first of two is told", JZ_FAILURE_UNEXPECTED_CONTINUATION, 1002, PEER(LAST("x")),
           PEER(RAW("\xFF"))),
    BREAKS("nothing can be sent behind it", JZ_FAILURE_NOT_MASKED, 1002, PEER(RAW("\x81\x05Hello")),
           SEND(JZ_MESSAGE_TEXT, "x", JZ_SEND_CLOSED), WE_CLOSE(1000, "", JZ_SEND_CLOSED)),
    BREAKS("the connection's end behind it tells nothing more", JZ_FAILURE_NOT_MASKED, 1002, PEER(RAW("\x81\x05Hello")),
           CONNECTION_ENDS(JZ_FAILURE_NONE), CONNECTION_ENDS(JZ_FAILURE_TRANSPORT)),
};

int main(void)
{
    int failed = 0;
    failed += run_session_rows("reserved bits", reserved_bits, COUNT_OF(reserved_bits));
    failed += run_session_rows("reserved opcodes", reserved_opcodes, COUNT_OF(reserved_opcodes));
    failed += run_session_rows("masking", masking, COUNT_OF(masking));
    failed += run_session_rows("lengths", lengths, COUNT_OF(lengths));
    failed += run_session_rows("control frames", control_frames, COUNT_OF(control_frames));
    failed += run_session_rows("fragments", fragments, COUNT_OF(fragments));
    failed += run_session_rows("texts", texts, COUNT_OF(texts));
    failed += run_session_rows("close frames", close_frames, COUNT_OF(close_frames));
    failed += run_session_rows("sizes", sizes, COUNT_OF(sizes));
    failed += run_session_rows("around a failure", what_surrounds_a_failure, COUNT_OF(what_surrounds_a_failure));
    return EXIT_STATUS_OF(failed);
}
