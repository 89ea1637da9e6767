/* Closing (RFC 6455 §5.5.1, §7.1): payloads and reasons of close frames, what surrounds them, and both sides. */
#include "topics.h"

#define CLOSED_WITH(code, ...)                                                                                         \
    {                                                                                                                  \
        .type = JZ_EVENT_CLOSE, .close_code = (code), .was_clean = true, .bytes = __VA_ARGS__                          \
    }

static void add_payload_lengths(topic *topic)
{
    static const char payload[] =
        "\x03\xE8 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
        "0123456789 0123456789 0123456789 0123456789 ...";
    for (size_t length = 0; length <= 125; length = length < 5 ? length + 1 : length + 12) {
        size_t reason = length > 2 ? length - 2 : 0;
        session_row row = {
            .name = topic_text(topic, "a close of %zu bytes", length),
            .steps = STEPS(PEER({.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = {payload, length, length}}),
                           PEER(TEXT("after"))),
            .events = EVENTS(CLOSED_WITH(length == 0 ? 1005 : 1000, {payload + 2, reason, reason}))};
        if (length == 1) {
            row.events.count = 0;
            row.failure = JZ_FAILURE_INVALID_CLOSE_LENGTH;
            row.failure_code = 1002;
        }
        topic_add(topic, row);
    }
    static const char *const halves[] = {"\x01", "\x03", "\x10", "\xFF"};
    for (size_t i = 0; i < COUNT_OF(halves); i++)
        topic_add(
            topic,
            (session_row){.name = topic_text(topic, "half a code, %02X", (uint8_t)halves[i][0]),
                          .steps = STEPS(PEER({.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = {halves[i], 1, 1}})),
                          .fails_with_last_byte = true,
                          FAILS_WITH(JZ_FAILURE_INVALID_CLOSE_LENGTH)});
}

typedef struct reason {
    const char *name;
    test_bytes bytes;
    bool is_utf8;
} reason;

static const reason reasons[] = {
    {"of ASCII", BYTES("going away"), true},
    {"with NUL", BYTES("a\0b"), true},
    {"of characters of every length", BYTES("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB7"), true},
    {"of 41 characters of three bytes", REPEATED("\xE2\x82\xAC", 123), true},
    {"that ends with U+10FFFF", BYTES("\xF4\x8F\xBF\xBF"), true},
    {"that is no character", BYTES("\xEF\xBF\xBE"), true},
    {"with a stray continuation byte", BYTES("a\x80"), false},
    {"with the byte FF", BYTES("a\xFF"), false},
    {"with a slash in two bytes", BYTES("\xC0\xAF"), false},
    {"with a slash in three bytes", BYTES("\xE0\x80\xAF"), false},
    {"with a surrogate", BYTES("\xED\xA0\x80"), false},
    {"with a code point that is too high", BYTES("\xF4\x90\x80\x80"), false},
    {"that ends within a character", BYTES("a\xE2\x82"), false},
    {"that ends within a character, of 123 bytes", REPEATED("\xF0\x9F\x8E\xB7", 123), false},
    {"in Latin-1", BYTES("adi\xF3s"), false},
};

static void add_reason(topic *topic, const reason *reason)
{
    const session_event events[] = {GOT_TEXT("before"), CLOSED_WITH(1000, reason->bytes)};
    session_row row = {.name = topic_text(topic, "a reason %s", reason->name),
                       .steps = STEPS(PEER(TEXT("before")), PEER(CLOSE_OF(1000, reason->bytes))),
                       .events = {events, reason->is_utf8 ? 2 : 1}};
    if (!reason->is_utf8) {
        row.failure = JZ_FAILURE_INVALID_UTF8;
        row.failure_code = 1007;
    }
    topic_add(topic, row);
}

