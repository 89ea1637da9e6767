/* Connections that one loop accepts and another has: counted from the first, and never left between the two. */
#define _POSIX_C_SOURCE 200809L

#include "shard/server.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LIMIT = 10, MANY = 60, LONG_MS = 3600000 };

static jz_server *server;
static journal seen;
static test_client clients[LIMIT];
static test_client other;

/* The loop that has the message "hold" waits in its handler. */
static atomic_uint holding;
static atomic_uint let_go;

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)ws;
    if (event->type != JZ_EVENT_MESSAGE || message->length != 4 || memcmp(message->bytes, "hold", 4) != 0)
        return;
    unsigned number = ++holding;
    test_hold_while(let_go < number);
}

static void start(const jz_options *options)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    seen.act = act;
    holding = 0;
    let_go = 0;
    const serving_route routes[] = {{"/", journal_handle, &seen, NULL}};
    server = serving_start(options, routes, COUNT_OF(routes));
}

static void finish(void)
{
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

static void hold(test_client *client)
{
    test_client_send_frame(client, &(test_frame)TEXT("hold"));
}

static void release_all(void)
{
    let_go = UINT32_MAX;
}

static jz_statistics statistics(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics;
}

static void open_clients(size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == count);
}

static void expect_turned_away(int status)
{
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    assert_int_equal(test_client_take_head(&other), status);
    assert_true(test_client_sees_end(&other));
    test_client_close(&other);
}

/* Those that wait for a loop that is busy are connections, too: they have descriptors. */
static void limits_hold_while_a_loop_is_busy(void **state)
{
    (void)state;
    static const struct {
        uint32_t connections;
        uint32_t handshakes;
        uint32_t per_address;
        int status;
    } limits[] = {
        {LIMIT, JZ_UNLIMITED, JZ_UNLIMITED, 503},
        {JZ_UNLIMITED, LIMIT - 2, JZ_UNLIMITED, 503}, /* two of them are WebSockets */
        {JZ_UNLIMITED, JZ_UNLIMITED, LIMIT, 429},
    };
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        jz_options options = serving_options(2);
        options.max_connections = limits[i].connections;
        options.max_handshakes = limits[i].handshakes;
        options.max_connections_per_address = limits[i].per_address;
        start(&options);
        open_clients(2);
        hold(&clients[1]);
        assert_eventually(holding == 1);
        for (size_t k = 2; k < LIMIT; k++)
            assert_true(test_client_connect(&clients[k], jz_server_port(server), 0));
        assert_eventually(statistics().connections == LIMIT);
        for (size_t k = 0; k < MANY; k++)
            expect_turned_away(limits[i].status);
        assert_int_equal(statistics().connections, LIMIT);
        release_all();
        for (size_t k = 0; k < LIMIT; k++)
            test_client_close(&clients[k]);
        assert_eventually(statistics().connections == 0);
        finish();
    }
}

static bool has_ended(size_t shard)
{
    return jz_mailbox_is_closed(&server->shards[shard].turn.loop.mailbox);
}

/*
 * One loop accepts in the same iteration in which the other, which had no clients left, has ended. The accepting loop
 * must see the message and the new client in one iteration: it is kept busy while they arrive.
 */
static void what_is_handed_to_a_loop_that_has_ended_is_closed_at_once(void **state)
{
    (void)state;
    const jz_options options = serving_options(2);
    start(&options);
    open_clients(3); /* of loops 0, 1, 0; the next is for loop 1 */
    test_client_close(&clients[1]);
    assert_eventually(seen.closes == 1);
    hold(&clients[0]);
    assert_eventually(holding == 1);
    hold(&clients[2]);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    let_go = 1;
    assert_eventually(holding == 2);
    jz_server_stop_within(server, LONG_MS);
    assert_eventually(has_ended(1));
    release_all();
    /* The others do not answer the server's close frames, and the server still runs. */
    assert_true(test_client_sees_end(&other));
    assert_eventually(statistics().connections == 2);
    test_client_close(&other);
    test_client_close(&clients[0]);
    test_client_close(&clients[2]);
    finish();
}

/* Connections that were handed over before a loop ends, and would have been its next. */
static void what_waits_for_a_loop_that_stops_is_closed(void **state)
{
    (void)state;
    const jz_options options = serving_options(2);
    start(&options);
    open_clients(2);
    hold(&clients[1]);
    assert_eventually(holding == 1);
    assert_true(test_client_connect(&clients[2], jz_server_port(server), 0)); /* for loop 0 */
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    assert_eventually(statistics().connections == 4);
    jz_server_stop_within(server, LONG_MS);
    release_all();
    assert_true(test_client_sees_end(&other));
    test_client_close(&other);
    for (size_t i = 0; i < 3; i++)
        test_client_close(&clients[i]);
    jz_server_wait(server);
    assert_int_equal(statistics().connections, 0);
    finish();
}

static void without_memory_for_the_letter_a_client_is_told(void **state)
{
    (void)state;
    const jz_options options = serving_options(2);
    start(&options);
    open_clients(1);
    test_allocations_fail_after(0);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    bool has_ended = test_client_sees_end(&other);
    test_allocations_succeed();
    assert_true(has_ended);
    assert_int_equal(statistics().refused[JZ_REFUSAL_OUT_OF_MEMORY], 1);
    assert_int_equal(statistics().connections, 1);
    test_client_close(&other);
    test_client_close(&clients[0]);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(limits_hold_while_a_loop_is_busy),
        test_without_leaks(what_is_handed_to_a_loop_that_has_ended_is_closed_at_once),
        test_without_leaks(what_waits_for_a_loop_that_stops_is_closed),
        test_without_leaks(without_memory_for_the_letter_a_client_is_told),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("hand over", tests, NULL, NULL));
}
