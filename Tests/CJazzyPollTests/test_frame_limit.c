/* How many frames one message may have: against messages of very many frames with little or nothing in them. */
#include "support/session_row.h"
#include "support/testing.h"

#define FAILS_HERE FAILS(JZ_FAILURE_TOO_MANY_FRAMES, 1009)

static const session_row one_frame[] = {
    {"one frame where one is allowed", .max_frames = 1, .steps = STEPS(PEER(TEXT("Hello")), PEER(BINARY("World"))),
     .events = EVENTS(GOT_TEXT("Hello"), GOT_BINARY("World"))},
    {"the start of a message is not too much yet", .max_frames = 1, .steps = STEPS(PEER(TEXT_START("Hel"))),
     .ends_under_way = true},
    {"a second frame where one is allowed", .max_frames = 1, .steps = STEPS(PEER(TEXT_START("Hel")), PEER(LAST("lo"))),
     FAILS_HERE},
    {"an empty second frame where one is allowed", .max_frames = 1, .fails_with_last_byte = true,
     .steps = STEPS(PEER(TEXT_START("Hello")), PEER(LAST(""))), FAILS_HERE},
    {"the header of a second frame where one is allowed", .max_frames = 1, .fails_with_last_byte = true,
     .steps = STEPS(PEER(BINARY_START("")), PEER(CLAIM_OF(JZ_OPCODE_CONTINUATION, 100, SHORTEST_LENGTH))), FAILS_HERE},
    {"any number of control frames where one frame is allowed", .max_frames = 1,
     .steps = STEPS(PEER(PING("1")), PEER(PING("2")), PEER(PONG("3")), PEER(TEXT("x")), PEER(PING("4"))),
     .events = EVENTS(GOT_PING("1"), GOT_PING("2"), GOT_PONG("3"), GOT_TEXT("x"), GOT_PING("4")),
     .output = FRAMES(PONG("1"), PONG("2"), PONG("4"))},
};

static const session_row some_frames[] = {
    {"two frames where two are allowed", .max_frames = 2, .steps = STEPS(PEER(TEXT_START("Hel")), PEER(LAST("lo"))),
     .events = EVENTS(GOT_TEXT("Hello"))},
    {"a third frame where two are allowed", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("H")), PEER(CONTINUATION("e")), PEER(LAST("llo"))), FAILS_HERE},
    {"empty frames count", .max_frames = 3,
     .steps = STEPS(PEER(BINARY_START("")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(LAST(""))),
     FAILS_HERE},
    {"empty frames as many as allowed", .max_frames = 4,
     .steps = STEPS(PEER(BINARY_START("")), PEER(CONTINUATION("")), PEER(CONTINUATION("")), PEER(LAST(""))),
     .events = EVENTS(GOT_BINARY(""))},
    {"control frames between do not count", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(PING("1")), PEER(PONG("2")), PEER(PING("3")), PEER(LAST("lo"))),
     .events = EVENTS(GOT_PING("1"), GOT_PONG("2"), GOT_PING("3"), GOT_TEXT("Hello")),
     .output = FRAMES(PONG("1"), PONG("3"))},
    {"a frame too many behind control frames", .max_frames = 2,
     .steps =
         STEPS(PEER(TEXT_START("H")), PEER(PING("1")), PEER(CONTINUATION("e")), PEER(PING("2")), PEER(LAST("llo"))),
     .events = EVENTS(GOT_PING("1"), GOT_PING("2")), .output = FRAMES(PONG("1"), PONG("2")), FAILS_HERE},
    {"a close between frames as many as allowed", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(CLOSE(1000, "bye"))), .events = EVENTS(CLOSED_CLEANLY(1000, "bye")),
     .output = FRAMES(CLOSE(1000, ""))},
};

static const session_row next_messages[] = {
    {"the count begins anew with each message", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("a")), PEER(LAST("b")), PEER(BINARY_START("c")), PEER(LAST("d")), PEER(TEXT("e")),
                    PEER(TEXT_START("f")), PEER(LAST("g"))),
     .events = EVENTS(GOT_TEXT("ab"), GOT_BINARY("cd"), GOT_TEXT("e"), GOT_TEXT("fg"))},
    {"a frame too many of a later message", .max_frames = 2,
     .steps = STEPS(PEER(TEXT_START("a")), PEER(LAST("b")), PEER(TEXT("c")), PEER(BINARY_START("d")),
                    PEER(CONTINUATION("e")), PEER(CONTINUATION("f"))),
     .events = EVENTS(GOT_TEXT("ab"), GOT_TEXT("c")), FAILS_HERE},
};

static const session_row rules[] = {
    {"the size of the message is a rule of its own", .max_frames = 2, .max_message_size = 5,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(LAST("lo!"))), FAILS(JZ_FAILURE_MESSAGE_TOO_BIG, 1009)},
    {"a new message under way is another mistake", .max_frames = 1,
     .steps = STEPS(PEER(TEXT_START("Hel")), PEER(TEXT("lo"))), FAILS(JZ_FAILURE_EXPECTED_CONTINUATION, 1002)},
};

/* A message of `count` frames of a byte, where `max_frames` are allowed. */
static int run_many(uint32_t count, uint32_t max_frames)
{
    session_step *steps = calloc(count, sizeof *steps);
    for (uint32_t i = 0; i < count; i++)
        steps[i] = (session_step)PEER(
            {.fin = i + 1 == count, .opcode = i == 0 ? JZ_OPCODE_TEXT : JZ_OPCODE_CONTINUATION, .payload = BYTES("x")});
    const session_event message = GOT_OF(JZ_MESSAGE_TEXT, REPEATED("x", count));
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

int main(void)
{
    enum { MANY = 5000 };
    int failed = run_session_rows("one frame", one_frame, COUNT_OF(one_frame));
    failed += run_session_rows("some frames", some_frames, COUNT_OF(some_frames));
    failed += run_session_rows("frames of further messages", next_messages, COUNT_OF(next_messages));
    failed += run_session_rows("frames and other rules", rules, COUNT_OF(rules));
    failed += run_many(MANY, MANY);
    failed += run_many(MANY + 1, MANY);
    failed += run_many(MANY, 0);
    return EXIT_STATUS_OF(failed);
}
