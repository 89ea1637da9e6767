/*
 * Who is sent much by another thread is read between the portions: more may be sent in each iteration, and then its
 * pings and its close would never be read. But what the kernel does not take of it is backpressure, as always.
 */
#include <stdatomic.h>

#include "output/output.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/slow_reader.h"
#include "support/testing.h"

enum {
    LENGTH = 1000 * 1000,    /* less than what the kernel takes for a peer that does not read */
    MUCH = 16 * 1024 * 1024, /* more than that */
    HEADER = 10,             /* bytes of the server's frame for either, §5.2 */
    LOW_LIMIT = 64 * 1024,   /* of backpressure: less than either */
    HIGH_LIMIT = 4 * MUCH
};

static jz_server *server;
static journal seen;
static test_client peer;
static uint8_t *content;
static atomic_size_t waits;    /* of its output, when the peer's message is handled */
static atomic_int sent_status; /* of the answer */

static void answer(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    waits = jz_ws_buffered_amount(ws);
    sent_status = (int)jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static jz_ws connection(void)
{
    return journal_handle_of(&seen, 0);
}

static void start(size_t limit)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = answer;
    waits = 0;
    sent_status = -1;
    jz_options options = serving_options(1);
    options.mailbox_limit = 2UL * MUCH;
    jz_route_options route = jz_route_options_default();
    route.backpressure_limit = limit;
    const serving_route routes[] = {{"/", journal_handle, &seen, &route}, BYSTANDER_ROUTE};
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
    content = slow_reader_message(MUCH);
    assert_non_null(content);
}

static void finish(void)
{
    bystander_close();
    test_client_close(&peer);
    jz_server_destroy(server);
    free(content);
}

/* The peer asks when the loop has the first portion to send, or before: it is not read earlier. */
static void send_and_ask(size_t length)
{
    bystander_hold_loop();
    assert_int_equal(jz_ws_send(connection(), JZ_MESSAGE_BINARY, content, length), JZ_SEND_QUEUED);
    test_client_send_frame(&peer, &(test_frame)TEXT("ask"));
}

static void expect_message_and_answer(size_t length)
{
    assert_true(slow_reader_skip(&peer, HEADER));
    assert_true(slow_reader_take(&peer, 0, length));
    test_client_expect(&peer, JZ_OPCODE_TEXT, "ask", 3);
    assert_eventually(jz_ws_buffered_amount(connection()) == 0);
}

static void a_peer_is_read_between_the_portions(void **state)
{
    (void)state;
    start(HIGH_LIMIT);
    send_and_ask(LENGTH);
    bystander_release_loop();
    assert_eventually(seen.messages == 1);
    assert_true(waits >= LENGTH - 2 * JZ_SEND_PORTION);
    expect_message_and_answer(LENGTH);
    finish();
}

static void so_is_one_that_was_not_read_before(void **state)
{
    (void)state;
    start(HIGH_LIMIT);
    assert_int_equal(jz_ws_pause_reading(connection()), JZ_SEND_QUEUED);
    bystander_let_turn();
    send_and_ask(LENGTH);
    assert_int_equal(jz_ws_resume_reading(connection()), JZ_SEND_QUEUED);
    bystander_release_loop();
    assert_eventually(seen.messages == 1);
    assert_true(waits >= LENGTH - 2 * JZ_SEND_PORTION);
    expect_message_and_answer(LENGTH);
    finish();
}

/* The answer would be dropped if too much still waited. */
static void where_too_much_waits_the_kernel_gets_it_before_the_peer_is_read(void **state)
{
    (void)state;
    static const size_t lengths[] = {LENGTH, MUCH};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        start(LOW_LIMIT);
        send_and_ask(lengths[i]);
        bystander_release_loop();
        expect_message_and_answer(lengths[i]);
        assert_true(waits <= LOW_LIMIT / 2);
        assert_true(sent_status == JZ_SEND_SENT || sent_status == JZ_SEND_QUEUED);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_read_between_the_portions),
        cmocka_unit_test(so_is_one_that_was_not_read_before),
        cmocka_unit_test(where_too_much_waits_the_kernel_gets_it_before_the_peer_is_read),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("reading between portions", tests, NULL, NULL));
}
