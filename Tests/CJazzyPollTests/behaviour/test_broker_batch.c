/* Messages that a broker delivers together. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "codec/frame_header.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/recorder.h"
#include "support/serving.h"
#include "support/testing.h"

#define TOPIC "news", 4

enum { MOST_IN_BATCH = 256 };

static jz_broker_batch *batch;

static jz_send_status add(const char *text)
{
    return jz_broker_batch_deliver(batch, (jz_ws){0}, TOPIC, JZ_MESSAGE_TEXT, text, strlen(text));
}

static void expect(test_client *client, const char *text)
{
    test_client_expect(client, JZ_OPCODE_TEXT, text, strlen(text));
}

static uint64_t delivered_by(jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.broker.delivered;
}

static uint64_t iterations_of(jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.iterations;
}

/* One client on each of two loops. */
static jz_server *open_server(recorder *recorder, test_client clients[2])
{
    jz_server *server = recorder_run(recorder, NULL);
    for (size_t i = 0; i < 2; i++) {
        recorder_open(&clients[i], server);
        recorder_say(recorder, &clients[i], "+news");
    }
    batch = jz_broker_batch_create(server);
    assert_non_null(batch);
    return server;
}

static void close_server(recorder *recorder, jz_server *server, test_client clients[2])
{
    for (size_t i = 0; i < 2; i++)
        test_client_close(&clients[i]);
    jz_broker_batch_free(batch);
    recorder_finish(recorder, server);
}

static void a_batch_arrives_in_its_order_when_it_is_posted_and_not_before(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client clients[2];
    jz_server *server = open_server(&recorder, clients);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(add("a"), JZ_SEND_SENT);
        assert_int_equal(add("b"), JZ_SEND_SENT);
        assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "at once", 7), JZ_SEND_SENT);
        assert_int_equal(add("c"), JZ_SEND_SENT);
        for (size_t i = 0; i < COUNT_OF(clients); i++)
            expect(&clients[i], "at once");
        jz_broker_batch_post(batch);
        jz_broker_batch_post(batch); /* of nothing */
        for (size_t i = 0; i < COUNT_OF(clients); i++) {
            expect(&clients[i], "a");
            expect(&clients[i], "b");
            expect(&clients[i], "c");
        }
    }
    assert_int_equal(delivered_by(server), 12);
    assert_int_equal(recorder.publications, 0);
    close_server(&recorder, server, clients);
}

static void a_batch_wakes_its_loop_once(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client client;
    const jz_options options = serving_options(1);
    jz_server *server = recorder_run(&recorder, &options);
    recorder_open(&client, server);
    recorder_say(&recorder, &client, "+news");
    batch = jz_broker_batch_create(server);
    uint64_t before = iterations_of(server);
    for (int i = 0; i < MOST_IN_BATCH - 1; i++)
        assert_int_equal(add("x"), JZ_SEND_SENT);
    assert_in_range(iterations_of(server) - before, 0, 1); /* that of the answer */
    jz_broker_batch_post(batch);
    for (int i = 0; i < MOST_IN_BATCH - 1; i++)
        expect(&client, "x");
    assert_in_range(iterations_of(server) - before, 0, 8); /* which are counted when they end */
    jz_broker_batch_free(batch);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

static void a_batch_that_has_become_long_is_posted(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client clients[2];
    jz_server *server = open_server(&recorder, clients);
    for (int i = 0; i < MOST_IN_BATCH; i++)
        assert_int_equal(add("x"), JZ_SEND_SENT);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        for (int j = 0; j < MOST_IN_BATCH; j++)
            expect(&clients[i], "x");
    }
    close_server(&recorder, server, clients);
}

