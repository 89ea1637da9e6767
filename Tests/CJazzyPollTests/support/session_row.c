#include "session_row.h"
#include "session/outgoing.h"

#include <inttypes.h>
#include <stdio.h>

#include "observed_event.h"
#include "random.h"
#include "sent_frames.h"
#include "testing.h"

enum {
    RANDOM_RUNS = 16,
    RANDOM_RUNS_OF_LARGE = 2,
    DEFAULT_MAX_MESSAGE_SIZE = 1 << 20,
    BYTE_BY_BYTE_AT_THE_ENDS = 2048, /* of what is large */
    STEP_BETWEEN = 4096
};

typedef enum splitting { WHOLE, BYTE_BY_BYTE, AT_RANDOM } splitting;

/* How a row is run. */
typedef struct manner {
    splitting splitting;
    bool takes_output_in_part;
    bool has_neighbour; /* another session of the same loop, which shares its compressors */
    uint64_t seed;
} manner;

typedef struct run {
    const session_row *row;
    manner manner;
    test_random random;
    jz_session_settings settings;
    jz_compression_workspace workspace;
    jz_session session;
    jz_session neighbour;
    jz_buffer received; /* sent by the peer, and not passed to the session yet */
    size_t unfed;       /* the bytes behind the part that was passed */
    jz_buffer output;
    jz_buffer taken;         /* output that was taken off the front */
    size_t event_count;      /* events that were yielded */
    bool is_connection_gone; /* the driver ended it, so one more event is due */
} run;

static const char *manner_name(const run *run)
{
    static const char *const names[] = {"whole", "byte by byte", "split at random"};
    return names[run->manner.splitting];
}

#define assert_in_run(run, condition, format, ...)                                                                     \
    assert_that(condition, "%s%s (seed %" PRIu64 "): " format, manner_name(run),                                       \
                (run)->manner.takes_output_in_part ? ", output in parts" : "", (run)->manner.seed, __VA_ARGS__)

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
    bool comes_early = event->type == JZ_EVENT_ERROR && run->manner.splitting == BYTE_BY_BYTE && run->unfed > 0;
    assert_in_run(run, !(comes_early && run->row->fails_with_last_byte), "it failed %zu bytes too early", run->unfed);
}

/* Mostly few of the bytes, now and then many, sometimes none. */
static size_t random_part(run *run, size_t of)
{
    size_t most = (size_t)1 << test_random_below(&run->random, 18);
    return test_random_below(&run->random, (most < of ? most : of) + 1);
}

/* Like a socket that accepts only a part. */
static void take_part_of_output(run *run)
{
    jz_buffer *output = &run->output;
    size_t count = random_part(run, output->length);
    assert_true(jz_buffer_append(&run->taken, output->bytes, count));
    if (count > 0)
        memmove(output->bytes, output->bytes + count, output->length - count);
    output->length -= count;
}

static void echo(run *run, const jz_event *event, const jz_message *message)
{
    if (!run->row->echoes || event->type != JZ_EVENT_MESSAGE || message->kind > JZ_MESSAGE_BINARY)
        return;
    jz_send_status status =
        jz_session_send(&run->session, message->kind, message->bytes, message->length, &run->output);
    assert_in_run(run, status == JZ_SEND_SENT, "the echo's status is %d", (int)status);
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
    while (jz_session_next(&run->session, &input, &run->output, &event, &message)) {
        check_event(run, &event, &message);
        echo(run, &event, &message);
        if (run->manner.takes_output_in_part)
            take_part_of_output(run);
    }
    assert_in_run(run, input.length == 0, "%zu bytes of input were left", input.length);
    if (run->manner.takes_output_in_part)
        take_part_of_output(run);
    free(copy);
}

