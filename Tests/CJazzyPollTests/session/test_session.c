/* What a peer may send, and the results: messages, fragments, control frames between them. */
#include "support/session_row.h"
#include "support/testing.h"

static const session_row examples_of_rfc_5_7[] = {
    {"a single-frame masked text message", .steps = STEPS(PEER(RAW("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"a masked pong", .steps = STEPS(PEER(RAW("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"))),
     .events = EVENTS(GOT_PONG("Hello"))},
    {"a single-frame unmasked text message, sent", .steps = STEPS(SEND(JZ_MESSAGE_TEXT, "Hello", JZ_SEND_SENT)),
     .output = FRAMES(RAW("\x81\x05\x48\x65\x6c\x6c\x6f"))},
    {"an unmasked ping, sent", .steps = STEPS(SEND(JZ_MESSAGE_PING, "Hello", JZ_SEND_SENT)),
     .output = FRAMES(RAW("\x89\x05\x48\x65\x6c\x6c\x6f"))},
    {"256 bytes of binary in a single frame, sent",
     .steps = STEPS(SEND_OF(JZ_MESSAGE_BINARY, JZ_SEND_SENT, REPEATED("x", 256))),
     .output = FRAMES(RAW("\x82\x7E\x01\x00"), {.is_raw = true, .payload = REPEATED("x", 256)})},
    {"64 KiB of binary in a single frame, sent",
     .steps = STEPS(SEND_OF(JZ_MESSAGE_BINARY, JZ_SEND_SENT, REPEATED("x", 65536))),
     .output =
         FRAMES(RAW("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"), {.is_raw = true, .payload = REPEATED("x", 65536)})},
    {"a fragmented message, masked", .steps = STEPS(PEER(TEXT_START("Hel")), PEER(LAST("lo"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
};

#define MESSAGES_OF(length)                                                                                            \
    {                                                                                                                  \
        "text and binary of " #length " bytes",                                                                        \
            .steps =                                                                                                   \
                STEPS(PEER(TEXT_OF(REPEATED("letters ", length))), PEER(BINARY_OF(REPEATED("\0\xFF\x80", length)))),   \
            .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, REPEATED("letters ", length)),                                    \
                             GOT_OF(JZ_MESSAGE_BINARY, REPEATED("\0\xFF\x80", length)))                                \
    }

static const session_row whole_messages[] = {
    {"nothing at all", .steps = STEPS(PEER(RAW("")))},
    MESSAGES_OF(0),
    MESSAGES_OF(1),
    MESSAGES_OF(2),
    MESSAGES_OF(125),
    MESSAGES_OF(126),
    MESSAGES_OF(127),
    MESSAGES_OF(128),
    MESSAGES_OF(65535),
    MESSAGES_OF(65536),
    MESSAGES_OF(65537),
    {"a masking key of zeros",
     .steps =
         STEPS(PEER({.fin = true, .opcode = JZ_OPCODE_TEXT, .masking = MASKED_WITH_ITS_KEY, .payload = BYTES("x")})),
     .events = EVENTS(GOT_TEXT("x"))},
    {"many messages at once",
     .steps = STEPS(PEER(TEXT("one")), PEER(BINARY("two")), PEER(TEXT("")), PEER(BINARY("")), PEER(TEXT("five"))),
     .events = EVENTS(GOT_TEXT("one"), GOT_BINARY("two"), GOT_TEXT(""), GOT_BINARY(""), GOT_TEXT("five"))},
    {"text with NUL in it", .steps = STEPS(PEER(TEXT("a\0b"))), .events = EVENTS(GOT_TEXT("a\0b"))},
    {"messages both ways",
     .steps = STEPS(PEER(TEXT("ping?")), SEND(JZ_MESSAGE_TEXT, "pong!", JZ_SEND_SENT), PEER(TEXT("thanks")),
                    SEND(JZ_MESSAGE_BINARY, "", JZ_SEND_SENT)),
     .events = EVENTS(GOT_TEXT("ping?"), GOT_TEXT("thanks")), .output = FRAMES(TEXT("pong!"), BINARY(""))},
    {"half of a header", .steps = STEPS(PEER(RAW("\x81"))), .ends_under_way = true},
    {"a header without its key", .steps = STEPS(PEER(RAW("\x81\x85\x01\x02\x03"))), .ends_under_way = true},
    {"half of a message", .steps = STEPS(PEER(PART_OF(JZ_OPCODE_TEXT, 6, "hal"))), .ends_under_way = true},
    {"a message and a half", .steps = STEPS(PEER(TEXT("one")), PEER(PART_OF(JZ_OPCODE_TEXT, 6, "hal"))),
     .events = EVENTS(GOT_TEXT("one")), .ends_under_way = true},
    {"half of a ping", .steps = STEPS(PEER(PART_OF(JZ_OPCODE_PING, 6, "hal"))), .ends_under_way = true},
};

static const session_row fragmented_messages[] = {
    {"two fragments", .steps = STEPS(PEER(BINARY_START("Hel")), PEER(LAST("lo"))),
     .events = EVENTS(GOT_BINARY("Hello"))},
    {"five fragments",
     .steps = STEPS(PEER(TEXT_START("H")), PEER(CONTINUATION("e")), PEER(CONTINUATION("l")), PEER(CONTINUATION("l")),
                    PEER(LAST("o"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"an empty first fragment", .steps = STEPS(PEER(TEXT_START("")), PEER(LAST("Hello"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"an empty last fragment", .steps = STEPS(PEER(TEXT_START("Hello")), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"an empty fragment in the middle",
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CONTINUATION("")), PEER(LAST("lo"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"nothing but empty fragments", .steps = STEPS(PEER(BINARY_START("")), PEER(CONTINUATION("")), PEER(LAST(""))),
     .events = EVENTS(GOT_BINARY(""))},
    {"large fragments",
     .steps = STEPS(PEER({.opcode = JZ_OPCODE_BINARY, .payload = REPEATED("0123456789", 70000)}),
                    PEER({.opcode = JZ_OPCODE_CONTINUATION, .payload = REPEATED("0123456789", 300)}),
                    PEER({.fin = true, .opcode = JZ_OPCODE_CONTINUATION, .payload = REPEATED("0123456789", 10)})),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_BINARY, REPEATED("0123456789", 70310)))},
    {"one fragmented message after another",
     .steps = STEPS(PEER(TEXT_START("a")), PEER(LAST("b")), PEER(BINARY_START("c")), PEER(LAST("d")), PEER(TEXT("e"))),
     .events = EVENTS(GOT_TEXT("ab"), GOT_BINARY("cd"), GOT_TEXT("e"))},
    {"a first fragment alone", .steps = STEPS(PEER(TEXT_START("Hel"))), .ends_under_way = true},
    {"an empty first fragment alone", .steps = STEPS(PEER(TEXT_START(""))), .ends_under_way = true},
    {"our messages go out between the peer's fragments",
     .steps = STEPS(PEER(TEXT_START("Hel")), SEND(JZ_MESSAGE_TEXT, "ours", JZ_SEND_SENT), PEER(LAST("lo"))),
     .events = EVENTS(GOT_TEXT("Hello")), .output = FRAMES(TEXT("ours"))},
};

static const session_row control_frames[] = {
    {"a ping is answered with its payload and shown", .steps = STEPS(PEER(PING("Hello"))),
     .events = EVENTS(GOT_PING("Hello")), .output = FRAMES(PONG("Hello"))},
    {"an empty ping", .steps = STEPS(PEER(PING(""))), .events = EVENTS(GOT_PING("")), .output = FRAMES(PONG(""))},
    {"the longest ping", .steps = STEPS(PEER(PING_OF(REPEATED("\0\xFF", 125)))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_PING, REPEATED("\0\xFF", 125))),
     .output = FRAMES(PONG_OF(REPEATED("\0\xFF", 125)))},
    {"every ping is answered, in order", .steps = STEPS(PEER(PING("1")), PEER(PING("2")), PEER(PING("3"))),
     .events = EVENTS(GOT_PING("1"), GOT_PING("2"), GOT_PING("3")), .output = FRAMES(PONG("1"), PONG("2"), PONG("3"))},
    {"a pong that nobody asked for is shown and not answered", .steps = STEPS(PEER(PONG("?"))),
     .events = EVENTS(GOT_PONG("?"))},
    {"an empty pong", .steps = STEPS(PEER(PONG(""))), .events = EVENTS(GOT_PONG(""))},
    {"the longest pong", .steps = STEPS(PEER(PONG_OF(REPEATED("p", 125)))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_PONG, REPEATED("p", 125)))},
    {"pings and pongs need not be UTF-8", .steps = STEPS(PEER(PING("\xFF\xFE")), PEER(PONG("\x80"))),
     .events = EVENTS(GOT_PING("\xFF\xFE"), GOT_PONG("\x80")), .output = FRAMES(PONG("\xFF\xFE"))},
    {"a ping between two messages", .steps = STEPS(PEER(TEXT("one")), PEER(PING("?")), PEER(TEXT("two"))),
     .events = EVENTS(GOT_TEXT("one"), GOT_PING("?"), GOT_TEXT("two")), .output = FRAMES(PONG("?"))},
    {"a ping between two fragments", .steps = STEPS(PEER(TEXT_START("Hel")), PEER(PING("?")), PEER(LAST("lo"))),
     .events = EVENTS(GOT_PING("?"), GOT_TEXT("Hello")), .output = FRAMES(PONG("?"))},
    {"control frames between all fragments",
     .steps = STEPS(PEER(BINARY_START("a")), PEER(PING("1")), PEER(PONG("2")), PEER(CONTINUATION("b")), PEER(PING("")),
                    PEER(PING_OF(REPEATED("x", 125))), PEER(LAST("c")), PEER(PONG("3"))),
     .events = EVENTS(GOT_PING("1"), GOT_PONG("2"), GOT_PING(""), GOT_OF(JZ_MESSAGE_PING, REPEATED("x", 125)),
                      GOT_BINARY("abc"), GOT_PONG("3")),
     .output = FRAMES(PONG("1"), PONG(""), PONG_OF(REPEATED("x", 125)))},
    {"a ping between two fragments, and no last one", .steps = STEPS(PEER(TEXT_START("Hel")), PEER(PING("?"))),
     .events = EVENTS(GOT_PING("?")), .output = FRAMES(PONG("?")), .ends_under_way = true},
};

static const session_row texts[] = {
    {"characters of every length", .steps = STEPS(PEER(TEXT("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB7"))),
     .events = EVENTS(GOT_TEXT("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB7"))},
    {"a character of two bytes in two fragments", .steps = STEPS(PEER(TEXT_START("\xC3")), PEER(LAST("\xA9"))),
     .events = EVENTS(GOT_TEXT("\xC3\xA9"))},
    {"a character of four bytes in four fragments, with pings between them",
     .steps = STEPS(PEER(TEXT_START("\xF0")), PEER(PING("")), PEER(CONTINUATION("\x9F")), PEER(CONTINUATION("\x8E")),
                    PEER(PING("")), PEER(CONTINUATION("")), PEER(LAST("\xB7"))),
     .events = EVENTS(GOT_PING(""), GOT_PING(""), GOT_TEXT("\xF0\x9F\x8E\xB7")), .output = FRAMES(PONG(""), PONG(""))},
    {"the last code point", .steps = STEPS(PEER(TEXT_START("\xF4\x8F")), PEER(LAST("\xBF\xBF"))),
     .events = EVENTS(GOT_TEXT("\xF4\x8F\xBF\xBF"))},
    {"a long text of characters of three bytes", .steps = STEPS(PEER(TEXT_OF(REPEATED("\xE2\x82\xAC", 3000)))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, REPEATED("\xE2\x82\xAC", 3000)))},
    {"each text begins anew", .steps = STEPS(PEER(TEXT_START("\xC3")), PEER(LAST("\xA9")), PEER(TEXT("\xC3\xA9"))),
     .events = EVENTS(GOT_TEXT("\xC3\xA9"), GOT_TEXT("\xC3\xA9"))},
    {"binary is not checked",
     .steps = STEPS(PEER(BINARY("\xFF\xC0\x80")), PEER(BINARY_START("\xC3")), PEER(LAST("\xC3"))),
     .events = EVENTS(GOT_BINARY("\xFF\xC0\x80"), GOT_BINARY("\xC3\xC3"))},
    {"what could still become a character is waited for",
     .steps = STEPS(PEER(PART_OF(JZ_OPCODE_TEXT, 100, "a\xF4\x8F"))), .ends_under_way = true},
    {"what could still become a character in the next fragment is waited for",
     .steps = STEPS(PEER(TEXT_START("\xED\x9F"))), .ends_under_way = true},
};

static const session_row limits[] = {
    {"a message as large as allowed", .max_message_size = 5, .steps = STEPS(PEER(TEXT("Hello")), PEER(BINARY("World"))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_BINARY("World"))},
    {"fragments that are together as large as allowed", .max_message_size = 5,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CONTINUATION("lo")), PEER(CONTINUATION("")), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"each message has the whole limit", .max_message_size = 5,
     .steps = STEPS(PEER(TEXT_START("He")), PEER(LAST("llo")), PEER(BINARY_START("Wor")), PEER(LAST("ld"))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_BINARY("World"))},
    {"control frames have a limit of their own", .max_message_size = 1,
     .steps = STEPS(PEER(BINARY_START("x")), PEER(PONG_OF(REPEATED("p", 125))), PEER(LAST(""))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_PONG, REPEATED("p", 125)), GOT_BINARY("x"))},
    {"a large claim costs nothing where it is allowed", .max_message_size = SIZE_MAX,
     .steps = STEPS(PEER(BINARY_START("Hello")), PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, INT64_MAX, SHORTEST_LENGTH))),
     .ends_under_way = true},
};

int main(void)
{
    int failed = 0;
    failed += run_session_rows("the examples of RFC 6455, 5.7", examples_of_rfc_5_7, COUNT_OF(examples_of_rfc_5_7));
    failed += run_session_rows("whole messages", whole_messages, COUNT_OF(whole_messages));
    failed += run_session_rows("fragmented messages", fragmented_messages, COUNT_OF(fragmented_messages));
    failed += run_session_rows("control frames", control_frames, COUNT_OF(control_frames));
    failed += run_session_rows("texts", texts, COUNT_OF(texts));
    failed += run_session_rows("limits", limits, COUNT_OF(limits));
    return EXIT_STATUS_OF(failed);
}
