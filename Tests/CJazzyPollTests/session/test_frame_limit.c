/*
 * How many frames one message may have: `max_frames`, and one more for each byte of its payload. Against messages of
 * very many frames with nothing in them; a message whose frames all bring something is never too many frames.
 */
#include "session/frame_rules.h"
#include "session/incoming.h"
#include "support/session_row.h"
#include "support/testing.h"

#define FAILS_HERE FAILS(JZ_FAILURE_TOO_MANY_FRAMES, 1009)

static const session_row one_frame[] = {
    {"one frame where one is allowed", .max_frames = 1, .steps = STEPS(PEER(TEXT("Hello")), PEER(BINARY("World"))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_BINARY("World"))},
    {"an empty frame where one is allowed", .max_frames = 1, .steps = STEPS(PEER(TEXT("")), PEER(BINARY(""))),
     .events = EVENTS(GOT_TEXT(""), GOT_BINARY(""))},
    {"the start of a message is not too much yet", .max_frames = 1, .steps = STEPS(PEER(TEXT_START("Hel"))),
     .ends_under_way = true},
    {"frames of a byte where one is allowed", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("H")), PEER(CONTINUATION("e")), PEER(CONTINUATION("y")), PEER(LAST("!"))),
     .events = EVENTS(GOT_TEXT("Hey!"))},
    {"an empty last frame behind payload", .max_frames = 1, .steps = STEPS(PEER(TEXT_START("Hello")), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"an empty first frame before payload", .max_frames = 1, .steps = STEPS(PEER(TEXT_START("")), PEER(LAST("Hello"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"an empty second frame behind an empty first", .max_frames = 1, .fails_with_last_byte = true,
     .steps = STEPS(PEER(TEXT_START("")), PEER(LAST(""))), FAILS_HERE},
    {"any number of control frames where one frame is allowed", .max_frames = 1,
     .steps = STEPS(PEER(PING("1")), PEER(PING("2")), PEER(PONG("3")), PEER(TEXT("x")), PEER(PING("4"))),
     .events = EVENTS(GOT_PING("1"), GOT_PING("2"), GOT_PONG("3"), GOT_TEXT("x"), GOT_PING("4")),
     .output = FRAMES(PONG("1"), PONG("2"), PONG("4"))},
};

static const session_row some_frames[] = {
    {"empty frames count", .max_frames = 3,
     .steps = STEPS(PEER(BINARY_START("")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(LAST(""))),
     FAILS_HERE},
    {"empty frames as many as allowed", .max_frames = 4,
     .steps = STEPS(PEER(BINARY_START("")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(LAST(""))),
     .events = EVENTS(GOT_BINARY(""))},
    {"each byte allows for one frame: its own or an empty one", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(CONTINUATION("lo")),
                    PEER(CONTINUATION("")), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"one empty frame more than bytes and limit allow", .max_frames = 1, .fails_with_last_byte = true,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(CONTINUATION("")),
                    PEER(CONTINUATION(""))),
     FAILS_HERE},
    {"bytes that are still to come allow for nothing", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(LAST("Hello"))),
     FAILS_HERE},
    {"a claim allows for its own frame", .max_frames = 1, .ends_under_way = true,
     .steps = STEPS(PEER(BINARY_START("")), PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, 100, SHORTEST_LENGTH)))},
    {"control frames between do not count", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("")), PEER(PING("1")), PEER(PONG("2")), PEER(PING("3")), PEER(LAST(""))),
     .events = EVENTS(GOT_PING("1"), GOT_PONG("2"), GOT_PING("3"), GOT_TEXT("")),
     .output = FRAMES(PONG("1"), PONG("3"))},
    {"what control frames bring allows for nothing", .max_frames = 2,
     .steps =
         STEPS(PEER(TEXT_START("")), PEER(PING("12345")), PEER(CONTINUATION("")), PEER(PING("67890")), PEER(LAST(""))),
     .events = EVENTS(GOT_PING("12345"), GOT_PING("67890")), .output = FRAMES(PONG("12345"), PONG("67890")),
     FAILS_HERE},
    {"a close between frames as many as allowed", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("")), PEER(CLOSE(1000, "bye"))), .events = EVENTS(CLOSED_CLEANLY(1000, "bye")),
     .output = FRAMES(CLOSE(1000, ""))},
};

static const session_row next_messages[] = {
    {"the count begins anew with each message", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("")), PEER(LAST("")), PEER(BINARY_START("")), PEER(LAST("")), PEER(TEXT("e")),
                    PEER(TEXT_START("")), PEER(LAST(""))),
     .events = EVENTS(GOT_TEXT(""), GOT_BINARY(""), GOT_TEXT("e"), GOT_TEXT(""))},
    {"what an earlier message brought allows for nothing in a later one", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(LAST("lo")), PEER(TEXT("c")), PEER(BINARY_START("")),
                    PEER(CONTINUATION(""))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_TEXT("c")), FAILS_HERE},
};

/* A thousand times "a" in eleven bytes. */
#define COMPRESSED "\x4A\x4C\x1C\x05\xA3\x60\x14\x0C\x77\x00\x00"
#define COMPRESSED_START                                                                                               \
    {                                                                                                                  \
        .reserved = JZ_RSV1, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(COMPRESSED)                                    \
    }

