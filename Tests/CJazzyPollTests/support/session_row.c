#include "session_row.h"

#include <inttypes.h>

#include "observed_event.h"
#include "random.h"
#include "testing.h"

enum { RANDOM_RUNS = 16, DEFAULT_MAX_MESSAGE_SIZE = 1 << 20 };

typedef enum splitting { WHOLE, BYTE_BY_BYTE, AT_RANDOM } splitting;

typedef struct run {
    const session_row *row;
    splitting splitting;
    uint64_t seed;
    test_random random;
    jz_session_settings settings;
    jz_session session;
    jz_buffer received; /* what the peer has sent and the session was not fed yet */
    jz_buffer output;
    size_t event_count;      /* events that were yielded */
    bool is_connection_gone; /* the driver ended it, so one more event is due */
} run;

static const char *splitting_name(const run *run)
{
    static const char *const names[] = {"whole", "byte by byte", "split at random"};
    return names[run->splitting];
}

#define assert_in_run(run, condition, format, ...)                                                                     \
    assert_that(condition, "%s (seed %" PRIu64 "): " format, splitting_name(run), (run)->seed, __VA_ARGS__)

/* Whether another event is due, and which. */
static bool find_due_event(const run *run, session_event *due)
{
    const session_row *row = run->row;
    size_t index = run->event_count;
    if (index < row->events.count) {
        *due = row->events.first[index];
        return true;
    }
    index -= row->events.count;
    if (row->failure != JZ_FAILURE_NONE) {
        const session_event ending[] = {GOT_ERROR(row->failure), CLOSED_UNCLEANLY(row->failure_code)};
        if (index < COUNT_OF(ending)) {
            *due = ending[index];
            return true;
        }
        index -= COUNT_OF(ending);
    }
    *due = (session_event)CLOSED_UNCLEANLY(JZ_CLOSE_ABNORMAL);
    return run->is_connection_gone && index == 0;
}

static void check_event(run *run, const jz_event *event, const jz_message *message)
{
    char found_text[OBSERVED_EVENT_TEXT_SIZE];
    observed_event found = observe_event(event, message);
    describe_observed_event(found_text, &found);

    session_event due;
    assert_in_run(run, find_due_event(run, &due), "event %zu is %s where none is due", run->event_count, found_text);
    char due_text[OBSERVED_EVENT_TEXT_SIZE];
    jz_buffer due_bytes = {0};
    observed_event expected = observed_event_of(&due, &due_bytes);
    describe_observed_event(due_text, &expected);
    assert_in_run(run, observed_events_are_equal(&found, &expected), "event %zu is %s instead of %s", run->event_count,
                  found_text, due_text);
    jz_buffer_free(&due_bytes);
    run->event_count++;
}

/* Feeds a copy that is freed afterwards: the address sanitizer sees a read beyond it, and one that comes too late. */
static void feed(run *run, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length);
    if (length > 0)
        memcpy(copy, bytes, length);
    jz_input input = {copy, length};
    jz_event event;
    jz_message message;
    while (jz_session_next(&run->session, &input, &run->output, &event, &message))
        check_event(run, &event, &message);
    assert_in_run(run, input.length == 0, "%zu bytes of input were left", input.length);
    free(copy);
}

/* How much of the rest is fed next. At random it is mostly few bytes, now and then many, sometimes none. */
static size_t next_part(run *run, size_t rest)
{
    if (run->splitting == WHOLE)
        return rest;
    if (run->splitting == BYTE_BY_BYTE)
        return 1;
    size_t most = (size_t)1 << test_random_below(&run->random, 18);
    return test_random_below(&run->random, (most < rest ? most : rest) + 1);
}

static void deliver(run *run)
{
    const uint8_t *bytes = run->received.bytes;
    for (size_t rest = run->received.length; rest > 0;) {
        size_t count = next_part(run, rest);
        feed(run, bytes, count);
        bytes += count;
        rest -= count;
    }
    jz_buffer_free(&run->received);
}

/* The key must not matter: that of RFC 6455 §5.7, or any. */
static void choose_key(run *run, uint8_t key[4])
{
    static const uint8_t key_of_the_rfc[4] = {0x37, 0xFA, 0x21, 0x3D};
    uint64_t random_key = test_random_next(&run->random);
    memcpy(key, run->splitting == AT_RANDOM ? (const uint8_t *)&random_key : key_of_the_rfc, 4);
}

