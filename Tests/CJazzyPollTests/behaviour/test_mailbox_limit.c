/* Messages of other threads to a loop that is blocked: bounded, and dropped beyond the bound. */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LIMIT = 64 * 1024, PAYLOAD = 1024, MOST_WAITING = LIMIT / PAYLOAD + 1, ATTEMPTS = 4 * MOST_WAITING };

#define TOPIC "topic", 5

static struct {
    _Atomic uint64_t ws;
    atomic_bool holds; /* the handler has the loop, until it is let go */
    atomic_bool is_let_go;
} loop;

static void hold_the_loop(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, TOPIC);
        loop.ws = ws.value;
    } else if (event->type == JZ_EVENT_MESSAGE) {
        loop.holds = true;
        test_hold_while(!loop.is_let_go);
    }
}

static jz_server *start(void)
{
    loop.ws = 0;
    loop.holds = false;
    loop.is_let_go = false;
    jz_options options = serving_options(1);
    options.mailbox_limit = LIMIT;
    const serving_route routes[] = {{"/hold", hold_the_loop, NULL, NULL}};
    return serving_start(&options, routes, COUNT_OF(routes));
}

typedef jz_send_status (*sending)(jz_server *server, const uint8_t *payload);

static jz_send_status send_to_connection(jz_server *server, const uint8_t *payload)
{
    (void)server;
    return jz_ws_send((jz_ws){loop.ws}, JZ_MESSAGE_BINARY, payload, PAYLOAD);
}

static jz_send_status publish(jz_server *server, const uint8_t *payload)
{
    return jz_server_publish(server, TOPIC, JZ_MESSAGE_BINARY, payload, PAYLOAD);
}

/* Sends from this thread while the loop is held; returns how many messages were accepted. */
static size_t send_while_held(jz_server *server, sending send)
{
    size_t accepted = 0;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        uint8_t payload[PAYLOAD] = {(uint8_t)accepted};
        if (send(server, payload) != JZ_SEND_DROPPED)
            accepted++;
    }
    return accepted;
}

/* A client whose handler has the loop. */
static void open_and_hold(jz_server *server, test_client *client)
{
    assert_true(test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/hold")));
    assert_eventually(loop.ws != 0);
    test_client_send_frame(client, &(test_frame)TEXT("hold"));
    assert_eventually(loop.holds);
}

static void expect_bounded(sending send)
{
    jz_server *server = start();
    test_client client;
    open_and_hold(server, &client);
    size_t before = test_live_bytes();
    size_t accepted = send_while_held(server, send);
    assert_true(accepted > MOST_WAITING / 2 && accepted <= MOST_WAITING);
    assert_true(test_live_bytes() - before < 2 * LIMIT);
    assert_int_equal(jz_server_dropped_count(server), ATTEMPTS - accepted);

    loop.is_let_go = true;
    for (size_t i = 0; i < accepted; i++) {
        uint8_t payload[PAYLOAD] = {(uint8_t)i};
        test_client_expect(&client, JZ_OPCODE_BINARY, payload, PAYLOAD);
    }
    uint8_t payload[PAYLOAD] = {0};
    assert_int_not_equal(send(server, payload), JZ_SEND_DROPPED);
    test_client_expect(&client, JZ_OPCODE_BINARY, payload, PAYLOAD);
    test_client_close(&client);
    jz_server_destroy(server);
}

static void what_threads_send_to_a_busy_loop_is_bounded(void **state)
{
    (void)state;
    expect_bounded(send_to_connection);
}

static void what_threads_publish_to_a_busy_loop_is_bounded(void **state)
{
    (void)state;
    expect_bounded(publish);
}

static jz_send_status subscribe(jz_ws ws)
{
    return jz_ws_subscribe(ws, TOPIC);
}

static jz_send_status unsubscribe(jz_ws ws)
{
    return jz_ws_unsubscribe(ws, TOPIC);
}

static jz_send_status close_it(jz_ws ws)
{
    return jz_ws_close(ws, JZ_CLOSE_NORMAL, "", 0);
}

static const struct {
    const char *name;
    jz_send_status (*ask)(jz_ws ws);
} askings[] = {
    {"subscribe", subscribe},         {"unsubscribe", unsubscribe}, {"pause", jz_ws_pause_reading},
    {"resume", jz_ws_resume_reading}, {"close", close_it},
};

static void whatever_is_asked_of_a_busy_loop_is_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(askings); i++) {
        jz_server *server = start();
        test_client client;
        open_and_hold(server, &client);
        size_t before = test_live_bytes();
        size_t accepted = 0;
        for (size_t attempt = 0; attempt < LIMIT; attempt++)
            accepted += askings[i].ask((jz_ws){loop.ws}) == JZ_SEND_QUEUED;
        assert_that(accepted > 0 && accepted < LIMIT / 64, "%s: %zu", askings[i].name, accepted);
        assert_that(test_live_bytes() - before < 2 * LIMIT, "%s", askings[i].name);
        loop.is_let_go = true;
        test_client_close(&client);
        jz_server_destroy(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_threads_send_to_a_busy_loop_is_bounded),
        cmocka_unit_test(what_threads_publish_to_a_busy_loop_is_bounded),
        cmocka_unit_test(whatever_is_asked_of_a_busy_loop_is_bounded),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("limit of the mailbox", tests, NULL, NULL));
}
