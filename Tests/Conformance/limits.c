/* Sizes (RFC 6455 §7.4.1, §10.4): up to 16 MiB, at the limit and one byte beyond it, and very many small parts. */
#include "jazzy/options.h"
#include "kinds.h"
#include "topics.h"

enum { LARGE = 16384, LARGEST = 16 << 20 };

static test_bytes of_length(size_t length)
{
    return (test_bytes)REPEATED("0123456789abcdef", length);
}

static void add_around_limit(topic *topic, size_t limit)
{
    const data_kind *kind = &data_kinds[limit % 2];
    bool is_large = limit >= LARGE;
    test_bytes all = of_length(limit);
    test_bytes start = of_length(limit - 1);
    test_bytes end = {start.pattern + start.total % 16, 1, 1};
    test_bytes none = of_length(0);
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%s as large as the limit of %zu bytes", kind->name, limit),
                            .steps = STEPS(peer_frame(true, kind->opcode, all)),
                            .events = EVENTS(got(kind->kind, all)),
                            .max_message_size = limit,
                            .is_large = is_large});
    topic_add(topic, (session_row){.name = topic_text(topic, "fragments as large as the limit of %zu bytes", limit),
                                   .steps = STEPS(peer_frame(false, kind->opcode, start),
                                                  peer_frame(false, JZ_OPCODE_CONTINUATION, end),
                                                  peer_frame(true, JZ_OPCODE_CONTINUATION, none)),
                                   .events = EVENTS(got(kind->kind, all)),
                                   .max_message_size = limit,
                                   .is_large = is_large});
    topic_add(topic,
              (session_row){.name = topic_text(topic, "the header of a byte more than the limit of %zu", limit),
                            .steps = STEPS(PEER(TEXT("x")), PEER(CLAIM_OF(kind->opcode, limit + 1, SHORTEST_LENGTH))),
                            .events = EVENTS(GOT_TEXT("x")),
                            .max_message_size = limit,
                            .fails_with_last_byte = true,
                            FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
    topic_add(topic,
              (session_row){.name = topic_text(topic, "the header of a fragment beyond the limit of %zu bytes", limit),
                            .steps = STEPS(peer_frame(false, kind->opcode, all),
                                           PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, 1, SHORTEST_LENGTH))),
                            .max_message_size = limit,
                            .is_large = is_large,
                            .fails_with_last_byte = true,
                            FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
    topic_add(topic, (session_row){.name = topic_text(topic, "the longest length with a limit of %zu bytes", limit),
                                   .steps = STEPS(PEER(CLAIM_OF(kind->opcode, INT64_MAX, SHORTEST_LENGTH))),
                                   .max_message_size = limit,
                                   .fails_with_last_byte = true,
                                   FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
}

/* A message beyond the limit that comes nevertheless, and what follows it. */
static void add_beyond_limit(topic *topic, size_t limit)
{
    test_bytes beyond = of_length(limit + 1);
    topic_add(topic, (session_row){.name = topic_text(topic, "all of a byte more than the limit of %zu", limit),
                                   .steps = STEPS(PEER(BINARY_OF(beyond)), PEER(TEXT("after")), PEER(PING("after"))),
                                   .max_message_size = limit,
                                   .is_large = limit >= LARGE,
                                   FAILS_WITH(JZ_FAILURE_MESSAGE_TOO_BIG)});
    test_bytes all = of_length(limit);
    topic_add(topic, (session_row){.name = topic_text(topic, "three messages as large as the limit of %zu", limit),
                                   .steps = STEPS(PEER(TEXT_OF(all)), PEER(BINARY_OF(all)), PEER(TEXT_OF(all))),
                                   .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, all), GOT_OF(JZ_MESSAGE_BINARY, all),
                                                    GOT_OF(JZ_MESSAGE_TEXT, all)),
                                   .max_message_size = limit,
                                   .is_large = limit >= LARGE});
    topic_add(topic,
              (session_row){
                  .name = topic_text(topic, "control frames do not count towards the limit of %zu", limit),
                  .steps = STEPS(PEER({.opcode = JZ_OPCODE_BINARY, .payload = all}), PEER(PING_OF(REPEATED("?", 125))),
                                 PEER(PONG_OF(REPEATED("!", 125))), PEER(LAST(""))),
                  .events = EVENTS(GOT_OF(JZ_MESSAGE_PING, REPEATED("?", 125)),
                                   GOT_OF(JZ_MESSAGE_PONG, REPEATED("!", 125)), GOT_OF(JZ_MESSAGE_BINARY, all)),
                  .max_message_size = limit,
                  .is_large = limit >= LARGE});
}

/* A message of `count` fragments of one byte, with `empties` empty ones behind each; and one more if `overflows`. */
static void add_small_fragments(topic *topic, size_t count, size_t empties, bool overflows)
{
    static const test_bytes byte = BYTES("x");
    static const test_bytes none = BYTES("");
    size_t frames = count * (1 + empties);
    session_step *steps = topic_allocate(topic, (frames + 1) * sizeof *steps);
    for (size_t i = 0; i < frames; i++)
        steps[i] = peer_frame(i + 1 == frames && !overflows, i == 0 ? JZ_OPCODE_TEXT : JZ_OPCODE_CONTINUATION,
                              i % (1 + empties) == 0 ? byte : none);
    steps[frames] = peer_frame(true, JZ_OPCODE_CONTINUATION, byte);
    const session_event message = GOT_OF(JZ_MESSAGE_TEXT, REPEATED("x", count));
    const char *between = empties > 0 ? topic_text(topic, " with %zu empty ones behind each", empties) : "";
    session_row row = {.name = topic_text(topic, "%zu fragments of a byte%s%s", count, between,
                                          overflows ? ", and one beyond the limit" : ""),
                       .steps = {steps, frames + (overflows ? 1 : 0)},
                       .events = {&message, overflows ? 0 : 1},
                       .max_message_size = count,
                       .is_large = frames > 1000};
    if (overflows) {
        row.failure = JZ_FAILURE_MESSAGE_TOO_BIG;
        row.failure_code = 1009;
    }
    topic_add(topic, row);
}

static void add_large(topic *topic, const data_kind *kind, size_t length, size_t fragment)
{
    size_t count = length / fragment;
    session_step *steps = topic_allocate(topic, count * sizeof *steps);
    for (size_t i = 0; i < count; i++)
        steps[i] =
            peer_frame(i + 1 == count, i == 0 ? kind->opcode : JZ_OPCODE_CONTINUATION, bytes_of_kind(kind, fragment));
    topic_add(topic, (session_row){.name = topic_text(topic, "%s of %zu KiB in %zu frame%s", kind->name, length / 1024,
                                                      count, count > 1 ? "s" : ""),
                                   .steps = {steps, count},
                                   .events = EVENTS(got(kind->kind, bytes_of_kind(kind, length))),
                                   .max_message_size = LARGEST,
                                   .is_large = true});
}

/* As clients send it that learn only after the last byte that it was the last: one more frame, with nothing in it. */
static void add_large_with_empty_end(topic *topic, const data_kind *kind, size_t length, size_t fragment)
{
    size_t count = length / fragment;
    session_step *steps = topic_allocate(topic, (count + 1) * sizeof *steps);
    for (size_t i = 0; i < count; i++)
        steps[i] = peer_frame(false, i == 0 ? kind->opcode : JZ_OPCODE_CONTINUATION, bytes_of_kind(kind, fragment));
    steps[count] = peer_frame(true, JZ_OPCODE_CONTINUATION, of_length(0));
    topic_add(topic, (session_row){.name = topic_text(topic, "%s of %zu KiB in fragments of %zu bytes and an empty end",
                                                      kind->name, length / 1024, fragment),
                                   .steps = {steps, count + 1},
                                   .events = EVENTS(got(kind->kind, bytes_of_kind(kind, length))),
                                   .max_message_size = LARGEST,
                                   .max_frames = jz_options_default().max_frames_per_message,
                                   .is_large = true});
}

static void add_many_messages(topic *topic, const data_kind *kind, size_t length)
{
    enum { COUNT = 1000 };
    session_step *steps = topic_allocate(topic, COUNT * sizeof *steps);
    session_event *events = topic_allocate(topic, COUNT * sizeof *events);
    for (size_t i = 0; i < COUNT; i++) {
        steps[i] = peer_frame(true, kind->opcode, bytes_of_kind(kind, length));
        events[i] = got(kind->kind, bytes_of_kind(kind, length));
    }
    topic_add(topic,
              (session_row){.name = topic_text(topic, "%d messages of %s, %zu bytes each", COUNT, kind->name, length),
                            .steps = {steps, COUNT},
                            .events = {events, COUNT},
                            .is_large = true});
}

void add_limit_rows(topic *topic)
{
    static const size_t limits[] = {1, 125, 126, 1000, 65535, 65536, 1 << 20, LARGEST};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        add_around_limit(topic, limits[i]);
        if (limits[i] <= 65536)
            add_beyond_limit(topic, limits[i]);
    }
    add_small_fragments(topic, 1000, 0, false);
    add_small_fragments(topic, 1000, 0, true);
    add_small_fragments(topic, 65536, 0, false);
    add_small_fragments(topic, 1, 10000, false);
    add_small_fragments(topic, 125, 100, false);
    add_small_fragments(topic, 125, 100, true);
    for (size_t i = 0; i < COUNT_OF(data_kinds); i++) {
        static const size_t lengths[] = {256 << 10, 1 << 20, 4 << 20, 8 << 20};
        static const size_t fragments[] = {64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10};
        static const size_t small[] = {0, 16, 64, 256, 1024};
        for (size_t k = 0; k < COUNT_OF(lengths); k++)
            add_large(topic, &data_kinds[i], lengths[k], lengths[k]);
        for (size_t k = 0; k < COUNT_OF(fragments); k++)
            add_large(topic, &data_kinds[i], 1 << 20, fragments[k]);
        add_large(topic, &data_kinds[i], 4 << 20, 1 << 10);
        add_large_with_empty_end(topic, &data_kinds[i], 4 << 20, 64);
        for (size_t k = 0; k < COUNT_OF(small); k++)
            add_many_messages(topic, &data_kinds[i], small[k]);
    }
}