static void peer_sends(run *run, const test_frame *frame)
{
    uint8_t key[4];
    choose_key(run, key);
    test_frame_append(&run->received, frame, key);
}

static void act(run *run, const session_step *step)
{
    jz_buffer bytes = {0};
    jz_send_status status = step->status;
    test_bytes_append(&bytes, step->bytes);
    const char *reason = (const char *)bytes.bytes;
    if (step->type == STEP_SEND)
        status = jz_session_send(&run->session, step->kind, bytes.bytes, bytes.length, &run->output);
    else if (step->type == STEP_CLOSE)
        status = jz_session_close(&run->session, step->close_code, reason, bytes.length, &run->output);
    else
        jz_session_end(&run->session, step->failure);
    assert_in_run(run, status == step->status, "status %d instead of %d", (int)status, (int)step->status);
    jz_buffer_free(&bytes);
    feed(run, NULL, 0);
}

static void check_output(const run *run)
{
    const session_row *row = run->row;
    jz_buffer expected = {0};
    for (size_t i = 0; i < row->output.count; i++)
        test_frame_append(&expected, &row->output.first[i], NULL);
    if (row->failure != JZ_FAILURE_NONE) {
        const char *text = jz_failure_text(row->failure);
        const test_frame close = CLOSE_OF(row->failure_code, {text, strlen(text), strlen(text)});
        test_frame_append(&expected, &close, NULL);
    }
    size_t same = 0;
    while (same < expected.length && same < run->output.length && expected.bytes[same] == run->output.bytes[same])
        same++;
    assert_in_run(run, same == expected.length && same == run->output.length,
                  "of %zu bytes sent, instead of %zu, the first %zu are right", run->output.length, expected.length,
                  same);
    jz_buffer_free(&expected);
}

/* What holds at the end of every row, see session_row.h. */
static void check_ending(run *run)
{
    session_event due;
    assert_in_run(run, !find_due_event(run, &due), "event %zu is missing", run->event_count);
    if (!jz_session_has_ended(&run->session)) {
        assert_in_run(run, (run->session.incoming != NULL) == run->row->ends_under_way, "%s",
                      run->row->ends_under_way ? "nothing is under way" : "memory is held between messages");
        run->is_connection_gone = true;
        jz_session_end(&run->session, JZ_FAILURE_NONE);
        feed(run, NULL, 0);
        assert_in_run(run, !find_due_event(run, &due), "event %zu, the close, is missing", run->event_count);
    }
    assert_in_run(run, jz_session_has_ended(&run->session), "%s", "the session has not ended");
    static const test_frame too_late[] = {TEXT("too late"), PING("too late"), CLOSE(1000, ""), RAW("\xFF")};
    for (size_t i = 0; i < COUNT_OF(too_late); i++)
        peer_sends(run, &too_late[i]);
    deliver(run);
    assert_in_run(run, run->session.incoming == NULL, "%s", "memory is held after the end");
}

static void run_row(const session_row *row, splitting splitting, uint64_t seed)
{
    run run = {.row = row, .splitting = splitting, .seed = seed, .random = {seed}};
    run.settings.max_message_size = row->max_message_size != 0 ? row->max_message_size : DEFAULT_MAX_MESSAGE_SIZE;
    jz_session_init(&run.session, &run.settings);
    for (size_t i = 0; i < row->steps.count; i++) {
        const session_step *step = &row->steps.first[i];
        if (step->type == STEP_PEER_SENDS) {
            peer_sends(&run, &step->frame);
            continue;
        }
        deliver(&run);
        act(&run, step);
    }
    deliver(&run);
    check_ending(&run);
    check_output(&run);
    jz_session_free(&run.session);
    jz_buffer_free(&run.output);
}

static void run_row_in_every_splitting(void **state)
{
    const session_row *row = *state;
    run_row(row, WHOLE, 0);
    run_row(row, BYTE_BY_BYTE, 0);
    for (uint64_t seed = 1; seed <= RANDOM_RUNS; seed++)
        run_row(row, AT_RANDOM, seed);
}

int run_session_rows(const char *group_name, const session_row *rows, size_t count)
{
    struct CMUnitTest tests[count];
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = run_row_in_every_splitting,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    return cmocka_run_group_tests_name(group_name, tests, NULL, NULL);
}
