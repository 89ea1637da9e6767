/*
 * A handler on workers that closes a topic ends its own connection, too, if that has subscribed: then it gets none of
 * the messages that waited, as after jz_ws_close. Else it gets all of them.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "support/allocation.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

#define ENOUGH "enough", 6

static jz_server *server;
static jz_server *other_server;
static journal seen;
static test_client peer;
static test_client witness;
static atomic_size_t witnessed; /* messages of the witness that were handled */
static jz_send_status (*ask)(jz_ws ws);
static atomic_int answer; /* of `ask` */
static atomic_bool is_held;
static atomic_bool holds;

static jz_send_status close_topic(jz_server *of, const char *topic)
{
    return jz_server_close_topic(of, topic, strlen(topic), 4001, ENOUGH);
}

static jz_send_status close_its_topic(jz_ws ws)
{
    (void)ws;
    return close_topic(server, "room");
}

static jz_send_status close_its_topic_among_others(jz_ws ws)
{
    (void)ws;
    close_topic(server, "other");
    close_topic(server, "room");
    return close_topic(server, "other");
}

static jz_send_status subscribe_and_close(jz_ws ws)
{
    jz_ws_subscribe(ws, "late", 4);
    return close_topic(server, "late");
}

static jz_send_status unsubscribe_and_close(jz_ws ws)
{
    jz_ws_unsubscribe(ws, "room", 4);
    return close_topic(server, "room");
}

static jz_send_status close_another_topic(jz_ws ws)
{
    (void)ws;
    return close_topic(server, "other");
}

static jz_send_status close_the_same_topic_of_another_server(jz_ws ws)
{
    (void)ws;
    return close_topic(other_server, "room");
}

static jz_send_status close_with_a_code_that_may_not_be_sent(jz_ws ws)
{
    (void)ws;
    return jz_server_close_topic(server, "room", 4, 1004, ENOUGH);
}

/* Subscribes, asks in the first message once it is let, and again in the close event, with which nothing waits. */
static void hold_and_ask(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, "room", 4);
    else if (event->type == JZ_EVENT_CLOSE)
        close_topic(server, "room");
    if (event->type != JZ_EVENT_MESSAGE || journal->messages > 1)
        return;
    holds = true;
    test_hold_while(is_held);
    answer = (int)ask(ws);
}

static void note_witness(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)message;
    if (event->type == JZ_EVENT_MESSAGE)
        witnessed++;
}

/* Frames with a masking key of zero. */
#define MESSAGES "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c"

/* The only worker is held in the first message, and two wait behind it. */
static void start(jz_send_status (*what)(jz_ws ws))
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = hold_and_ask;
    ask = what;
    answer = -1;
    is_held = true;
    holds = false;
    witnessed = 0;
    jz_route_options route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    jz_options options = serving_options(1);
    options.close_timeout_ms = 3 * TEST_DEADLINE_MS;
    options.worker_threads = 1;
    const serving_route routes[] = {
        {"/", journal_handle, &seen, &route}, {"/witness", note_witness, NULL, &route}, BYSTANDER_ROUTE};
    server = serving_start(&options, routes, COUNT_OF(routes));
    other_server = serving_start(&options, routes, 1);
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&witness, jz_server_port(server), UPGRADE_REQUEST("/witness")));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(jz_server_subscribers(server, "room", 4, NULL, 0) == 1);
    assert_true(test_client_send(&peer, MESSAGES, sizeof MESSAGES - 1));
    assert_eventually(holds);
    bystander_let_turn();
}

/*
 * While the loop does nothing, the worker handles two messages of the witness: it was free for what waited in between,
 * had it taken that.
 */
static void let_ask_while_the_loop_is_held(void)
{
    test_client_send_frame(&witness, &(test_frame)TEXT("1"));
    test_client_send_frame(&witness, &(test_frame)TEXT("2"));
    bystander_let_turn();
    bystander_hold_loop();
    is_held = false;
    assert_eventually(witnessed == 2);
}

