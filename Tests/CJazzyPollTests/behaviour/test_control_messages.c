/* Pings and pongs, which a route may ask not to be called with: they are answered and counted all the same. */
#include <stdatomic.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/served.h"
#include "support/testing.h"

static test_client client;

static const struct {
    jz_execution execution;
    bool control_messages;
    const char *journal;
} rows[] = {
    {JZ_EXECUTION_LOOP, true, "open ping(a) text(b) pong(c) binary(d) close(1000 clean)"},
    {JZ_EXECUTION_WORKERS, true, "open ping(a) text(b) pong(c) binary(d) close(1000 clean)"},
    {JZ_EXECUTION_LOOP, false, "open text(b) binary(d) close(1000 clean)"},
    {JZ_EXECUTION_WORKERS, false, "open text(b) binary(d) close(1000 clean)"},
};

static void send_each_kind(void)
{
    test_client_send_frame(&client, &(test_frame)PING("a"));
    test_client_send_frame(&client, &(test_frame)TEXT("b"));
    test_client_send_frame(&client, &(test_frame)PONG("c"));
    test_client_send_frame(&client, &(test_frame)BINARY("d"));
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
}

static void a_handler_is_called_with_them_unless_its_route_says_otherwise(void **state)
{
    (void)state;
    assert_true(jz_route_options_default().control_messages);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static served served;
        served = (struct served){0};
        jz_route_options route = jz_route_options_default();
        route.execution = rows[i].execution;
        route.control_messages = rows[i].control_messages;
        served_start(&served, NULL, &route);
        assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
        send_each_kind();
        test_client_expect(&client, JZ_OPCODE_PONG, "a", 1);
        journal_expect(&served.journal, 1, rows[i].journal);
        jz_statistics statistics;
        jz_server_statistics(served.server, &statistics);
        for (size_t kind = JZ_MESSAGE_TEXT; kind <= JZ_MESSAGE_PONG; kind++) {
            assert_int_equal(statistics.messages_received[kind], 1);
            assert_int_equal(statistics.bytes_received[kind], 1);
        }
        assert_int_equal(statistics.messages_sent[JZ_MESSAGE_PONG], 1);
        test_client_close(&client);
        served_finish(&served);
    }
}

enum { PINGS = 500, OTHERS = 64 };

static struct {
    atomic_bool holds;
    atomic_bool is_let_go;
    atomic_size_t texts;
    atomic_size_t controls;
    atomic_size_t closes;
} seen;

/* Is called on a worker, and waits there. */
static void hold(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    seen.closes += event->type == JZ_EVENT_CLOSE;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    seen.controls += message->kind > JZ_MESSAGE_BINARY;
    seen.holds = true;
    test_hold_while(!seen.is_let_go);
    seen.texts += message->kind == JZ_MESSAGE_TEXT;
}

/* One event may wait: if a ping were one, reading would pause, and most of them would not be answered. */
static void they_take_no_place_among_the_events_that_wait_for_a_worker(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    jz_route_options route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    route.max_waiting_events = 1;
    route.control_messages = false;
    const serving_route routes[] = {{"/", hold, NULL, &route}, BYSTANDER_ROUTE};
    jz_options options = serving_options(1);
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    test_client_send_frame(&client, &(test_frame)TEXT("first"));
    assert_eventually(seen.holds);
    size_t before = test_live_allocations();
    for (int i = 0; i < PINGS; i++) {
        test_client_send_frame(&client, &(test_frame)PING("ping"));
        test_client_send_frame(&client, &(test_frame)PONG("pong"));
        test_client_expect(&client, JZ_OPCODE_PONG, "ping", 4);
    }
    bystander_let_turn();
    assert_true(test_live_allocations() <= before + OTHERS);
    seen.is_let_go = true;
    test_client_send_frame(&client, &(test_frame)TEXT("second"));
    assert_eventually(seen.texts == 2);
    bystander_close();
    test_client_close(&client);
    jz_server_destroy(server);
    assert_int_equal(seen.controls, 0);
    assert_int_equal(seen.closes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_is_called_with_them_unless_its_route_says_otherwise),
        cmocka_unit_test(they_take_no_place_among_the_events_that_wait_for_a_worker),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("control messages", tests, NULL, NULL));
}
