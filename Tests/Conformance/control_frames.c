/* Pings and pongs (RFC 6455 §5.5): every length, bursts, between messages and between fragments. */
#include "kinds.h"
#include "topics.h"

typedef struct control_kind {
    const char *name;
    uint8_t opcode;
    jz_message_kind kind;
} control_kind;

static const control_kind control_kinds[] = {
    {"ping", JZ_OPCODE_PING, JZ_MESSAGE_PING},
    {"pong", JZ_OPCODE_PONG, JZ_MESSAGE_PONG},
};

static void add_payloads(topic *topic, const control_kind *kind)
{
    static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 16, 63, 64, 124, 125};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        test_bytes payload = REPEATED("payload ", lengths[i]);
        topic_add(topic, (session_row){.name = topic_text(topic, "a %s of %zu bytes", kind->name, lengths[i]),
                                       .steps = STEPS(peer_frame(true, kind->opcode, payload)),
                                       .events = EVENTS(got(kind->kind, payload))});
    }
    static const struct {
        const char *name;
        test_bytes payload;
    } payloads[] = {
        {"bytes that are no UTF-8", BYTES("\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF")},
        {"a stray continuation byte", BYTES("\x80")},
        {"half a character", BYTES("\xE2\x82")},
        {"125 bytes that are no UTF-8", REPEATED("\xFE", 125)},
        {"a frame", BYTES("\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58")},
    };
    for (size_t i = 0; i < COUNT_OF(payloads); i++)
        topic_add(topic, (session_row){.name = topic_text(topic, "a %s with %s", kind->name, payloads[i].name),
                                       .steps = STEPS(peer_frame(true, kind->opcode, payloads[i].payload)),
                                       .events = EVENTS(got(kind->kind, payloads[i].payload))});
}

/* §5.5: at most 125 bytes, and not fragmented. Nothing after a violation is handled. */
static void add_what_breaks_rules(topic *topic, const char *name, uint8_t opcode)
{
    static const size_t too_long[] = {126, 127, 128, 1000, 65535, 65536};
    for (size_t i = 0; i < COUNT_OF(too_long); i++) {
        test_bytes payload = REPEATED("\x03\xE8"
                                      "reason",
                                      too_long[i]);
        topic_add(topic, (session_row){.name = topic_text(topic, "a %s of %zu bytes", name, too_long[i]),
                                       .steps = STEPS(peer_frame(true, opcode, payload), PEER(PING("after"))),
                                       .is_large = too_long[i] > 1000,
                                       FAILS_WITH(JZ_FAILURE_CONTROL_TOO_LONG)});
        topic_add(topic, (session_row){.name = topic_text(topic, "the header of a %s of %zu bytes", name, too_long[i]),
                                       .steps = STEPS(PEER(CLAIM_OF(opcode, too_long[i], SHORTEST_LENGTH))),
                                       .fails_with_last_byte = true,
                                       FAILS_WITH(JZ_FAILURE_CONTROL_TOO_LONG)});
    }
    static const test_bytes some = BYTES("\x03\xE8");
    static const test_bytes none = BYTES("");
    topic_add(topic, (session_row){.name = topic_text(topic, "a %s without FIN", name),
                                   .steps = STEPS(peer_frame(false, opcode, some), PEER(LAST("")), PEER(TEXT("after"))),
                                   FAILS_WITH(JZ_FAILURE_CONTROL_FRAGMENTED)});
    topic_add(topic, (session_row){.name = topic_text(topic, "an empty %s without FIN", name),
                                   .steps = STEPS(peer_frame(false, opcode, none), PEER(TEXT("after"))),
                                   FAILS_WITH(JZ_FAILURE_CONTROL_FRAGMENTED)});
    topic_add(topic,
              (session_row){.name = topic_text(topic, "a %s without FIN between fragments", name),
                            .steps = STEPS(PEER(TEXT_START("a")), peer_frame(false, opcode, some), PEER(LAST("b"))),
                            FAILS_WITH(JZ_FAILURE_CONTROL_FRAGMENTED)});
}

/* Some of them in one go: each ping is answered, in order. */
static void add_bursts(topic *topic, const control_kind *kind)
{
    static const size_t lengths[] = {0, 1, 5, 125};
    static const size_t counts[] = {10, 100};
    for (size_t i = 0; i < COUNT_OF(lengths) * COUNT_OF(counts); i++) {
        size_t length = lengths[i / COUNT_OF(counts)];
        size_t count = counts[i % COUNT_OF(counts)];
        session_step *steps = topic_allocate(topic, count * sizeof *steps);
        session_event *events = topic_allocate(topic, count * sizeof *events);
        for (size_t number = 0; number < count; number++) {
            const char *text = topic_text(topic, "%zu, ", number);
            test_bytes payload = {text, strlen(text), length};
            steps[number] = peer_frame(true, kind->opcode, payload);
            events[number] = got(kind->kind, payload);
        }
        topic_add(topic,
                  (session_row){.name = topic_text(topic, "%zu %ss of %zu bytes at once", count, kind->name, length),
                                .steps = {steps, count},
                                .events = {events, count},
                                .is_large = count > 10});
    }
}

