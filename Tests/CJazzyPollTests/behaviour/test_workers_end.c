/*
 * A handler on workers that ends its own connection gets no more messages, whoever was first, as on the loop. The error
 * event and the close event still come.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

static jz_server *server;
static journal seen;
static test_client peer;
static jz_send_status (*end)(jz_ws ws);
static atomic_int answer; /* of the last `end` */
static atomic_bool is_held;
static atomic_bool holds;
static atomic_bool has_given_up; /* holding, for it took too long */

static jz_send_status close_it(jz_ws ws)
{
    return jz_ws_close(ws, 4000, "", 0);
}

static jz_send_status close_with_a_code_that_may_not_be_sent(jz_ws ws)
{
    return jz_ws_close(ws, 1004, "", 0);
}

static jz_send_status close_with_a_reason_that_is_no_text(jz_ws ws)
{
    return jz_ws_close(ws, 4000, "\xFF", 1);
}

/* In the first message, or in each if there are more. */
static void hold_and_end(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    holds = true;
    test_hold_while(is_held);
    if (is_held)
        has_given_up = true;
    answer = (int)end(ws);
}

static void start(jz_execution execution, jz_send_status (*way)(jz_ws ws), bool holds_back)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = hold_and_end;
    end = way;
    answer = -1;
    is_held = holds_back;
    holds = has_given_up = false;
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    jz_options options = serving_options(1);
    options.mailbox_limit = 64 * 1024;
    const serving_route routes[] = {{"/", journal_handle, &seen, &route}, BYSTANDER_ROUTE};
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
}

static void finish(void)
{
    assert_false(has_given_up);
    assert_false(seen.was_reentered);
    bystander_close();
    test_client_close(&peer);
    jz_server_destroy(server);
}

/* Frames with a masking key of zero. */
#define MESSAGES "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c"

static void send_messages(void)
{
    assert_true(test_client_send(&peer, MESSAGES, sizeof MESSAGES - 1));
}

static void send_close(void)
{
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, "bye"));
}

static void stop_sending(void)
{
    test_client_stop_sending(&peer);
}

static void reset(void)
{
    test_client_reset(&peer);
}

#define LOST "error(the connection was lost) close(1006 unclean)"

/* How a peer ends a connection, and what of that a handler is told. */
static const struct {
    void (*end)(void);
    const char *told;
} ends_of_peers[] = {
    {send_close, "close(1000 clean bye)"},
    {stop_sending, "close(1006 unclean)"},
    {reset, LOST},
};

/* The worker is held in the first message, and two wait behind it, when the loop sees that the peer has ended it. */
static void start_with_an_end_of_the_peer(jz_send_status (*way)(jz_ws ws), void (*end_of_peer)(void))
{
    start(JZ_EXECUTION_WORKERS, way, true);
    send_messages();
    assert_eventually(holds);
    bystander_let_turn();
    end_of_peer();
    assert_eventually(!jz_ws_is_open(journal_handle_of(&seen, 0)));
    is_held = false;
}

static void expect_journal(const char *messages, const char *told)
{
    char expected[JOURNAL_SIZE];
    snprintf(expected, sizeof expected, "open %s %s", messages, told);
    journal_expect(&seen, 1, expected);
}

static void a_handler_that_ends_it_after_its_peer_gets_nothing_that_waited(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {close_it, jz_ws_terminate};
    for (size_t i = 0; i < COUNT_OF(ways) * COUNT_OF(ends_of_peers); i++) {
        size_t peers = i % COUNT_OF(ends_of_peers);
        start_with_an_end_of_the_peer(ways[i / COUNT_OF(ends_of_peers)], ends_of_peers[peers].end);
        expect_journal("text(a)", ends_of_peers[peers].told);
        assert_int_equal(answer, JZ_SEND_CLOSED);
        finish();
    }
}

/* What is refused would have ended nothing before, either. */
static void a_handler_that_closes_with_what_may_not_be_sent_gets_all_that_waited(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {close_with_a_code_that_may_not_be_sent,
                                                close_with_a_reason_that_is_no_text};
    for (size_t i = 0; i < COUNT_OF(ways) * COUNT_OF(ends_of_peers); i++) {
        size_t peers = i % COUNT_OF(ends_of_peers);
        start_with_an_end_of_the_peer(ways[i / COUNT_OF(ends_of_peers)], ends_of_peers[peers].end);
        expect_journal("text(a) text(b) text(c)", ends_of_peers[peers].told);
        assert_int_equal(answer, JZ_SEND_CLOSED);
        finish();
    }
}

static void expect_one_message_before_the_peers_close(jz_execution execution)
{
    start(execution, close_it, false);
    static const char frames[] = MESSAGES "\x88\x82\0\0\0\0\x03\xE8";
    assert_true(test_client_send(&peer, frames, sizeof frames - 1));
    assert_eventually(seen.closes == 1);
    journal_expect(&seen, 1, "open text(a) close(1000 clean)");
    finish();
}

/* On workers the close frame may have been answered before the handler of the first message is called, or not. */
static void messages_and_a_close_that_come_together_are_one_message_for_who_closes(void **state)
{
    (void)state;
    expect_one_message_before_the_peers_close(JZ_EXECUTION_LOOP);
    expect_one_message_before_the_peers_close(JZ_EXECUTION_WORKERS);
}

static void expect_the_error_after_a_close(jz_execution execution)
{
    start(execution, close_it, false);
    send_messages();
    test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x0F\xA0", 2);
    assert_eventually(answer == JZ_SEND_SENT || answer == JZ_SEND_QUEUED);
    reset();
    expect_journal("text(a)", LOST);
    finish();
}

static void who_has_closed_hears_that_the_connection_was_lost_before_the_answer(void **state)
{
    (void)state;
    expect_the_error_after_a_close(JZ_EXECUTION_LOOP);
    expect_the_error_after_a_close(JZ_EXECUTION_WORKERS);
}

/* Else it would be called with the next one, and its connection stay open. */
static void a_handler_ends_its_connection_though_the_mailbox_is_full(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {close_it, jz_ws_terminate};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        start(JZ_EXECUTION_WORKERS, ways[i], true);
        send_messages();
        assert_eventually(holds);
        bystander_let_turn();
        bystander_hold_loop();
        while (jz_ws_unsubscribe(journal_handle_of(&seen, 0), "none", 4) == JZ_SEND_QUEUED)
            continue;
        is_held = false;
        assert_eventually(answer >= 0);
        assert_int_equal(answer, JZ_SEND_QUEUED);
        bystander_release_loop();
        if (ways[i] == close_it) {
            test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x0F\xA0", 2);
            test_client_send_frame(&peer, &(test_frame)CLOSE(4000, ""));
        }
        expect_journal("text(a)", ways[i] == close_it ? "close(4000 clean)" : "close(1006 unclean)");
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_that_ends_it_after_its_peer_gets_nothing_that_waited),
        cmocka_unit_test(a_handler_that_closes_with_what_may_not_be_sent_gets_all_that_waited),
        cmocka_unit_test(messages_and_a_close_that_come_together_are_one_message_for_who_closes),
        cmocka_unit_test(who_has_closed_hears_that_the_connection_was_lost_before_the_answer),
        cmocka_unit_test(a_handler_ends_its_connection_though_the_mailbox_is_full),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("ending on workers", tests, NULL, NULL));
}
