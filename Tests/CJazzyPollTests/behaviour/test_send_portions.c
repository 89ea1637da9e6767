/*
 * Much output of one connection does not delay the others of its loop: it is given to the kernel in portions, one in
 * each iteration. Nothing else is different from output that is given at once.
 */
#include <stdatomic.h>

#include "jazzy.h"
#include "output/output.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/slow_reader.h"
#include "support/testing.h"

enum {
    LENGTH = 1000 * 1000,   /* less than what the kernel takes for a peer that does not read */
    HEADER = 10,            /* bytes of the server's frame for it, §5.2 */
    HALF = 400 * 1000,      /* the kernel takes two of these */
    LIMIT = 64 * 1024,      /* of a route: less than any of them */
    MUCH = 16 * 1024 * 1024 /* more than the kernel takes */
};

static struct {
    void (*act)(jz_ws ws, const jz_message *message);
    _Atomic uint64_t large; /* the connection that has the large message sent */
    _Atomic uint64_t other;
    atomic_int closes;
    atomic_int sent_status;      /* SENT: of all messages */
    atomic_size_t waits_at_once; /* of its output, when the handler has sent it */
    atomic_size_t waits_later;   /* and of both, when the other is heard */
    atomic_bool holds;
    atomic_bool is_let_go;
    atomic_int notices; /* drained or dropped */
} seen;

static void hold(void)
{
    seen.holds = true;
    test_hold_while(!seen.is_let_go);
    seen.holds = seen.is_let_go = false;
}

static void take_large(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN)
        seen.large = ws.value;
    if (event->type == JZ_EVENT_MESSAGE)
        seen.act(ws, message);
    seen.closes += event->type == JZ_EVENT_CLOSE;
}

static void take_other(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    seen.other = ws.value;
    seen.waits_later = jz_ws_buffered_amount((jz_ws){seen.large}) + jz_ws_buffered_amount(ws);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "heard", 5);
    if (message->bytes[0] == 'h')
        hold();
    else if (message->bytes[0] == 's')
        seen.sent_status = (int)jz_ws_send((jz_ws){seen.large}, JZ_MESSAGE_TEXT, "x", 1);
}

static void note(void *context, jz_ws ws)
{
    (void)context;
    (void)ws;
    seen.notices++;
}

static void echo(jz_ws ws, const jz_message *message)
{
    seen.sent_status |= (int)jz_ws_send(ws, message->kind, message->bytes, message->length);
    seen.waits_at_once = jz_ws_buffered_amount(ws);
}

static void echo_and_hold(jz_ws ws, const jz_message *message)
{
    echo(ws, message);
    hold();
}

static test_client peer;
static test_client other;
static jz_server *server;
static uint8_t *content;

static void start(void (*act)(jz_ws ws, const jz_message *message))
{
    memset(&seen, 0, sizeof seen);
    seen.act = act;
    jz_options options = serving_options(1);
    options.mailbox_limit = 2UL * MUCH;
    jz_route_options limited = jz_route_options_default();
    limited.backpressure_limit = LIMIT;
    limited.drained = note;
    jz_route_options roomy = jz_route_options_default(); /* so much may wait for who is read */
    roomy.backpressure_limit = 2UL * MUCH;
    server = serving_start(
        &options, (serving_route[]){{"/large", take_large, NULL, &limited}, {"/other", take_other, NULL, &roomy}}, 2);
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/large")));
    assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/other")));
    content = slow_reader_message(MUCH);
    assert_non_null(content);
}

static void finish_without_peer(void)
{
    test_client_close(&other);
    jz_server_destroy(server);
    free(content);
}

static void finish(void)
{
    test_client_close(&peer);
    finish_without_peer();
}

static void send_message(size_t length)
{
    test_client_send_frame(&peer, &(test_frame)BINARY_OF({(const char *)content, length, length}));
}

static void expect_message(size_t length)
{
    assert_true(slow_reader_skip(&peer, HEADER));
    assert_true(slow_reader_take(&peer, 0, length));
}

