/* The limit of events of a connection that wait for a worker, however many one read brings. */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/testing.h"

enum { FRAME = 6 /* bytes of one that is empty */, FLOOD = 20000, WAITING = 64, OTHERS = 64 };

static struct {
    atomic_bool holds;
    atomic_bool is_let_go;
    atomic_size_t messages;
    atomic_size_t closes;
} seen;

static void take(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)message;
    seen.closes += event->type == JZ_EVENT_CLOSE;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    seen.holds = true;
    test_hold_while(!seen.is_let_go);
    seen.messages++;
}

static jz_server *start(test_client *client, size_t backpressure_limit, uint32_t max_waiting_events)
{
    memset(&seen, 0, sizeof seen);
    static jz_route_options route;
    route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    route.max_waiting_events = max_waiting_events;
    route.backpressure_limit = backpressure_limit;
    jz_options options = serving_options(1);
    options.worker_threads = 1;
    options.receive_buffer_size = jz_options_default().receive_buffer_size;
    const serving_route routes[] = {{"/", take, NULL, &route}, BYSTANDER_ROUTE};
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/")));
    return server;
}

static void send_empty_frames(test_client *client, size_t count)
{
    static uint8_t frames[FRAME * FLOOD];
    for (size_t i = 0; i < count; i++)
        memcpy(frames + i * FRAME, (const uint8_t[FRAME]){0x82, 0x80}, FRAME);
    assert_true(test_client_send(client, frames, FRAME * count));
}

static void expect_no_more_to_wait(size_t backpressure_limit, uint32_t max_waiting_events)
{
    static test_client client;
    jz_server *server = start(&client, backpressure_limit, max_waiting_events);
    send_empty_frames(&client, 1);
    assert_eventually(seen.holds);
    size_t before = test_live_allocations();
    send_empty_frames(&client, FLOOD);
    for (int i = 0; i < 3; i++)
        bystander_let_turn();
    size_t waiting = test_live_allocations() - before;
    assert_that(waiting <= WAITING + OTHERS, "%zu pieces of memory for %d empty messages", waiting, FLOOD);
    seen.is_let_go = true;
    assert_eventually(seen.messages == FLOOD + 1);
    bystander_close();
    test_client_close(&client);
    jz_server_destroy(server);
    assert_int_equal(seen.closes, 1);
}

static void no_more_events_wait_than_may_though_one_read_brought_them(void **state)
{
    (void)state;
    expect_no_more_to_wait(0, WAITING);
}

static void empty_messages_count_with_what_they_cost(void **state)
{
    (void)state;
    enum { COST_AT_LEAST = 96 };
    expect_no_more_to_wait((size_t)WAITING * COST_AT_LEAST, 65536);
}

/* Kept input is discarded, and the close event comes after the events that waited for a worker. */
static void who_is_lost_meanwhile_is_closed_all_the_same(void **state)
{
    (void)state;
    static test_client client;
    jz_server *server = start(&client, 0, WAITING);
    send_empty_frames(&client, 1);
    assert_eventually(seen.holds);
    send_empty_frames(&client, FLOOD);
    bystander_let_turn();
    test_client_reset(&client);
    seen.is_let_go = true;
    assert_eventually(seen.closes == 1);
    bystander_close();
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_events_wait_than_may_though_one_read_brought_them),
        cmocka_unit_test(empty_messages_count_with_what_they_cost),
        cmocka_unit_test(who_is_lost_meanwhile_is_closed_all_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("workers' queue", tests, NULL, NULL));
}
