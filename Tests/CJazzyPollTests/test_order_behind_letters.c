/*
 * What a handler does comes after what other threads asked before, also where that is more than a turn of the loop
 * takes: then it is put behind it.
 */
#include <stdatomic.h>

#include "../../Sources/CJazzyPoll/codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { BEFORE = 20000 };

static const char topic[] = "topic";

static struct {
    jz_server *server;
    _Atomic uint64_t ws;
    atomic_bool holds; /* the handler has the loop, until it is let go */
    atomic_bool is_let_go;
    atomic_int answer;
} loop;

static jz_send_status send_last(jz_ws ws)
{
    return jz_ws_send(ws, JZ_MESSAGE_TEXT, "last", 4);
}

static jz_send_status publish_last(jz_ws ws)
{
    (void)ws;
    return jz_server_publish(loop.server, topic, strlen(topic), JZ_MESSAGE_TEXT, "last", 4);
}

static jz_send_status publish_last_as_nobody_there(jz_ws ws)
{
    /* The subscriber itself is left out, so it says it a second time by a send. */
    jz_send_status status = jz_ws_publish(ws, topic, strlen(topic), JZ_MESSAGE_TEXT, "not for me", 10);
    return send_last(ws) == JZ_SEND_QUEUED ? status : JZ_SEND_DROPPED;
}

static jz_send_status (*say_last)(jz_ws ws);

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, topic, strlen(topic));
        loop.ws = ws.value;
    } else if (event->type == JZ_EVENT_MESSAGE) {
        uint64_t deadline = test_deadline();
        loop.holds = true;
        while (!loop.is_let_go && test_pause_before(deadline))
            continue;
        loop.answer = (int)say_last(ws);
    }
}

static test_client client;

/* A server with a client whose handler holds the loop, and will say `say` when it is let go; much was sent before. */
static void start_and_send_before(jz_send_status (*say)(jz_ws ws))
{
    say_last = say;
    loop.ws = 0;
    loop.holds = loop.is_let_go = false;
    jz_options options = serving_options(1);
    const serving_route routes[] = {{"/", handle, NULL, NULL}};
    loop.server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&client, jz_server_port(loop.server), UPGRADE_REQUEST("/")));
    assert_eventually(loop.ws != 0);
    test_client_send_frame(&client, &(test_frame)TEXT("hold"));
    assert_eventually(loop.holds);
    for (int i = 0; i < BEFORE; i++)
        assert_int_equal(jz_ws_send((jz_ws){loop.ws}, JZ_MESSAGE_TEXT, "before", 6), JZ_SEND_QUEUED);
}

static void expect_last_after_all_before(void)
{
    loop.is_let_go = true;
    for (int i = 0; i < BEFORE; i++)
        test_client_expect(&client, JZ_OPCODE_TEXT, "before", 6);
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(loop.server);
}

static void what_a_handler_says_comes_after_all_that_was_asked_before(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {send_last, publish_last, publish_last_as_nobody_there};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        start_and_send_before(ways[i]);
        expect_last_after_all_before();
        assert_true(loop.answer == JZ_SEND_QUEUED || loop.answer == JZ_SEND_SENT);
        finish();
    }
}

static void what_was_sent_before_a_stop_goes_out_before_the_close(void **state)
{
    (void)state;
    start_and_send_before(send_last);
    jz_server_stop(loop.server);
    expect_last_after_all_before();
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_handler_says_comes_after_all_that_was_asked_before),
        cmocka_unit_test(what_was_sent_before_a_stop_goes_out_before_the_close),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("order behind letters", tests, NULL, NULL));
}
