/* Connections that are not read because their workers are behind: after our close frame the peer's is still read. */
#define _POSIX_C_SOURCE 200809L

#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LONG_MS = 3600000 };

static jz_server *server;
static journal seen;
static test_client peer;
static atomic_bool is_held; /* the worker that has the first message */
static atomic_bool holds;
static atomic_bool has_given_up; /* holding, for it took too long */

static void hold(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)ws;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    holds = true;
    test_hold_while(is_held);
    if (is_held)
        has_given_up = true;
}

static jz_send_status close_it(jz_ws ws)
{
    return jz_ws_close(ws, 4000, "", 0);
}

static jz_send_status (*end)(jz_ws ws);

static void hold_and_end(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hold(journal, ws, event, message);
    if (event->type == JZ_EVENT_MESSAGE && end(ws) != JZ_SEND_QUEUED)
        has_given_up = true;
}

/* Frames with a masking key of zero. */
#define A "\x81\x81\0\0\0\0a"
#define B "\x81\x81\0\0\0\0b"
#define C "\x81\x81\0\0\0\0c"
#define FRAMES_OF(literal) literal, sizeof(literal) - 1

static void send_unanswered(const char *frame, size_t length)
{
    assert_true(test_client_send(&peer, frame, length));
    bystander_let_turn();
}

/* A worker is held in the first message, the second waits for it, and so the third is not read. */
static void start_with_workers_behind(void (*act)(journal *, jz_ws, const jz_event *, const jz_message *))
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    is_held = true;
    holds = has_given_up = false;
    jz_route_options route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    route.max_waiting_events = 1;
    jz_options options = serving_options(1);
    options.close_timeout_ms = LONG_MS;
    const serving_route routes[] = {{"/", journal_handle, &seen, &route}, BYSTANDER_ROUTE};
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
    send_unanswered(FRAMES_OF(A));
    assert_eventually(holds);
    bystander_let_turn(); /* which takes it that nothing waits now */
    send_unanswered(FRAMES_OF(B));
    send_unanswered(FRAMES_OF(C));
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    /* The bystander's two messages, each time, and two of the peer's. */
    assert_int_equal(statistics.messages_received[JZ_MESSAGE_TEXT], 4 * 2 + 2);
}

/* Answers the close frame; the connection ends while the worker is still held. */
static void answer_close(uint16_t code)
{
    test_client_send_frame(&peer, &(test_frame)CLOSE_OF(code, BYTES("")));
    assert_true(test_client_sees_end(&peer));
    assert_false(has_given_up);
    assert_int_equal(seen.closes, 0);
    is_held = false;
}

static void who_closes_sees_the_answer(void **state)
{
    (void)state;
    start_with_workers_behind(hold);
    assert_int_equal(jz_ws_close(journal_handle_of(&seen, 0), 4000, "enough", 6), JZ_SEND_QUEUED);
    test_client_expect(&peer, JZ_OPCODE_CLOSE,
                       "\x0F\xA0"
                       "enough",
                       8);
    answer_close(4000);
    journal_expect(&seen, 1, "open text(a) text(b) close(4000 clean)");
    assert_false(seen.was_reentered);
    bystander_close();
    test_client_close(&peer);
    jz_server_destroy(server);
}

static void a_handler_that_has_ended_its_connection_gets_nothing_that_waited(void **state)
{
    (void)state;
    const struct {
        jz_send_status (*end)(jz_ws ws);
        const char *expected;
    } cases[] = {{close_it, "open text(a) close(4000 clean)"}, {jz_ws_terminate, "open text(a) close(1006 unclean)"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        end = cases[i].end;
        start_with_workers_behind(hold_and_end);
        is_held = false;
        if (end == close_it) {
            test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x0F\xA0", 2);
            test_client_send_frame(&peer, &(test_frame)CLOSE(4000, ""));
        }
        assert_eventually(seen.closes == 1);
        journal_expect(&seen, 1, cases[i].expected);
        assert_false(has_given_up);
        bystander_close();
        test_client_close(&peer);
        jz_server_destroy(server);
    }
}

static void a_server_that_stops_sees_the_answer(void **state)
{
    (void)state;
    start_with_workers_behind(hold);
    bystander_close();
    jz_server_stop_within(server, LONG_MS);
    test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
    answer_close(1001);
    journal_expect(&seen, 1, "open text(a) text(b) close(1001 clean)");
    jz_server_wait(server);
    assert_int_equal(jz_server_ending(server).clean, 1);
    assert_int_equal(jz_server_ending(server).cut_off, 0);
    test_client_close(&peer);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_closes_sees_the_answer),
        cmocka_unit_test(a_handler_that_has_ended_its_connection_gets_nothing_that_waited),
        cmocka_unit_test(a_server_that_stops_sees_the_answer),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("workers that are behind", tests, NULL, NULL));
}