/* "Hello", compressed for itself (RFC 7692 §7.2.3.1), comes to the neighbour and goes out again. */
static void neighbour_echoes(run *run)
{
    uint8_t frame[] = {0xC1, 0x87, 0, 0, 0, 0, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
    jz_input input = {frame, sizeof frame};
    jz_buffer output = {0};
    jz_event event;
    jz_message message;
    assert_true(jz_session_next(&run->neighbour, &input, &output, &event, &message));
    assert_int_equal(event.type, JZ_EVENT_MESSAGE);
    assert_int_equal(message.length, 5);
    assert_memory_equal(message.bytes, "Hello", 5);
    assert_int_equal(jz_session_send_with(&run->neighbour, JZ_MESSAGE_TEXT, "Hello, hello, hello, hello", 26,
                                          JZ_COMPRESSION_ALWAYS, &output),
                     JZ_SEND_SENT);
    jz_buffer_free(&output);
}

/* How much of the rest is fed next. */
static size_t next_part(run *run, size_t position, size_t rest)
{
    if (run->manner.splitting == WHOLE)
        return rest;
    if (run->manner.splitting == AT_RANDOM)
        return random_part(run, rest);
    if (!run->row->is_large || position < BYTE_BY_BYTE_AT_THE_ENDS || rest <= BYTE_BY_BYTE_AT_THE_ENDS)
        return 1;
    size_t before_end = rest - BYTE_BY_BYTE_AT_THE_ENDS;
    return before_end < STEP_BETWEEN ? before_end : STEP_BETWEEN;
}

static void deliver(run *run)
{
    const uint8_t *bytes = run->received.bytes;
    size_t length = run->received.length;
    for (size_t position = 0; position < length;) {
        size_t count = next_part(run, position, length - position);
        run->unfed = length - position - count;
        if (run->manner.has_neighbour)
            neighbour_echoes(run);
        feed(run, bytes + position, count);
        position += count;
    }
    jz_buffer_free(&run->received);
}

/* Any key must work: that of RFC 6455 §5.7, and others. */
static void choose_key(run *run, uint8_t key[4])
{
    static const uint8_t key_of_the_rfc[4] = {0x37, 0xFA, 0x21, 0x3D};
    uint64_t random_key = test_random_next(&run->random);
    memcpy(key, run->manner.splitting == AT_RANDOM ? (const uint8_t *)&random_key : key_of_the_rfc, 4);
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

/* Checks for the end of every row: see session_row.h. */
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

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

/* The answer to the offer that a client sends with its request. */
static void agree(run *run, jz_deflate_agreement *agreement)
{
    const session_deflate *deflate = run->row->deflate;
    char request[512];
    char expected[512] = "";
    int length =
        snprintf(request, sizeof request, "GET / HTTP/1.1\r\nSec-WebSocket-Extensions: %s\r\n\r\n", deflate->offer);
    if (deflate->answer != NULL)
        snprintf(expected, sizeof expected, "Sec-WebSocket-Extensions: %s\r\n", deflate->answer);
    jz_request_head head;
    assert_int_equal(jz_request_head_parse(request, (size_t)length, &default_limits, &head), JZ_HEAD_COMPLETE);
    assert_true(jz_deflate_negotiate(&head, &deflate->options, agreement));
    jz_buffer answer = {0};
    assert_true(jz_deflate_append_answer(agreement, &answer) && jz_buffer_append(&answer, "", 1));
    assert_string_equal((const char *)answer.bytes, expected);
    jz_buffer_free(&answer);
}

static void start(run *run)
{
    const session_row *row = run->row;
    run->settings.max_message_size = row->max_message_size != 0 ? row->max_message_size : DEFAULT_MAX_MESSAGE_SIZE;
    run->settings.max_frames = row->max_frames;
    jz_session_init(&run->session, &run->settings);
    if (row->deflate == NULL) {
        run->manner.has_neighbour = false;
        return;
    }
    jz_deflate_agreement agreement;
    agree(run, &agreement);
    run->settings.deflate = row->deflate->options;
    run->settings.workspace = &run->workspace;
    jz_session_use_deflate(&run->session, &agreement);
    jz_session_init(&run->neighbour, &run->settings);
    jz_session_use_deflate(&run->neighbour, &agreement);
    run->manner.has_neighbour = run->manner.has_neighbour && agreement.is_agreed;
}

static void finish(run *run)
{
    jz_session_free(&run->session);
    jz_session_free(&run->neighbour);
    jz_compression_workspace_free(&run->workspace);
    jz_buffer_free(&run->output);
}

/* Whether a message is always compressed in the same way. ISA-L has two for some, both of them right. */
#ifdef JZ_DEFLATE_ISAL
enum { COMPRESSES_ALIKE = false };
#else
enum { COMPRESSES_ALIKE = true };
#endif

static void check_sent_is_due(run *run)
{
    char text[SENT_FRAMES_TEXT_SIZE];
    assert_in_run(run, sent_frames_are_due(run->row, &run->taken, text), "%s", text);
}

/* The first run of a row fills `sent`; each later one has to send the same. */
static void check_sent(run *run, jz_buffer *sent)
{
    assert_true(jz_buffer_append(&run->taken, run->output.bytes, run->output.length));
    if (sent->bytes == NULL) {
        check_sent_is_due(run);
        assert_true(jz_buffer_reserve(&run->taken, 1, SIZE_MAX));
        *sent = run->taken;
        return;
    }
    if (run->row->deflate != NULL && !COMPRESSES_ALIKE) {
        check_sent_is_due(run);
    } else {
        assert_in_run(run, run->taken.length == sent->length, "%zu bytes were sent instead of %zu", run->taken.length,
                      sent->length);
        assert_in_run(run, sent->length == 0 || memcmp(run->taken.bytes, sent->bytes, sent->length) == 0, "%s",
                      "other bytes were sent");
    }
    jz_buffer_free(&run->taken);
}

static void run_row(const session_row *row, manner manner, jz_buffer *sent)
{
    run run = {.row = row, .manner = manner, .random = {manner.seed}};
    start(&run);
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
    check_sent(&run, sent);
    finish(&run);
}

static void run_row_in_every_manner(void **state)
{
    const session_row *row = *state;
    jz_buffer sent = {0};
    run_row(row, (manner){.splitting = WHOLE}, &sent);
    run_row(row, (manner){.splitting = BYTE_BY_BYTE, .takes_output_in_part = true}, &sent);
    if (!row->is_large) {
        run_row(row, (manner){.splitting = WHOLE, .takes_output_in_part = true}, &sent);
        run_row(row, (manner){.splitting = BYTE_BY_BYTE}, &sent);
    }
    for (uint64_t seed = 1; seed <= (row->is_large ? RANDOM_RUNS_OF_LARGE : RANDOM_RUNS); seed++)
        run_row(row, (manner){AT_RANDOM, .takes_output_in_part = seed % 2 == 0, .has_neighbour = seed % 4 == 1, seed},
                &sent);
    jz_buffer_free(&sent);
}

int run_session_rows(const char *group_name, const session_row *rows, size_t count)
{
    struct CMUnitTest tests[count];
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = run_row_in_every_manner, .initial_state = (void *)(uintptr_t)&rows[i]};
    return cmocka_run_group_tests_name(group_name, tests, NULL, NULL);
}
