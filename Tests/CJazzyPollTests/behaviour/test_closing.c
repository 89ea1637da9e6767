/* Closing and terminating connections: from handlers on the loop, from handlers on workers, and from other threads. */
#define _POSIX_C_SOURCE 200809L

#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/served.h"
#include "support/testing.h"

typedef enum way { ON_LOOP, ON_WORKER, FROM_ELSEWHERE, WAYS } way;

static const char *const names[] = {"on the loop", "on a worker", "from elsewhere"};

enum { CLOSES, TERMINATES }; /* what a handler does with a message */

static served server;
static test_client client;
static struct {
    atomic_int what;
    _Atomic uint16_t code;
    atomic_int status; /* -1 until it is done */
} asked;
static const char reason[] = "that is why";

static void do_what_is_asked(jz_ws ws)
{
    jz_send_status status =
        asked.what == CLOSES ? jz_ws_close(ws, asked.code, reason, sizeof reason - 1) : jz_ws_terminate(ws);
    asked.status = (int)status;
}

static atomic_int last_cause;

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT)
        do_what_is_asked(ws);
    if (event->type == JZ_EVENT_CLOSE)
        last_cause = (int)event->cause;
}

static void start(way way)
{
    server = (served){.journal = {.act = act}};
    jz_options options = served_options();
    options.close_timeout_ms = 60000; /* longer than any test waits */
    jz_route_options route = jz_route_options_default();
    if (way == ON_WORKER)
        route.execution = JZ_EXECUTION_WORKERS;
    served_start(&server, &options, &route);
}

static jz_ws open_client(void)
{
    size_t before = server.journal.opens;
    assert_true(test_client_open(&client, server.port, UPGRADE_REQUEST("/")));
    assert_eventually(server.journal.opens == before + 1);
    return journal_handle_of(&server.journal, before);
}

static jz_send_status ask(way way, jz_ws ws, int what, uint16_t code)
{
    asked.what = what;
    asked.code = code;
    asked.status = -1;
    if (way == FROM_ELSEWHERE)
        do_what_is_asked(ws);
    else
        test_client_send_frame(&client, &(test_frame)TEXT("now"));
    assert_eventually(asked.status >= 0);
    return (jz_send_status)asked.status;
}

/* Which may differ: done at once, or on its way to the loop. */
static void expect_done(way way, jz_send_status status)
{
    assert_that(status == (way == ON_LOOP ? JZ_SEND_SENT : JZ_SEND_QUEUED), "%s: %d", names[way], (int)status);
}

static const struct {
    uint16_t code;
    uint16_t sent; /* 0: refused; 1005: without a code */
} codes[] = {
    {1000, 1000}, {1001, 1001}, {1005, 1005}, {1006, 1001}, {1012, 1012}, {1015, 1011}, {4999, 4999},
    {0, 0},       {999, 0},     {1004, 0},    {1016, 0},    {2999, 0},    {5000, 0},    {65535, 0},
};

static void expect_close_frame(uint16_t code)
{
    char payload[2 + sizeof reason - 1] = {(char)(code >> 8), (char)code};
    memcpy(payload + 2, reason, sizeof reason - 1);
    test_client_expect(&client, JZ_OPCODE_CLOSE, payload, code == JZ_CLOSE_NO_STATUS ? 0 : sizeof payload);
}

static void what_a_close_event_hands_on_closes_and_what_means_nothing_is_refused(void **state)
{
    (void)state;
    for (way way = 0; way < WAYS; way++) {
        start(way);
        for (size_t i = 0; i < COUNT_OF(codes); i++) {
            jz_ws ws = open_client();
            jz_send_status status = ask(way, ws, CLOSES, codes[i].code);
            if (codes[i].sent == 0) {
                assert_that(status == JZ_SEND_DROPPED && jz_ws_is_open(ws), "%u %s", codes[i].code, names[way]);
                status = ask(way, ws, CLOSES, JZ_CLOSE_NO_STATUS); /* it is still there to be closed */
            }
            expect_done(way, status);
            expect_close_frame(codes[i].sent != 0 ? codes[i].sent : JZ_CLOSE_NO_STATUS);
            size_t closes = server.journal.closes;
            test_client_send_frame(&client, &(test_frame)CLOSE(4001, "bye"));
            assert_true(test_client_sees_end(&client));
            assert_eventually(server.journal.closes == closes + 1);
            assert_int_equal(last_cause, JZ_CAUSE_APPLICATION);
            test_client_close(&client);
        }
        served_finish(&server);
    }
}

static void expect_termination(size_t closes)
{
    assert_true(test_client_is_at_end(&client) || test_client_sees_end(&client));
    assert_eventually(server.journal.closes == closes);
    assert_int_equal(last_cause, JZ_CAUSE_APPLICATION);
}

