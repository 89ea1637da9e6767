/*
 * Fragmentation (RFC 6455 §5.4) in every order: all sequences of three frames of seven kinds. The expected result
 * follows from the two rules of that section alone, in expect_of.
 */
#include "kinds.h"
#include "topics.h"

enum { SEQUENCE = 3 };

typedef struct frame_sort {
    const char *name;
    uint8_t opcode;
    bool fin;
} frame_sort;

static const frame_sort sorts[] = {
    {"text", JZ_OPCODE_TEXT, true},
    {"text start", JZ_OPCODE_TEXT, false},
    {"binary", JZ_OPCODE_BINARY, true},
    {"binary start", JZ_OPCODE_BINARY, false},
    {"continuation", JZ_OPCODE_CONTINUATION, false},
    {"last", JZ_OPCODE_CONTINUATION, true},
    {"ping", JZ_OPCODE_PING, true},
};

/* The result of a sequence so far. */
typedef struct expectation {
    session_event events[SEQUENCE];
    size_t event_count;
    uint8_t open; /* the opcode of the message that has begun and not ended */
    char text[SEQUENCE];
    size_t text_length; /* of that message */
    jz_failure failure;
} expectation;

static void expect_event(topic *topic, expectation *e, jz_message_kind kind, const char *text, size_t length)
{
    e->events[e->event_count++] = got(kind, topic_bytes(topic, text, length));
}

static void expect_of(topic *topic, expectation *e, const frame_sort *sort, char payload)
{
    if (sort->opcode == JZ_OPCODE_PING) {
        expect_event(topic, e, JZ_MESSAGE_PING, &payload, 1);
    } else if (sort->opcode == JZ_OPCODE_CONTINUATION && e->open == 0) {
        e->failure = JZ_FAILURE_UNEXPECTED_CONTINUATION;
    } else if (sort->opcode != JZ_OPCODE_CONTINUATION && e->open != 0) {
        e->failure = JZ_FAILURE_EXPECTED_CONTINUATION;
    } else {
        uint8_t opcode = e->open != 0 ? e->open : sort->opcode;
        e->text[e->text_length++] = payload;
        e->open = sort->fin ? 0 : opcode;
        if (sort->fin) {
            jz_message_kind kind = opcode == JZ_OPCODE_TEXT ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY;
            expect_event(topic, e, kind, e->text, e->text_length);
            e->text_length = 0;
        }
    }
}

static void add_sequence(topic *topic, const frame_sort *const sequence[SEQUENCE])
{
    static const char payloads[SEQUENCE] = {'a', 'b', 'c'};
    session_step steps[SEQUENCE];
    expectation e = {0};
    for (size_t i = 0; i < SEQUENCE; i++) {
        steps[i] = peer_frame(sequence[i]->fin, sequence[i]->opcode, (test_bytes){&payloads[i], 1, 1});
        if (e.failure == JZ_FAILURE_NONE)
            expect_of(topic, &e, sequence[i], payloads[i]);
    }
    session_row row = {.name = topic_text(topic, "%s, %s, %s", sequence[0]->name, sequence[1]->name, sequence[2]->name),
                       .steps = {steps, SEQUENCE},
                       .events = {e.events, e.event_count},
                       .ends_under_way = e.failure == JZ_FAILURE_NONE && e.open != 0,
                       .failure = e.failure,
                       .failure_code = e.failure != JZ_FAILURE_NONE ? failure_code_of(e.failure) : 0};
    topic_add(topic, row);
}

void add_fragment_order_rows(topic *topic)
{
    size_t count = COUNT_OF(sorts);
    for (size_t i = 0; i < count * count * count; i++) {
        const frame_sort *const sequence[SEQUENCE] = {&sorts[i / count / count], &sorts[i / count % count],
                                                      &sorts[i % count]};
        add_sequence(topic, sequence);
    }
}
