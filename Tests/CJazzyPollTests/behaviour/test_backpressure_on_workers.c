/*
 * JZ_BACKPRESSURE_CLOSE, where the handler runs on workers: if what it sends itself is too much, it gets none of the
 * messages that wait when its connection is closed, as on the loop. If it is another's, or the peer has gone, it gets
 * them all.
 */
#define _POSIX_C_SOURCE 200809L

#include "codec/frame_header.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LIMIT = 16 * 1024, SLOW_RECEIVE_BUFFER = 4096 };

#define ROOM "room", 4

static jz_server *server;
static journal seen;
static test_client peer;
static const uint8_t piece[LIMIT / 2];
static void (*fill)(jz_ws ws); /* sends a piece; NULL: the handler sends nothing */
static atomic_bool is_held;
static atomic_bool holds;
static atomic_bool is_held_again; /* after it has sent */
static atomic_bool has_sent;

static void send_piece(jz_ws ws)
{
    jz_ws_send(ws, JZ_MESSAGE_BINARY, piece, sizeof piece);
}

static void publish_piece(jz_ws ws)
{
    (void)ws;
    jz_server_publish(server, ROOM, JZ_MESSAGE_BINARY, piece, sizeof piece);
}

static void publish_piece_to_itself_too(jz_ws ws)
{
    jz_ws_publish_with(ws, ROOM, JZ_MESSAGE_BINARY, piece, sizeof piece, &(jz_publish_options){.including_self = true});
}

/* More and more, until the connection is closed. */
static void overfill(jz_ws ws, void (*with)(jz_ws ws))
{
    uint64_t deadline = test_deadline();
    while (jz_ws_is_open(ws) && test_is_before(deadline))
        with(ws);
}

static void subscribe_and_overfill(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, ROOM);
    if (event->type != JZ_EVENT_MESSAGE || journal->messages > 1)
        return;
    holds = true;
    if (fill != NULL)
        overfill(ws, fill);
    test_hold_while(is_held);
}

typedef void (*action)(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message);

static void start_with(jz_execution execution, jz_backpressure_policy policy, action act)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    is_held = is_held_again = execution == JZ_EXECUTION_WORKERS;
    holds = has_sent = false;
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    route.backpressure_limit = LIMIT;
    route.backpressure_policy = policy;
    route.kernel_send_limit = SLOW_RECEIVE_BUFFER;
    jz_options options = serving_options(1);
    options.close_timeout_ms = 3 * TEST_DEADLINE_MS;
    const serving_route routes[] = {{"/", journal_handle, &seen, &route}, BYSTANDER_ROUTE};
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_connect(&peer, jz_server_port(server), SLOW_RECEIVE_BUFFER));
    assert_true(test_client_upgrade(&peer, UPGRADE_REQUEST("/")));
}

static void start(jz_execution execution, void (*with)(jz_ws ws))
{
    fill = with;
    start_with(execution, JZ_BACKPRESSURE_CLOSE, subscribe_and_overfill);
    assert_eventually(jz_server_subscribers(server, ROOM, NULL, 0) == 1);
}

static void finish(void)
{
    assert_false(seen.was_reentered);
    bystander_close();
    jz_server_destroy(server);
}

/* Frames with a masking key of zero. */
#define MESSAGES "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c"

static void send_messages(void)
{
    assert_true(test_client_send(&peer, MESSAGES, sizeof MESSAGES - 1));
}

/* The client answers the close frame, which comes behind all that was sent before. */
static void expect_journal_of_who_was_closed(const char *expected)
{
    test_received frame;
    do
        assert_true(test_client_take_frame(&peer, &frame));
    while (frame.opcode != JZ_OPCODE_CLOSE);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_TRY_AGAIN_LATER);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1013, ""));
    journal_expect(&seen, 1, expected);
    test_client_close(&peer);
    finish();
}

static void who_sends_itself_too_much_gets_nothing_that_waits(void **state)
{
    (void)state;
    void (*const ways[])(jz_ws ws) = {send_piece, publish_piece, publish_piece_to_itself_too};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        start(JZ_EXECUTION_WORKERS, ways[i]);
        send_messages();
        assert_eventually(holds && !jz_ws_is_open(journal_handle_of(&seen, 0)));
        bystander_let_turn();
        is_held = false;
        expect_journal_of_who_was_closed("open text(a) close(1013 clean)");

        start(JZ_EXECUTION_LOOP, ways[i]);
        send_messages();
        expect_journal_of_who_was_closed("open text(a) close(1013 clean)");
    }
}

static void send_itself_more_than_waits(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE || journal->messages > 1)
        return;
    holds = true;
    test_hold_while(is_held);
    for (int i = 0; i < 3; i++)
        send_piece(ws);
    has_sent = true;
    test_hold_while(is_held_again);
}

/* The loop learns of the reset by sending, because the handler has sent more than may wait; it has not ended it. */
static void who_sends_too_much_to_a_peer_that_has_gone_gets_all_that_waits(void **state)
{
    (void)state;
    for (int policy = JZ_BACKPRESSURE_DROP; policy <= JZ_BACKPRESSURE_REPORT; policy++) {
        start_with(JZ_EXECUTION_WORKERS, (jz_backpressure_policy)policy, send_itself_more_than_waits);
        send_messages();
        assert_eventually(holds);
        bystander_let_turn();
        bystander_hold_loop();
        test_client_reset(&peer);
        is_held = false;
        assert_eventually(has_sent);
        bystander_release_loop();
        assert_eventually(!jz_ws_is_open(journal_handle_of(&seen, 0)));
        is_held_again = false;
        journal_expect(&seen, 1, "open text(a) text(b) text(c) error(the connection was lost) close(1006 unclean)");
        finish();
    }
}

static void who_is_sent_too_much_by_another_gets_all_that_waits(void **state)
{
    (void)state;
    void (*const ways[])(jz_ws ws) = {send_piece, publish_piece};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        start(JZ_EXECUTION_WORKERS, NULL);
        send_messages();
        assert_eventually(holds);
        bystander_let_turn();
        overfill(journal_handle_of(&seen, 0), ways[i]);
        is_held = false;
        expect_journal_of_who_was_closed("open text(a) text(b) text(c) close(1013 clean)");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_sends_itself_too_much_gets_nothing_that_waits),
        cmocka_unit_test(who_sends_too_much_to_a_peer_that_has_gone_gets_all_that_waits),
        cmocka_unit_test(who_is_sent_too_much_by_another_gets_all_that_waits),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("backpressure on workers", tests, NULL, NULL));
}