/* Or the last of them would find a full mailbox, although its loop has nothing to do. */
static void a_batch_that_takes_much_of_a_mailbox_is_posted(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024, LONG = 4096 };
    char text[LONG + 1] = "";
    memset(text, 'x', LONG);
    recorder recorder = {0};
    test_client client;
    jz_options options = serving_options(1);
    options.mailbox_limit = LIMIT;
    jz_server *server = recorder_run(&recorder, &options);
    recorder_open(&client, server);
    recorder_say(&recorder, &client, "+news");
    batch = jz_broker_batch_create(server);
    for (int i = 0; i < LIMIT / 4 / LONG; i++)
        assert_int_equal(add(text), JZ_SEND_SENT);
    for (int i = 0; i < LIMIT / 4 / LONG; i++)
        expect(&client, text);
    jz_broker_batch_free(batch);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

static void what_is_left_in_a_batch_is_posted_when_it_is_freed(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client clients[2];
    jz_server *server = open_server(&recorder, clients);
    assert_int_equal(add("x"), JZ_SEND_SENT);
    jz_broker_batch_free(batch);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        expect(&clients[i], "x");
    batch = NULL; /* freeing that does nothing */
    close_server(&recorder, server, clients);
}

static void one_connection_can_be_excluded(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client clients[2];
    jz_server *server = open_server(&recorder, clients);
    assert_int_equal(jz_broker_batch_deliver(batch, recorder.last_speaker, TOPIC, JZ_MESSAGE_BINARY, "to one", 6),
                     JZ_SEND_SENT);
    assert_int_equal(add("to both"), JZ_SEND_SENT);
    jz_broker_batch_post(batch);
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "to one", 6);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        expect(&clients[i], "to both");
    close_server(&recorder, server, clients);
}

/* A batch that is not posted does not keep the loops from making room. */
static char large[40 * 1024];
static jz_send_status fillings[3];

/* On the loop itself, which takes nothing out of its mailbox meanwhile. */
static void fill_mailbox(recorder *recorder)
{
    recorder->within = NULL;
    for (size_t i = 0; i < COUNT_OF(fillings) - 1; i++)
        fillings[i] = add(large);
    fillings[COUNT_OF(fillings) - 1] = add("no room");
}

static void where_a_mailbox_is_full_nobody_gets_it_and_what_was_added_before_goes_on(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client client;
    jz_options options = serving_options(1);
    options.mailbox_limit = 64 * 1024;
    memset(large, 'x', sizeof large - 1);
    jz_server *server = recorder_run(&recorder, &options);
    recorder_open(&client, server);
    recorder_say(&recorder, &client, "+news");
    batch = jz_broker_batch_create(server);
    recorder.within = fill_mailbox;
    const test_frame publishing = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {"news", 4, 4}};
    test_client_send_frame(&client, &publishing);
    expect(&client, large);
    expect(&client, large);
    test_client_expect(&client, JZ_OPCODE_BINARY, "done", 4);
    assert_int_equal(fillings[0], JZ_SEND_SENT);
    assert_int_equal(fillings[1], JZ_SEND_SENT); /* below the limit any size is taken */
    assert_int_equal(fillings[2], JZ_SEND_DROPPED);
    assert_int_equal(jz_server_dropped_count(server), 1);
    assert_eventually(add("room") == JZ_SEND_SENT);
    jz_broker_batch_post(batch);
    expect(&client, "room");
    assert_int_equal(jz_broker_batch_deliver(batch, (jz_ws){0}, TOPIC, JZ_MESSAGE_PING, "x", 1), JZ_SEND_DROPPED);
    jz_broker_batch_free(batch);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