static void expect_no_frame(void)
{
    test_received frame;
    assert_false(test_client_take_frame(&client, &frame));
}

static void who_is_terminated_is_sent_no_close_frame_and_is_not_waited_for(void **state)
{
    (void)state;
    for (way way = 0; way < WAYS; way++) {
        start(way);
        jz_ws ws = open_client();
        expect_done(way, ask(way, ws, TERMINATES, 0));
        expect_no_frame();
        expect_termination(1);
        assert_eventually(jz_ws_terminate(ws) == JZ_SEND_CLOSED);
        journal_expect(&server.journal, 1,
                       way == FROM_ELSEWHERE ? "open close(1006 unclean)" : "open text(now) close(1006 unclean)");
        test_client_close(&client);
        served_finish(&server);
    }
}

/* The peer has our close frame, and keeps silent. */
static void who_does_not_answer_a_close_frame_can_be_terminated(void **state)
{
    (void)state;
    start(FROM_ELSEWHERE);
    jz_ws ws = open_client();
    expect_done(FROM_ELSEWHERE, ask(FROM_ELSEWHERE, ws, CLOSES, 4000));
    expect_close_frame(4000);
    assert_false(jz_ws_is_open(ws));
    expect_done(FROM_ELSEWHERE, ask(FROM_ELSEWHERE, ws, TERMINATES, 0));
    expect_no_frame();
    expect_termination(1);
    journal_expect(&server.journal, 1, "open close(1006 unclean)");
    test_client_close(&client);
    served_finish(&server);
}

static bool holds_nothing(void)
{
    jz_statistics statistics;
    jz_server_statistics(server.server, &statistics);
    return statistics.buffered_bytes == 0 && statistics.connections == 0;
}

/* Output that a peer does not read is not waited for either. (Nor would the peer be read from meanwhile.) */
static void who_does_not_read_can_be_terminated(void **state)
{
    (void)state;
    enum { MUCH = 16 * 1024 * 1024 };
    void *message = calloc(1, MUCH);
    assert_non_null(message);
    start(FROM_ELSEWHERE);
    jz_ws ws = open_client();
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_BINARY, message, MUCH), JZ_SEND_QUEUED);
    free(message);
    assert_eventually(jz_ws_buffered_amount(ws) > 0);
    expect_done(FROM_ELSEWHERE, ask(FROM_ELSEWHERE, ws, TERMINATES, 0));
    assert_eventually(server.journal.closes == 1);
    assert_int_equal(last_cause, JZ_CAUSE_APPLICATION);
    assert_eventually(holds_nothing());
    test_client_close(&client);
    served_finish(&server);
}

static jz_ws other_ws;

static void terminate_everybody(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_TEXT)
        return;
    jz_ws_terminate(ws);
    asked.status = jz_ws_terminate(ws) == JZ_SEND_CLOSED && jz_ws_close(ws, 1000, "", 0) == JZ_SEND_CLOSED &&
                   jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1) == JZ_SEND_CLOSED && !jz_ws_is_open(ws) &&
                   jz_ws_terminate(other_ws) == JZ_SEND_SENT;
}

static void after_it_nothing_more_is_delivered_or_accepted(void **state)
{
    (void)state;
    static test_client other;
    asked.status = -1;
    server = (served){.journal = {.act = terminate_everybody}};
    served_start(&server, NULL, NULL);
    assert_true(test_client_open(&other, server.port, UPGRADE_REQUEST("/")));
    assert_eventually(server.journal.opens == 1);
    other_ws = journal_handle_of(&server.journal, 0);
    open_client();
    static const test_frame frames[] = {TEXT("a"), TEXT("b"), TEXT("c")};
    jz_buffer bytes = {0};
    for (size_t i = 0; i < COUNT_OF(frames); i++)
        test_frame_append(&bytes, &frames[i], (const uint8_t *)"key!");
    assert_true(test_client_send(&client, bytes.bytes, bytes.length));
    jz_buffer_free(&bytes);
    expect_no_frame();
    journal_expect(&server.journal, 2, "open open text(a) close(1006 unclean) close(1006 unclean)");
    assert_int_equal(asked.status, 1);
    assert_false(server.journal.was_reentered);
    test_client_close(&client);
    test_client_close(&other);
    served_finish(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_close_event_hands_on_closes_and_what_means_nothing_is_refused),
        cmocka_unit_test(who_is_terminated_is_sent_no_close_frame_and_is_not_waited_for),
        cmocka_unit_test(who_does_not_answer_a_close_frame_can_be_terminated),
        cmocka_unit_test(who_does_not_read_can_be_terminated),
        cmocka_unit_test(after_it_nothing_more_is_delivered_or_accepted),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("closing", tests, NULL, NULL));
}
