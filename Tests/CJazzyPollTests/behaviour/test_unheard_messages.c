/* What is published while nobody can hear it, or hardly: it costs nothing, and no subscription comes too late. */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/recorder.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LIMIT = 64 * 1024, MESSAGES = 200, LENGTH = 1000 };

#define TOPIC "news", 4

static struct {
    _Atomic uint64_t ws;
    atomic_bool holds; /* the handler has the loop, until it is let go */
    atomic_bool is_let_go;
} loop;

static void hold_the_loop(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        loop.ws = ws.value;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    loop.holds = true;
    test_hold_while(!loop.is_let_go);
    loop.holds = false;
}

static jz_server *start(test_client *client)
{
    loop.ws = 0;
    loop.holds = loop.is_let_go = false;
    jz_options options = serving_options(1);
    options.mailbox_limit = LIMIT;
    const serving_route routes[] = {{"/hold", hold_the_loop, NULL, NULL}};
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/hold")));
    assert_eventually(loop.ws != 0);
    return server;
}

static void hold(test_client *client)
{
    loop.is_let_go = false;
    test_client_send_frame(client, &(test_frame)TEXT("hold"));
    assert_eventually(loop.holds);
}

static void let_go(void)
{
    loop.is_let_go = true;
    assert_eventually(!loop.holds);
}

/* More than the mailbox takes, had it to take them. */
static void expect_that_all_is_unheard(jz_server *server)
{
    static const uint8_t payload[LENGTH];
    size_t before = test_live_bytes();
    uint64_t dropped_before = jz_server_dropped_count(server);
    for (size_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_BINARY, payload, sizeof payload), JZ_SEND_SENT);
        assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_BINARY, payload, sizeof payload), JZ_SEND_SENT);
    }
    assert_true(test_live_bytes() - before < LENGTH);
    assert_int_equal(jz_server_dropped_count(server), dropped_before);
}

static void what_nobody_can_hear_takes_no_room_of_a_loop(void **state)
{
    (void)state;
    test_client client;
    jz_server *server = start(&client);
    hold(&client);
    expect_that_all_is_unheard(server);
    let_go();
    test_client_close(&client);
    jz_server_destroy(server);
}

static void who_subscribes_on_another_thread_hears_what_that_publishes_next(void **state)
{
    (void)state;
    test_client client;
    jz_server *server = start(&client);
    hold(&client);
    assert_int_equal(jz_ws_subscribe((jz_ws){loop.ws}, TOPIC), JZ_SEND_QUEUED);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "first", 5), JZ_SEND_SENT);
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "second", 6), JZ_SEND_SENT);
    let_go();
    test_client_expect(&client, JZ_OPCODE_TEXT, "first", 5);
    test_client_expect(&client, JZ_OPCODE_TEXT, "second", 6);
    test_client_close(&client);
    jz_server_destroy(server);
}

/* However a subscription ends that was on its way, or has arrived. */
static const struct {
    const char *name;
    jz_send_status (*end)(jz_ws ws);
} ends[] = {
    {"it is ended", NULL},
    {"the connection is gone before", jz_ws_terminate},
};

static void nothing_is_heard_any_more_when_the_last_subscription_has_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        test_client holder;
        test_client client;
        jz_server *server = start(&client);
        jz_ws ws = {loop.ws};
        assert_true(test_client_open(&holder, jz_server_port(server), UPGRADE_REQUEST("/hold")));
        assert_eventually(loop.ws != ws.value);
        jz_ws other = {loop.ws};
        hold(&holder);
        if (ends[i].end != NULL)
            assert_int_equal(ends[i].end(ws), JZ_SEND_QUEUED);
        /* Until the mailbox is full, so that some of them are refused. */
        size_t asked = 0;
        while (jz_ws_subscribe(ws, TOPIC) == JZ_SEND_QUEUED)
            asked++;
        assert_that(asked > 1, "%s", ends[i].name);
        let_go();
        if (ends[i].end == NULL)
            assert_eventually(jz_ws_unsubscribe(ws, TOPIC) == JZ_SEND_QUEUED);
        /* When this arrives, so has all that was asked before. */
        assert_eventually(jz_ws_send(other, JZ_MESSAGE_TEXT, "behind", 6) == JZ_SEND_QUEUED);
        test_client_expect(&holder, JZ_OPCODE_TEXT, "behind", 6);
        hold(&holder);
        expect_that_all_is_unheard(server);
        let_go();
        test_client_close(&client);
        test_client_close(&holder);
        jz_server_destroy(server);
    }
}

/* Its messages come from the moment that it is told of a topic, before there is a subscription to be seen. */
static void deliver_at_once(recorder *recorder)
{
    if (recorder->delivered++ == 0)
        assert_int_equal(jz_broker_deliver(recorder->server, TOPIC, JZ_MESSAGE_TEXT, "early", 5), JZ_SEND_SENT);
}

static void what_a_broker_delivers_when_it_is_told_of_the_first_subscription_is_heard(void **state)
{
    (void)state;
    recorder recorder = {.within = deliver_at_once};
    jz_server *server = recorder_run(&recorder, NULL);
    test_client client;
    recorder_open(&client, server);
    test_client_send_frame(&client, &(test_frame)TEXT("+news"));
    test_client_expect(&client, JZ_OPCODE_TEXT, "early", 5);
    test_client_expect(&client, JZ_OPCODE_BINARY, "done", 4);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

static void when_the_loops_have_ended_it_is_closed(void **state)
{
    (void)state;
    test_client client;
    jz_server *server = start(&client);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "late", 4), JZ_SEND_CLOSED);
    test_client_close(&client);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_can_hear_takes_no_room_of_a_loop),
        cmocka_unit_test(who_subscribes_on_another_thread_hears_what_that_publishes_next),
        cmocka_unit_test(nothing_is_heard_any_more_when_the_last_subscription_has_ended),
        cmocka_unit_test(what_a_broker_delivers_when_it_is_told_of_the_first_subscription_is_heard),
        cmocka_unit_test(when_the_loops_have_ended_it_is_closed),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("unheard messages", tests, NULL, NULL));
}