static void finish(void)
{
    assert_false(seen.was_reentered);
    bystander_close();
    test_client_close(&peer);
    test_client_close(&witness);
    jz_server_destroy(server);
    jz_server_destroy(other_server);
}

static void who_closes_its_topic_gets_nothing_that_waited(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {close_its_topic, close_its_topic_among_others, subscribe_and_close};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        start(ways[i]);
        let_ask_while_the_loop_is_held();
        assert_int_equal(answer, JZ_SEND_SENT);
        assert_int_equal(seen.messages, 1);
        bystander_release_loop();
        test_client_expect(&peer, JZ_OPCODE_CLOSE,
                           "\x0F\xA1"
                           "enough",
                           8);
        test_client_send_frame(&peer, &(test_frame)CLOSE(4001, "enough"));
        journal_expect(&seen, 1, "open text(a) close(4001 clean enough)");
        finish();
    }
}

static void who_is_not_closed_gets_all_that_waited(void **state)
{
    (void)state;
    static const struct {
        jz_send_status (*ask)(jz_ws ws);
        jz_send_status answer;
    } cases[] = {{unsubscribe_and_close, JZ_SEND_SENT},
                 {close_another_topic, JZ_SEND_SENT},
                 {close_the_same_topic_of_another_server, JZ_SEND_SENT},
                 {close_with_a_code_that_may_not_be_sent, JZ_SEND_DROPPED}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        start(cases[i].ask);
        is_held = false;
        assert_eventually(seen.messages == 3);
        assert_int_equal(answer, cases[i].answer);
        test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
        journal_expect(&seen, 1, "open text(a) text(b) text(c) close(1000 clean)");
        finish();
    }
}

static void send_close(void)
{
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, "bye"));
}

static void reset(void)
{
    test_client_reset(&peer);
}

static void stop_server(void)
{
    jz_server_stop(server);
    test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1001, ""));
}

/* As jz_ws_close, which would be CLOSED for the connection. */
static void who_closes_its_topic_too_late_gets_nothing_that_waited(void **state)
{
    (void)state;
    static const struct {
        void (*end)(void);
        jz_send_status answer;
        const char *told;
    } cases[] = {{send_close, JZ_SEND_SENT, "open text(a) close(1000 clean bye)"},
                 {reset, JZ_SEND_SENT, "open text(a) error(the connection was lost) close(1006 unclean)"},
                 {stop_server, JZ_SEND_CLOSED, "open text(a) close(1001 clean)"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        start(close_its_topic);
        cases[i].end();
        assert_eventually(!jz_ws_is_open(journal_handle_of(&seen, 0)));
        is_held = false;
        journal_expect(&seen, 1, cases[i].told);
        assert_int_equal(answer, cases[i].answer);
        finish();
    }
}

/* Nor does jz_ws_close end anything with such a code. */
static void who_may_not_close_its_topic_gets_all_that_waited_though_the_server_stops(void **state)
{
    (void)state;
    start(close_with_a_code_that_may_not_be_sent);
    stop_server();
    assert_eventually(!jz_ws_is_open(journal_handle_of(&seen, 0)));
    is_held = false;
    journal_expect(&seen, 1, "open text(a) text(b) text(c) close(1001 clean)");
    assert_int_equal(answer, JZ_SEND_CLOSED);
    finish();
}

static void a_server_that_ends_meanwhile_keeps_nothing_of_it(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    start(close_its_topic);
    let_ask_while_the_loop_is_held();
    jz_server_stop_within(server, 0);
    bystander_release_loop();
    jz_server_wait(server);
    assert_int_equal(seen.messages, 1);
    assert_int_equal(seen.closes, 1);
    finish();
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_closes_its_topic_gets_nothing_that_waited),
        cmocka_unit_test(who_is_not_closed_gets_all_that_waited),
        cmocka_unit_test(who_closes_its_topic_too_late_gets_nothing_that_waited),
        cmocka_unit_test(who_may_not_close_its_topic_gets_all_that_waited_though_the_server_stops),
        cmocka_unit_test(a_server_that_ends_meanwhile_keeps_nothing_of_it),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("closing topics on workers", tests, NULL, NULL));
}