static void without_memory_it_is_dropped_and_counted(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client client;
    const jz_options options = serving_options(1);
    jz_server *server = recorder_run(&recorder, &options);
    recorder_open(&client, server);
    recorder_say(&recorder, &client, "+news");
    test_allocations_fail_after(0);
    assert_null(jz_broker_batch_create(server));
    test_allocations_succeed();
    batch = jz_broker_batch_create(server);
    size_t failures = 0;
    jz_send_status status;
    do {
        test_allocations_fail_after(failures);
        status = add("x");
        bool has_failed = test_allocations_succeed() > 0;
        failures += has_failed ? 1 : 0;
        assert_int_equal(status, has_failed ? JZ_SEND_DROPPED : JZ_SEND_SENT);
        assert_int_equal(jz_server_dropped_count(server), failures);
    } while (status == JZ_SEND_DROPPED);
    assert_int_not_equal(failures, 0);
    jz_broker_batch_free(batch);
    expect(&client, "x");
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

/* The broker's last words, when all loops have ended: its batch is not empty. */
static void free_batch(void *context)
{
    recorder *recorder = context;
    jz_broker_batch_free(batch);
    recorder->stops++;
}

static void free_batch_when_stopped(jz_broker *broker)
{
    broker->stop = free_batch;
}

static void loops_that_have_ended_meanwhile_do_not_get_it(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    recorder recorder = {.grow = free_batch_when_stopped};
    test_client clients[2];
    jz_server *server = open_server(&recorder, clients);
    for (int i = 0; i < 10; i++)
        assert_int_equal(add("late"), JZ_SEND_SENT);
    jz_server_stop_within(server, 0);
    jz_server_wait(server);
    assert_int_equal(recorder.stops, 1);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    recorder_finish(&recorder, server);
    assert_int_equal(test_live_allocations(), live);
}

static void once_the_server_stops_nothing_is_added(void **state)
{
    (void)state;
    recorder recorder = {0};
    test_client clients[2];
    jz_server *server = open_server(&recorder, clients);
    jz_server_stop_within(server, 0);
    jz_server_wait(server);
    assert_int_equal(add("late"), JZ_SEND_CLOSED);
    assert_int_equal(delivered_by(server), 0);
    close_server(&recorder, server, clients);
}

/* One loop ends after the other: a broker's thread adds and posts all the time. */
static atomic_bool is_over;

static void *deliver_on_and_on(void *unused)
{
    (void)unused;
    for (size_t i = 1; !is_over; i++) {
        add("x");
        if (i % 7 == 0)
            jz_broker_batch_post(batch);
    }
    return NULL;
}

static void batches_may_come_while_the_loops_end(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    for (int round = 0; round < 10; round++) {
        recorder recorder = {0};
        test_client clients[2];
        pthread_t thread;
        jz_server *server = open_server(&recorder, clients);
        is_over = false;
        assert_int_equal(pthread_create(&thread, NULL, deliver_on_and_on, NULL), 0);
        for (size_t i = 0; i < COUNT_OF(clients); i++)
            expect(&clients[i], "x");
        test_client_close(&clients[round % 2]);
        jz_server_stop_within(server, 1);
        jz_server_wait(server);
        is_over = true;
        pthread_join(thread, NULL);
        test_client_close(&clients[1 - round % 2]);
        jz_broker_batch_free(batch);
        recorder_finish(&recorder, server);
    }
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_arrives_in_its_order_when_it_is_posted_and_not_before),
        cmocka_unit_test(a_batch_wakes_its_loop_once),
        cmocka_unit_test(a_batch_that_has_become_long_is_posted),
        cmocka_unit_test(a_batch_that_takes_much_of_a_mailbox_is_posted),
        cmocka_unit_test(what_is_left_in_a_batch_is_posted_when_it_is_freed),
        cmocka_unit_test(one_connection_can_be_excluded),
        cmocka_unit_test(where_a_mailbox_is_full_nobody_gets_it_and_what_was_added_before_goes_on),
        cmocka_unit_test(without_memory_it_is_dropped_and_counted),
        cmocka_unit_test(loops_that_have_ended_meanwhile_do_not_get_it),
        cmocka_unit_test(once_the_server_stops_nothing_is_added),
        cmocka_unit_test(batches_may_come_while_the_loops_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("batches of a broker", tests, NULL, NULL));
}