static const session_deflate deflate = {
    .offer = "permessage-deflate; client_no_context_takeover",
    .answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    .options = {.mode = JZ_DEFLATE_SHARED, .window_bits = 15, .memory_level = 8, .level = 6, .min_message_size = 64},
    .server_window_bits = 15,
    .server_no_context_takeover = true,
};

#define EMPTY PEER(CONTINUATION(""))

static const session_row compressed[] = {
    {"a compressed message allows for as many frames as it has bytes before it is decompressed", .max_frames = 1,
     .deflate = &deflate,
     .steps = STEPS(PEER(COMPRESSED_START), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY,
                    PEER(LAST(""))),
     .events = EVENTS(GOT_OF(JZ_MESSAGE_TEXT, REPEATED("a", 1000)))},
    {"and for no more", .max_frames = 1, .deflate = &deflate, .fails_with_last_byte = true,
     .steps = STEPS(PEER(COMPRESSED_START), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY,
                    PEER(LAST(""))),
     FAILS_HERE},
};

static const session_row rules[] = {
    {"the size of the message is a rule of its own", .max_frames = 1, .max_message_size = 5,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CONTINUATION("l")), PEER(CONTINUATION("o")), PEER(LAST("!"))),
     FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
    {"a new message under way is another mistake", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("")), PEER(TEXT("lo"))), FAILS(JZ_FAILURE_EXPECTED_CONTINUATION, 1002)},
};

/* A message of `count` frames with nothing in them, where `max_frames` are allowed. */
static int run_many(uint32_t count, uint32_t max_frames)
{
    session_step *steps = calloc(count, sizeof *steps);
    for (uint32_t i = 0; i < count; i++)
        steps[i] = (session_step)PEER(
            {.fin = i + 1 == count, .opcode = i == 0 ? JZ_OPCODE_TEXT : JZ_OPCODE_CONTINUATION, .payload = BYTES("")});
    const session_event message = GOT_TEXT("");
    bool is_allowed = max_frames == 0 || count <= max_frames;
    session_row row = {.steps = {steps, count}, .events = {&message, is_allowed ? 1 : 0}, .max_frames = max_frames};
    row.name = is_allowed ? "very many frames, as many as allowed" : "one more than very many frames";
    row.is_large = true;
    if (!is_allowed) {
        row.failure = JZ_FAILURE_TOO_MANY_FRAMES;
        row.failure_code = jz_failure_close_code(JZ_FAILURE_TOO_MANY_FRAMES);
    }
    int failed = run_session_rows(max_frames == 0 ? "any number of frames" : "very many frames", &row, 1);
    free(steps);
    return failed;
}

/* The sum of the largest limit and the bytes of a message exceeds 32 bits. */
static void counts_beyond_four_billion(void **state)
{
    (void)state;
    enum { COME = 1000 };
    static const jz_session_settings settings = {.max_message_size = 1 << 20, .max_frames = UINT32_MAX - 1};
    static const jz_frame_header empty = {
        .opcode = JZ_OPCODE_CONTINUATION, .masked = true, .length_is_minimal = true, .header_length = 6};
    static const struct {
        uint64_t frames;
        jz_failure failure;
    } cases[] = {
        {UINT32_MAX - 1, JZ_FAILURE_NONE},
        {UINT32_MAX, JZ_FAILURE_NONE},
        {UINT64_C(1) + UINT32_MAX, JZ_FAILURE_NONE},
        {UINT64_C(0) + UINT32_MAX - 1 + COME - 1, JZ_FAILURE_NONE},
        {UINT64_C(0) + UINT32_MAX - 1 + COME, JZ_FAILURE_TOO_MANY_FRAMES},
        {UINT64_C(1) << 40, JZ_FAILURE_TOO_MANY_FRAMES},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_incoming incoming = {.frame_count = cases[i].frames, .payload = {.length = COME}};
        jz_session session = {.settings = &settings, .incoming = &incoming, .message_opcode = JZ_OPCODE_TEXT};
        assert_that(jz_judge_frame(&session, &empty) == cases[i].failure, "case %zu", i);
    }
}

int main(void)
{
    enum { MANY = 5000 };
    const struct CMUnitTest counting[] = {cmocka_unit_test(counts_beyond_four_billion)};
    int failed = run_session_rows("one frame", one_frame, COUNT_OF(one_frame));
    failed += run_session_rows("some frames", some_frames, COUNT_OF(some_frames));
    failed += run_session_rows("frames of further messages", next_messages, COUNT_OF(next_messages));
    failed += run_session_rows("frames of compressed messages", compressed, COUNT_OF(compressed));
    failed += run_session_rows("frames and other rules", rules, COUNT_OF(rules));
    failed += run_many(MANY, MANY);
    failed += run_many(MANY + 1, MANY);
    failed += run_many(MANY, 0);
    failed += cmocka_run_group_tests_name("counting frames", counting, NULL, NULL);
    return EXIT_STATUS_OF(failed);
}
