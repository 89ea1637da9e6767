/* Payload lengths in their three encodings (RFC 6455 §5.2): every boundary, and encodings that are not the shortest. */
#include "kinds.h"
#include "topics.h"

enum { LARGE = 16384 };

static void add_lengths(topic *topic, const data_kind *kind)
{
    static const size_t lengths[] = {0,   1,    2,    3,    124,   125,   126,   127,   128,   129,   255,    256,
                                     257, 1000, 1023, 1024, 32767, 32768, 65534, 65535, 65536, 65537, 131071, 131072};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        test_bytes payload = bytes_of_kind(kind, lengths[i]);
        topic_add(topic, (session_row){.name = topic_text(topic, "%s of %zu bytes", kind->name, lengths[i]),
                                       .steps = STEPS(peer_frame(true, kind->opcode, payload)),
                                       .events = EVENTS(got(kind->kind, payload)),
                                       .is_large = lengths[i] >= LARGE});
    }
}

/* Where a frame with this opcode may stand, but for its length: a continuation needs a message to continue. */
static void add_bad_length(topic *topic, const char *name, uint8_t opcode, uint64_t length, test_length_form form,
                           jz_failure failure)
{
    /* A claim of 0 would mean: as long as the payload, which is empty. */
    const session_step steps[] = {
        PEER(TEXT_START("a")),
        PEER({.fin = true, .opcode = opcode, .claimed_length = length, .length_form = form}),
    };
    size_t skipped = opcode == JZ_OPCODE_CONTINUATION ? 0 : 1;
    topic_add(topic, (session_row){.name = name,
                                   .steps = {steps + skipped, COUNT_OF(steps) - skipped},
                                   .fails_with_last_byte = true,
                                   FAILS_WITH(failure)});
}

typedef struct bad_length {
    uint64_t length;
    test_length_form form;
} bad_length;

static void add_lengths_that_are_not_minimal(topic *topic, const char *name, uint8_t opcode, bool is_control)
{
    static const bad_length lengths[] = {
        {0, LENGTH_OF_16_BITS},   {1, LENGTH_OF_16_BITS},   {64, LENGTH_OF_16_BITS},    {125, LENGTH_OF_16_BITS},
        {0, LENGTH_OF_64_BITS},   {1, LENGTH_OF_64_BITS},   {125, LENGTH_OF_64_BITS},   {126, LENGTH_OF_64_BITS},
        {127, LENGTH_OF_64_BITS}, {256, LENGTH_OF_64_BITS}, {65534, LENGTH_OF_64_BITS}, {65535, LENGTH_OF_64_BITS},
    };
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        bool is_too_long = is_control && lengths[i].length > 125;
        if (!is_too_long)
            add_bad_length(topic,
                           topic_text(topic, "%s of %u bytes with its length in %d bits", name,
                                      (unsigned)lengths[i].length, lengths[i].form == LENGTH_OF_16_BITS ? 16 : 64),
                           opcode, lengths[i].length, lengths[i].form, JZ_FAILURE_LENGTH_NOT_MINIMAL);
    }
}

/* The most significant bit of a length of 64 bits must be 0. */
static void add_lengths_with_the_first_bit_set(topic *topic, const char *name, uint8_t opcode)
{
    static const uint64_t lengths[] = {UINT64_C(1) << 63, (UINT64_C(1) << 63) + 5, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        add_bad_length(topic, topic_text(topic, "%s with length %llX", name, (unsigned long long)lengths[i]), opcode,
                       lengths[i], LENGTH_OF_64_BITS, JZ_FAILURE_LENGTH_TOO_LARGE);
}

void add_length_rows(topic *topic)
{
    for (size_t i = 0; i < COUNT_OF(data_kinds); i++)
        add_lengths(topic, &data_kinds[i]);
    add_lengths_that_are_not_minimal(topic, "text", JZ_OPCODE_TEXT, false);
    add_lengths_that_are_not_minimal(topic, "binary", JZ_OPCODE_BINARY, false);
    add_lengths_that_are_not_minimal(topic, "continuation", JZ_OPCODE_CONTINUATION, false);
    add_lengths_that_are_not_minimal(topic, "ping", JZ_OPCODE_PING, true);
    add_lengths_that_are_not_minimal(topic, "pong", JZ_OPCODE_PONG, true);
    add_lengths_that_are_not_minimal(topic, "close", JZ_OPCODE_CLOSE, true);
    add_lengths_with_the_first_bit_set(topic, "text", JZ_OPCODE_TEXT);
    add_lengths_with_the_first_bit_set(topic, "binary", JZ_OPCODE_BINARY);
    add_lengths_with_the_first_bit_set(topic, "continuation", JZ_OPCODE_CONTINUATION);
}