static void others_have_their_turn_between_the_portions_of_a_large_answer(void **state)
{
    (void)state;
    start(echo_and_hold);
    send_message(LENGTH);
    assert_eventually(seen.holds);
    assert_true(seen.waits_at_once >= LENGTH - JZ_SEND_PORTION && seen.waits_at_once < LENGTH);
    test_client_send_frame(&other, &(test_frame)TEXT("ask"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    /* Perhaps the portion of that iteration had come before. */
    size_t waits = seen.waits_later;
    assert_that(waits <= LENGTH - JZ_SEND_PORTION && waits >= LENGTH - 2 * JZ_SEND_PORTION, "%zu bytes wait", waits);
    /* The rest goes to the kernel though the peer takes none of it. */
    assert_eventually(jz_ws_buffered_amount((jz_ws){seen.large}) == 0);
    expect_message(LENGTH);
    finish();
}

/* Keeps the loop in the other's handler, in an iteration in which a part of the answer waits. */
static void hold_with_a_part_waiting(void)
{
    send_message(LENGTH);
    assert_eventually(seen.holds);
    test_client_send_frame(&other, &(test_frame)TEXT("hold"));
    seen.is_let_go = true;
    assert_eventually(seen.holds && seen.waits_later > 0);
}

static void send_from_this_thread(size_t length)
{
    test_client_send_frame(&other, &(test_frame)TEXT("hold"));
    assert_eventually(seen.holds);
    assert_int_equal(jz_ws_send((jz_ws){seen.large}, JZ_MESSAGE_BINARY, content, length), JZ_SEND_QUEUED);
}

static void others_have_their_turn_between_the_portions_of_what_another_thread_sends(void **state)
{
    (void)state;
    start(echo);
    send_from_this_thread(LENGTH);
    test_client_send_frame(&other, &(test_frame)TEXT("ask"));
    seen.is_let_go = true;
    for (int i = 0; i < 2; i++)
        test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    assert_true(seen.waits_later >= LENGTH - 2 * JZ_SEND_PORTION);
    assert_eventually(jz_ws_buffered_amount((jz_ws){seen.large}) == 0);
    expect_message(LENGTH);
    assert_int_equal(seen.notices, 0);
    finish();
}

/* In the iteration after the next: one of the two had waited for its turn, and is sent with what there is of it. */
static void where_two_have_much_to_send_neither_waits_long(void **state)
{
    (void)state;
    start(echo);
    send_from_this_thread(LENGTH);
    assert_int_equal(jz_ws_send((jz_ws){seen.other}, JZ_MESSAGE_BINARY, content, LENGTH), JZ_SEND_QUEUED);
    test_client_send_frame(&other, &(test_frame)TEXT("hold"));
    seen.is_let_go = true;
    assert_eventually(seen.holds && seen.waits_later > 0);
    assert_int_equal(seen.waits_later, HEADER + LENGTH - JZ_SEND_PORTION);
    test_client_send_frame(&other, &(test_frame)TEXT("ask"));
    seen.is_let_go = true;
    expect_message(LENGTH);
    assert_eventually(seen.waits_later == 0);
    finish();
}

static void send_twice(jz_ws ws, const jz_message *message)
{
    echo(ws, message);
    echo(ws, message);
}

static void a_rest_that_the_kernel_would_take_is_no_backpressure(void **state)
{
    (void)state;
    start(send_twice);
    send_message(HALF);
    expect_message(HALF);
    expect_message(HALF);
    assert_int_equal(seen.sent_status, JZ_SEND_SENT);
    assert_eventually(jz_ws_buffered_amount((jz_ws){seen.large}) == 0);
    assert_int_equal(seen.notices, 0);
    finish();
}

static void a_message_of_one_portion_is_sent_at_once(void **state)
{
    (void)state;
    start(echo);
    for (size_t length = JZ_SEND_PORTION - 1; length <= JZ_SEND_PORTION + 1; length++) {
        send_message(length);
        expect_message(length);
        assert_int_equal(seen.waits_at_once, length > JZ_SEND_PORTION ? 1 : 0);
    }
    finish();
}

/* Where a send finds too much waiting, the kernel is given all of it; what it does not take is backpressure. */
static void a_rest_that_the_kernel_does_not_take_waits_until_the_peer_does(void **state)
{
    (void)state;
    start(echo);
    send_from_this_thread(MUCH);
    test_client_send_frame(&other, &(test_frame)TEXT("send"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    expect_message(MUCH);
    assert_eventually(jz_ws_buffered_amount((jz_ws){seen.large}) == 0);
    assert_eventually(seen.notices == 1);
    assert_int_equal(seen.sent_status, JZ_SEND_DROPPED);
    finish();
}

static const uint8_t normal[] = {JZ_CLOSE_NORMAL >> 8, JZ_CLOSE_NORMAL & 0xFF};

static void echo_then_close(jz_ws ws, const jz_message *message)
{
    echo(ws, message);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "behind", 6);
    jz_ws_close(ws, JZ_CLOSE_NORMAL, "", 0);
}

static void what_is_sent_after_it_comes_behind_all_of_it(void **state)
{
    (void)state;
    start(echo_then_close);
    send_message(LENGTH);
    expect_message(LENGTH);
    test_client_expect(&peer, JZ_OPCODE_TEXT, "behind", 6);
    test_client_expect(&peer, JZ_OPCODE_CLOSE, normal, sizeof normal);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
    assert_true(test_client_sees_end(&peer));
    assert_eventually(seen.closes == 1);
    finish();
}

/* Each is read when the answer to the one before it is with the kernel. */
static void messages_and_the_close_behind_them_are_answered_in_their_order(void **state)
{
    (void)state;
    start(echo);
    for (size_t i = 0; i < 3; i++)
        send_message(HALF + i);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
    for (size_t i = 0; i < 3; i++)
        expect_message(HALF + i);
    test_client_expect(&peer, JZ_OPCODE_CLOSE, normal, sizeof normal);
    assert_true(test_client_sees_end(&peer));
    finish();
}

/* The first allocation is that of the record, the second that of its list; without either a frame is cut off. */
static void echo_without_memory(jz_ws ws, const jz_message *message)
{
    test_allocations_fail_after(message->bytes[0]);
    echo(ws, message);
    seen.sent_status = (int)test_allocations_succeed();
}

static void without_memory_for_the_rest_the_connection_ends(void **state)
{
    (void)state;
    for (size_t allocations = 0; allocations < 2; allocations++) {
        start(echo_without_memory);
        content[0] = (uint8_t)allocations;
        send_message(LENGTH);
        assert_true(slow_reader_skip(&peer, HEADER + 1));
        assert_true(slow_reader_take(&peer, 1, JZ_SEND_PORTION - 1));
        assert_true(test_client_sees_end(&peer));
        assert_eventually(seen.closes == 1);
        assert_int_equal(seen.sent_status, 1);
        finish();
    }
}

static void echo_then_terminate(jz_ws ws, const jz_message *message)
{
    echo(ws, message);
    jz_ws_terminate(ws);
}

static void what_was_sent_before_the_connection_is_terminated_arrives(void **state)
{
    (void)state;
    start(echo_then_terminate);
    send_message(LENGTH);
    expect_message(LENGTH);
    assert_true(test_client_sees_end(&peer));
    finish();
}

static void what_was_sent_before_the_server_cuts_connections_off_arrives(void **state)
{
    (void)state;
    start(echo_and_hold);
    hold_with_a_part_waiting();
    jz_server_stop_within(server, 0);
    seen.is_let_go = true;
    expect_message(LENGTH);
    jz_server_wait(server);
    assert_int_equal(seen.closes, 1);
    finish();
}

static void who_resets_the_connection_meanwhile_is_released(void **state)
{
    (void)state;
    start(echo_and_hold);
    hold_with_a_part_waiting();
    test_client_reset(&peer);
    seen.is_let_go = true;
    assert_eventually(seen.closes == 1);
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    finish_without_peer();
}

static void a_peer_that_has_ended_its_side_gets_the_rest(void **state)
{
    (void)state;
    start(echo_and_hold);
    hold_with_a_part_waiting();
    test_client_stop_sending(&peer);
    seen.is_let_go = true;
    expect_message(LENGTH);
    assert_eventually(seen.closes == 1);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_have_their_turn_between_the_portions_of_a_large_answer),
        cmocka_unit_test(others_have_their_turn_between_the_portions_of_what_another_thread_sends),
        cmocka_unit_test(where_two_have_much_to_send_neither_waits_long),
        cmocka_unit_test(a_message_of_one_portion_is_sent_at_once),
        cmocka_unit_test(a_rest_that_the_kernel_would_take_is_no_backpressure),
        cmocka_unit_test(a_rest_that_the_kernel_does_not_take_waits_until_the_peer_does),
        cmocka_unit_test(what_is_sent_after_it_comes_behind_all_of_it),
        cmocka_unit_test(messages_and_the_close_behind_them_are_answered_in_their_order),
        cmocka_unit_test(without_memory_for_the_rest_the_connection_ends),
        cmocka_unit_test(what_was_sent_before_the_connection_is_terminated_arrives),
        cmocka_unit_test(what_was_sent_before_the_server_cuts_connections_off_arrives),
        cmocka_unit_test(who_resets_the_connection_meanwhile_is_released),
        cmocka_unit_test(a_peer_that_has_ended_its_side_gets_the_rest),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("portions of output", tests, NULL, NULL));
}
