/*
 * A connection that is closed in the iteration in which a timer of it is due: that was the open connection's, and must
 * not end it before its close frame was sent. The tests advance the clock.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    /* Of the clock and of the lifetime: together a tick of a few hundred, which the connection must not take for how
       much its peer has taken, a few hundred bytes more than that. */
    BEGINNING_MS = 10000,
    LIFETIME_MS = 10000,
    TAKEN = 1200,
    IDLE_MS = 2000,
    PASSED_MS = 1300 /* a ping is due, or another message may be read */
};

static struct {
    _Atomic uint64_t ws; /* of the connection that is closed */
    atomic_bool holds;   /* the loop */
    atomic_bool is_let_go;
} seen;

static const uint8_t taken[TAKEN];

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN)
        seen.ws = ws.value;
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_TEXT)
        return;
    jz_ws_send(ws, JZ_MESSAGE_BINARY, taken, sizeof taken);
}

/* First holds the loop, and then, in the next iteration, closes the other connection. */
static void close_other(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (seen.is_let_go) {
        jz_ws_close((jz_ws){seen.ws}, 1000, "bye", 3);
        return;
    }
    seen.holds = true;
    test_hold_while(!seen.is_let_go);
}

static const jz_message_rate rates[] = {
    {0, 0, JZ_EXCEEDING_CLOSE}, /* none: the timer is that of the next ping */
    {1, 1, JZ_EXCEEDING_PAUSE},
};

static void who_is_closed_when_another_timer_is_due_gets_the_close_frame(void **state)
{
    (void)state;
    static test_client client;
    static test_client closing;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        memset(&seen, 0, sizeof seen);
        test_clock_stop(BEGINNING_MS);
        jz_route_options route = jz_route_options_default();
        route.message_rate = rates[i];
        route.idle_timeout_ms = IDLE_MS;
        route.max_lifetime_ms = LIFETIME_MS;
        const serving_route routes[] = {{"/", handle, NULL, &route}, {"/closing", close_other, NULL, NULL}};
        const jz_options options = serving_options(1);
        jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_true(test_client_open(&closing, jz_server_port(server), UPGRADE_REQUEST("/closing")));
        test_client_send_frame(&client, &(test_frame)TEXT("hello"));
        test_client_expect(&client, JZ_OPCODE_BINARY, taken, sizeof taken);
        test_client_send_frame(&client, &(test_frame)PONG("")); /* so that its kernel says that it has taken that */
        test_client_send_frame(&closing, &(test_frame)TEXT("hold"));
        assert_eventually(seen.holds);
        test_client_send_frame(&closing, &(test_frame)TEXT("close"));
        test_clock_advance(PASSED_MS);
        seen.is_let_go = true;
        test_client_expect(&client, JZ_OPCODE_CLOSE,
                           "\x03\xE8"
                           "bye",
                           5);
        test_client_close(&client);
        test_client_close(&closing);
        jz_server_destroy(server);
        test_clocks_run();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_closed_when_another_timer_is_due_gets_the_close_frame),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("closing at a time-out", tests, NULL, NULL));
}