/* §5.4: control frames may come between fragments, and are handled there. */
static void add_between_fragments(topic *topic, const data_kind *data, const control_kind *control, size_t count)
{
    enum { FRAGMENTS = 4, MOST = 10 };
    for (size_t gap = 1; gap < FRAGMENTS; gap++) {
        session_step steps[FRAGMENTS + MOST];
        session_event events[MOST + 1];
        size_t step_count = 0;
        test_bytes fragment = bytes_of_kind(data, 8);
        test_bytes payload = BYTES("between");
        for (size_t i = 0; i < FRAGMENTS; i++) {
            for (size_t number = 0; i == gap && number < count; number++) {
                steps[step_count++] = peer_frame(true, control->opcode, payload);
                events[number] = got(control->kind, payload);
            }
            steps[step_count++] =
                peer_frame(i == FRAGMENTS - 1, i == 0 ? data->opcode : JZ_OPCODE_CONTINUATION, fragment);
        }
        events[count] = got(data->kind, bytes_of_kind(data, FRAGMENTS * fragment.total));
        topic_add(topic,
                  (session_row){.name = topic_text(topic, "%zu %s%s between fragments %zu and %zu of %s", count,
                                                   control->name, count > 1 ? "s" : "", gap, gap + 1, data->name),
                                .steps = {steps, step_count},
                                .events = {events, count + 1}});
    }
}

static const session_row others[] = {
    {.name = "a pong that nobody asked for, and then a ping",
     .steps = STEPS(PEER(PONG("unasked")), PEER(PING("asked"))),
     .events = EVENTS(GOT_PONG("unasked"), GOT_PING("asked"))},
    {.name = "a pong with the payload of no ping",
     .steps = STEPS(PEER(PING("1")), PEER(PONG("2")), PEER(PING("3"))),
     .events = EVENTS(GOT_PING("1"), GOT_PONG("2"), GOT_PING("3"))},
    {.name = "pings before, between and after messages",
     .steps = STEPS(PEER(PING("1")), PEER(TEXT("one")), PEER(PING("2")), PEER(BINARY("two")), PEER(PING("3"))),
     .events = EVENTS(GOT_PING("1"), GOT_TEXT("one"), GOT_PING("2"), GOT_BINARY("two"), GOT_PING("3"))},
    {.name = "a ping in every gap, also between empty fragments",
     .steps = STEPS(PEER(TEXT_START("")), PEER(PING("1")), PEER(CONTINUATION("")), PEER(PING("2")),
                    PEER(CONTINUATION("a")), PEER(PING("3")), PEER(LAST(""))),
     .events = EVENTS(GOT_PING("1"), GOT_PING("2"), GOT_PING("3"), GOT_TEXT("a"))},
    {.name = "a ping within a character that fragments cut",
     .steps = STEPS(PEER(TEXT_START("\xE2\x82")), PEER(PING("\xE2\x82")), PEER(LAST("\xAC"))),
     .events = EVENTS(GOT_PING("\xE2\x82"), GOT_TEXT("\xE2\x82\xAC"))},
    {.name = "a ping before a close",
     .steps = STEPS(PEER(PING("?")), PEER(CLOSE(1000, ""))),
     .events = EVENTS(GOT_PING("?"), CLOSED_CLEANLY(1000, ""))},
    {.name = "pings between fragments of a message that never ends",
     .steps = STEPS(PEER(TEXT_START("a")), PEER(PING("1")), PEER(CONTINUATION("b")), PEER(PING("2"))),
     .events = EVENTS(GOT_PING("1"), GOT_PING("2")),
     .ends_under_way = true},
};

void add_control_frame_rows(topic *topic)
{
    for (size_t i = 0; i < COUNT_OF(control_kinds); i++) {
        const control_kind *kind = &control_kinds[i];
        add_payloads(topic, kind);
        add_what_breaks_rules(topic, kind->name, kind->opcode);
        add_bursts(topic, kind);
        for (size_t k = 0; k < COUNT_OF(data_kinds); k++) {
            add_between_fragments(topic, &data_kinds[k], kind, 1);
            add_between_fragments(topic, &data_kinds[k], kind, 10);
        }
    }
    add_what_breaks_rules(topic, "close", JZ_OPCODE_CLOSE);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        topic_add(topic, others[i]);
}