/* §1.4, §5.5.1: input behind a close frame is ignored. */
static void add_traffic_behind(topic *topic)
{
    static const struct {
        const char *name;
        test_frame frame;
    } behind[] = {
        {"a text", TEXT("after")},
        {"a binary message", BINARY("after")},
        {"a first fragment", TEXT_START("after")},
        {"a continuation", LAST("after")},
        {"a ping", PING("after")},
        {"a pong", PONG("after")},
        {"the same close", CLOSE(1000, "")},
        {"another close", CLOSE(1001, "after")},
        {"a close that breaks the rules", CLOSE(1005, "")},
        {"a text that is not UTF-8", TEXT("\xFF")},
        {"a frame that is not masked", RAW("\x81\x05"
                                           "after")},
        {"an opcode that is reserved", {.fin = true, .opcode = 3}},
        {"bytes that are no frame", RAW("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
        {"half a header", RAW("\x81")},
        {"a message of 70,000 bytes", BINARY_OF(REPEATED("x", 70000))},
    };
    for (size_t i = 0; i < COUNT_OF(behind); i++) {
        topic_add(topic, (session_row){.name = topic_text(topic, "a close, and behind it %s", behind[i].name),
                                       .steps = STEPS(PEER(CLOSE(1000, "bye")), PEER(behind[i].frame)),
                                       .events = EVENTS(CLOSED_CLEANLY(1000, "bye")),
                                       .is_large = behind[i].frame.payload.total > 1000});
        topic_add(topic,
                  (session_row){.name = topic_text(topic, "a close without a code, and behind it %s", behind[i].name),
                                .steps = STEPS(PEER(CLOSE_WITHOUT_CODE), PEER(behind[i].frame)),
                                .events = EVENTS(CLOSED_CLEANLY(1005, "")),
                                .is_large = behind[i].frame.payload.total > 1000});
    }
}

static const session_row closed_by_the_peer[] = {
    {.name = "a close behind a message",
     .steps = STEPS(PEER(TEXT("one")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(GOT_TEXT("one"), CLOSED_CLEANLY(1000, ""))},
    {.name = "a close behind many messages",
     .steps =
         STEPS(PEER(TEXT("one")), PEER(BINARY("two")), PEER(PING("three")), PEER(TEXT("")), PEER(CLOSE(3000, "four"))),
     .events =
         EVENTS(GOT_TEXT("one"), GOT_BINARY("two"), GOT_PING("three"), GOT_TEXT(""), CLOSED_CLEANLY(3000, "four"))},
    {.name = "a close behind a large message",
     .steps = STEPS(PEER(BINARY_OF(REPEATED("large", 262144))), PEER(CLOSE(1000, ""))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_BINARY, REPEATED("large", 262144)), CLOSED_CLEANLY(1000, "")),
     .is_large = true},
    {.name = "a close behind a first fragment",
     .steps = STEPS(PEER(TEXT_START("one")), PEER(CLOSE(1000, "")), PEER(LAST("two"))),
     .events = EVENTS(CLOSED_CLEANLY(1000, ""))},
    {.name = "a close behind an empty first fragment",
     .steps = STEPS(PEER(BINARY_START("")), PEER(CLOSE_WITHOUT_CODE)),
     .events = EVENTS(CLOSED_CLEANLY(1005, ""))},
    {.name = "a close between the last fragments",
     .steps = STEPS(PEER(TEXT_START("one")), PEER(CONTINUATION("two")), PEER(CLOSE(1001, "bye")), PEER(LAST("three"))),
     .events = EVENTS(CLOSED_CLEANLY(1001, "bye"))},
    {.name = "a close within a character",
     .steps = STEPS(PEER(TEXT_START("\xE2\x82")), PEER(CLOSE(1000, "")), PEER(LAST("\xAC"))),
     .events = EVENTS(CLOSED_CLEANLY(1000, ""))},
    {.name = "a close behind a ping between fragments",
     .steps = STEPS(PEER(TEXT_START("one")), PEER(PING("?")), PEER(CLOSE(1000, "")), PEER(PING("!"))),
     .events = EVENTS(GOT_PING("?"), CLOSED_CLEANLY(1000, ""))},
};

/* The server closes; each row has its output. */
static const session_row closed_by_us[] = {
    {.name = "our close and the answer",
     .steps = STEPS(WE_CLOSE(1000, "bye", JZ_SEND_SENT), PEER(CLOSE(1000, "bye"))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "bye")),
     .output = FRAMES(CLOSE(1000, "bye"))},
    {.name = "our close and an answer with another code",
     .steps = STEPS(WE_CLOSE(1001, "", JZ_SEND_SENT), PEER(CLOSE(4999, "ok"))),
     .events = EVENTS(CLOSED_CLEANLY(4999, "ok")),
     .output = FRAMES(CLOSE(1001, ""))},
    {.name = "our close and an answer without a code",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(CLOSE_WITHOUT_CODE)),
     .events = EVENTS(CLOSED_CLEANLY(1005, "")),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "our close and an answer with half a code",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT),
                    PEER({.fin = true, .opcode = JZ_OPCODE_CLOSE, .payload = BYTES("\x03")})),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_INVALID_CLOSE_LENGTH), CLOSED_UNCLEANLY(1002)),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "our close and an answer with code 1006",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(CLOSE(1006, ""))),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_INVALID_CLOSE_CODE), CLOSED_UNCLEANLY(1002)),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "our close and an answer that is not UTF-8",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(CLOSE(1000, "\xFF"))),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_INVALID_UTF8), CLOSED_UNCLEANLY(1007)),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "both sides close at the same time",
     .steps =
         STEPS(PEER(TEXT_START("a")), WE_CLOSE(1001, "", JZ_SEND_SENT), PEER(CLOSE(1000, "")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(CLOSE(1001, ""))},
    {.name = "messages on their way to us when we close are dropped",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(TEXT("a")), PEER(BINARY_START("b")), PEER(PONG("?")),
                    PEER(LAST("c")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "pings on their way to us when we close are answered",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER(PING("1")), PEER(PING("2")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(CLOSE(1000, ""), PONG("1"), PONG("2"))},
    {.name = "a rule that is broken after our close",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), PEER({.fin = true, .opcode = 3}), PEER(CLOSE(1000, ""))),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_RESERVED_OPCODE), CLOSED_UNCLEANLY(1002)),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "nothing is sent behind our close",
     .steps =
         STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), SEND(JZ_MESSAGE_TEXT, "a", JZ_SEND_CLOSED),
               SEND(JZ_MESSAGE_PING, "b", JZ_SEND_CLOSED), WE_CLOSE(1001, "", JZ_SEND_CLOSED), PEER(CLOSE(1000, ""))),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "nothing is sent behind the answer to a close",
     .steps =
         STEPS(PEER(CLOSE(1000, "")), SEND(JZ_MESSAGE_TEXT, "a", JZ_SEND_CLOSED), WE_CLOSE(1000, "", JZ_SEND_CLOSED)),
     .events = EVENTS(CLOSED_CLEANLY(1000, "")),
     .output = FRAMES(CLOSE(1000, ""))},
    {.name = "nothing is sent behind a broken rule",
     .steps = STEPS(SEND(JZ_MESSAGE_TEXT, "a", JZ_SEND_SENT), PEER(CLOSE(1005, "")),
                    SEND(JZ_MESSAGE_TEXT, "b", JZ_SEND_CLOSED)),
     .events = EVENTS(GOT_ERROR(JZ_FAILURE_INVALID_CLOSE_CODE), CLOSED_UNCLEANLY(1002)),
     .output = FRAMES(TEXT("a"), CLOSE(1002, "the close code may not be sent"))},
    {.name = "no answer to our close before the stream ends",
     .steps = STEPS(WE_CLOSE(1000, "", JZ_SEND_SENT), CONNECTION_ENDS(JZ_FAILURE_NONE)),
     .events = EVENTS(CLOSED_UNCLEANLY(1006)),
     .output = FRAMES(CLOSE(1000, ""))},
};

void add_closing_rows(topic *topic)
{
    add_payload_lengths(topic);
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        add_reason(topic, &reasons[i]);
    add_traffic_behind(topic);
    for (size_t i = 0; i < COUNT_OF(closed_by_the_peer); i++)
        topic_add(topic, closed_by_the_peer[i]);
    for (size_t i = 0; i < COUNT_OF(closed_by_us); i++)
        topic_add(topic, closed_by_us[i]);
}
