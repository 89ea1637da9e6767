/* The grace of a stop is over before what a handler has said, behind calls of other threads, has been done. */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

/* Others make more calls than five iterations take, which cost nothing. */
enum { OTHERS = 25000, LATER_MS = 20000, HOLDS = 3 };

static struct {
    _Atomic uint64_t ws;
    atomic_int said;
    atomic_size_t held;      /* handlers that have got the loop */
    atomic_size_t may_go_on; /* of them */
} play;

/* Has the loop until it is let go. */
static void hold(void)
{
    size_t number = ++play.held;
    test_hold_while(play.may_go_on < number);
}

static void speak(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        play.ws = ws.value;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    hold();
    play.said = (int)jz_ws_send(ws, JZ_MESSAGE_TEXT, "last", 4);
}

static void hold_at_the_end(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)message;
    if (event->type == JZ_EVENT_CLOSE)
        hold();
}

static void let_go_on(size_t number)
{
    play.may_go_on = number;
    if (number < HOLDS)
        assert_eventually(play.held == number + 1);
}

static void expect_close(test_client *client)
{
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_true(frame.length >= 2);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_GOING_AWAY);
}

/* The other two hold the loop in the iterations behind that in which the handler speaks. */
static void what_is_said_and_the_close_behind_it_are_sent_before_all_are_cut_off(void **state)
{
    static test_client client, first, second;
    (void)state;
    const jz_options options = serving_options(1);
    static const serving_route routes[] = {{"/", speak, NULL, NULL}, {"/other", hold_at_the_end, NULL, NULL}};
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&first, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_true(test_client_open(&second, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    jz_stop_options stop = jz_stop_options_default();
    stop.spread_ms = LATER_MS;
    stop.grace_ms = 0;
    assert_int_equal(jz_server_stop_with(server, &stop, NULL), JZ_OK);
    expect_close(&first);
    test_client_send_frame(&client, &(test_frame)TEXT("a"));
    assert_eventually(play.held == 1);
    for (int i = 0; i < OTHERS; i++)
        assert_int_equal(jz_ws_unsubscribe((jz_ws){play.ws}, "none", 4), JZ_SEND_QUEUED);
    test_clock_jump(LATER_MS); /* now all are to be told */
    test_client_send_frame(&first, &(test_frame)CLOSE(1000, ""));
    let_go_on(1);
    test_client_send_frame(&second, &(test_frame)CLOSE(1000, ""));
    let_go_on(2);
    test_clock_jump(LATER_MS);
    let_go_on(3);
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
    expect_close(&client);
    assert_int_equal(play.said, JZ_SEND_QUEUED);
    test_client_close(&client);
    test_client_close(&first);
    test_client_close(&second);
    jz_server_destroy(server);
    test_clocks_run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_and_the_close_behind_it_are_sent_before_all_are_cut_off),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("stop behind letters", tests, NULL, NULL));
}
