/* Frames and masks (RFC 6455 §5.1-§5.3): many at once, partial frames, and unmasked frames. */
#include "kinds.h"
#include "topics.h"

static void add_many_messages_at_once(topic *topic)
{
    static const size_t counts[] = {2, 10, 100, 1000};
    static const test_bytes word = BYTES("message");
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        session_step *steps = topic_allocate(topic, counts[i] * sizeof *steps);
        session_event *events = topic_allocate(topic, counts[i] * sizeof *events);
        for (size_t number = 0; number < counts[i]; number++) {
            const data_kind *kind = &data_kinds[number % 2];
            steps[number] = peer_frame(true, kind->opcode, word);
            events[number] = got(kind->kind, word);
        }
        topic_add(topic, (session_row){.name = topic_text(topic, "%zu messages at once", counts[i]),
                                       .steps = {steps, counts[i]},
                                       .events = {events, counts[i]},
                                       .is_large = counts[i] == 1000});
    }
}

static void add_masking_keys(topic *topic)
{
    static const uint8_t keys[][4] = {{0, 0, 0, 0}, {255, 255, 255, 255}, {1, 2, 3, 4},       {128, 0, 0, 0},
                                      {0, 0, 0, 1}, {'l', 'e', 't', 't'}, {0x88, 0, 0x81, 0}, {0x37, 0xFA, 0x21, 0x3D}};
    static const size_t lengths[] = {1, 7, 125, 300};
    for (size_t i = 0; i < COUNT_OF(keys) * COUNT_OF(lengths); i++) {
        const uint8_t *key = keys[i / COUNT_OF(lengths)];
        size_t length = lengths[i % COUNT_OF(lengths)];
        test_frame frame = {.fin = true,
                            .opcode = JZ_OPCODE_TEXT,
                            .masking = MASKED_WITH_ITS_KEY,
                            .payload = REPEATED("letters ", length)};
        memcpy(frame.key, key, 4);
        topic_add(topic, (session_row){.name = topic_text(topic, "%zu bytes masked with %02X %02X %02X %02X", length,
                                                          key[0], key[1], key[2], key[3]),
                                       .steps = STEPS(PEER(frame)),
                                       .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, frame.payload))});
    }
}

static void add_unmasked_frames(topic *topic)
{
    static const struct {
        const char *name;
        test_frame frame;
    } unmasked[] = {
        {"text", TEXT("Hello")},
        {"an empty text", TEXT("")},
        {"a first fragment", TEXT_START("Hel")},
        {"binary", BINARY("Hello")},
        {"an empty binary message", BINARY("")},
        {"binary with a length of 16 bits", BINARY_OF(REPEATED("x", 126))},
        {"binary with a length of 64 bits", BINARY_OF(REPEATED("x", 65536))},
        {"a ping", PING("Hello")},
        {"an empty ping", PING("")},
        {"a pong", PONG("Hello")},
        {"an empty pong", PONG("")},
        {"a close with a code", CLOSE(1000, "")},
        {"a close without a code", CLOSE_WITHOUT_CODE},
    };
    for (size_t i = 0; i < COUNT_OF(unmasked); i++) {
        test_frame frame = unmasked[i].frame;
        frame.masking = NEVER_MASKED;
        topic_add(topic,
                  (session_row){.name = topic_text(topic, "%s that is not masked", unmasked[i].name),
                                .steps = STEPS(PEER(TEXT("before")), PEER(frame), PEER(TEXT("after")), PEER(PING("?"))),
                                .events = EVENTS(GOT_TEXT("before")),
                                FAILS_WITH(JZ_FAILURE_NOT_MASKED)});
    }
    test_frame last = LAST("lo");
    last.masking = NEVER_MASKED;
    topic_add(topic, (session_row){.name = "a last fragment that is not masked",
                                   .steps = STEPS(PEER(TEXT_START("Hel")), PEER(last)),
                                   FAILS_WITH(JZ_FAILURE_NOT_MASKED)});
}

/* A peer that stops within a frame is waited for. */
static void add_parts_of_frames(topic *topic)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t length;
    } frames[] = {
        {"a text of 3 bytes", "\x81\x83\x01\x02\x03\x04zyx", 9},
        {"a binary message of 126 bytes", "\x82\xFE\x00\x7E\x01\x02\x03\x04zyxw", 12},
        {"a binary message of 65,536 bytes", "\x82\xFF\0\0\0\0\0\x01\0\0\x01\x02\x03\x04z", 15},
        {"a ping of 3 bytes", "\x89\x83\x01\x02\x03\x04zyx", 9},
        {"a close", "\x88\x82\x01\x02\x03\x04\x02\xEA", 8},
    };
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        for (size_t length = 1; length < frames[i].length; length++) {
            test_frame part = {.is_raw = true, .payload = {frames[i].bytes, length, length}};
            topic_add(topic,
                      (session_row){.name = topic_text(topic, "the first %zu bytes of %s", length, frames[i].name),
                                    .steps = STEPS(PEER(TEXT("before")), PEER(part)),
                                    .events = EVENTS(GOT_TEXT("before")),
                                    .ends_under_way = true});
        }
    }
}

void add_framing_rows(topic *topic)
{
    topic_add(topic, (session_row){.name = "nothing at all", .steps = STEPS(PEER(RAW("")))});
    add_many_messages_at_once(topic);
    add_masking_keys(topic);
    add_unmasked_frames(topic);
    add_parts_of_frames(topic);
}
