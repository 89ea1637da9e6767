/* A broker where it gets narrow: within its own functions, without room or memory, and at the end of its server. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "shard/errand.h"
#include "shard/server.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/recorder.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/thread_calls.h"

#define TOPIC "news", 4

/* A broker that delivers within its own functions, even if they were called with a lock held. */
static void deliver_within(recorder *recorder)
{
    jz_send_status status = jz_broker_deliver(recorder->server, TOPIC, JZ_MESSAGE_BINARY, "echo", 4);
    recorder->delivered += status == JZ_SEND_SENT ? 1 : 0;
}

static void a_broker_may_deliver_within_its_functions(void **state)
{
    (void)state;
    recorder recorder = {.within = deliver_within};
    jz_server *server = recorder_run(&recorder, NULL);
    test_client clients[2];
    recorder_open(&clients[0], server);
    test_client_send_frame(&clients[0], &(test_frame)TEXT("+news"));
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4); /* for its own subscription, and before the message */
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "done", 4);
    recorder_open(&clients[1], server);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("+other"));
    test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("news"));
    test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
    test_client_expect(&clients[0], JZ_OPCODE_TEXT, "news", 4); /* before what came of it */
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("-other"));
    test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, "echo", 4);
    assert_int_equal(recorder.delivered, 4);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    recorder_finish(&recorder, server);
}

/* One whose transport is lost and found while it is given something to publish, on the loop's thread. */
static void lose_and_find_within(recorder *recorder)
{
    if (recorder->publications == 0 || recorder->delivered++ > 0)
        return;
    jz_broker_set_joined(recorder->server, false);
    topic_set_clear(&recorder->topics);
    recorder->topic_count = 0;
    jz_broker_set_joined(recorder->server, true);
}

static void a_broker_may_say_that_it_was_lost_and_found_while_it_publishes(void **state)
{
    (void)state;
    recorder recorder = {.within = lose_and_find_within};
    jz_server *server = recorder_run(&recorder, NULL);
    test_client client;
    recorder_open(&client, server);
    recorder_say(&recorder, &client, "+news");
    recorder_say(&recorder, &client, "+other");
    assert_int_equal(recorder_say(&recorder, &client, "news"), JZ_SEND_SENT);
    assert_int_equal(recorder.topic_count, 2);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.losses, 1);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

/* One that delivers, within one call and so on a loop's own thread, more than a mailbox takes. */
static void flood_within(recorder *recorder)
{
    static const uint8_t payload[1000];
    for (size_t i = 0; i < 1000; i++) {
        jz_send_status status = jz_broker_deliver(recorder->server, TOPIC, JZ_MESSAGE_BINARY, payload, sizeof payload);
        recorder->delivered += status == JZ_SEND_SENT ? 1 : 0;
        recorder->dropped += status == JZ_SEND_DROPPED ? 1 : 0;
    }
}

static void more_than_a_mailbox_takes_is_dropped_and_counted(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024, MOST = LIMIT / 1000 + 1 };
    recorder recorder = {.within = flood_within};
    jz_options options = serving_options(1);
    options.mailbox_limit = LIMIT;
    jz_server *server = recorder_run(&recorder, &options);
    test_client client;
    recorder_open(&client, server);
    test_client_send_frame(&client, &(test_frame)TEXT("+news"));
    assert_eventually(recorder.delivered + recorder.dropped == 1000);
    assert_true(recorder.delivered > MOST / 2 && recorder.delivered <= MOST);
    assert_int_equal(jz_server_dropped_count(server), recorder.dropped);
    static const uint8_t payload[1000];
    for (size_t i = 0; i < recorder.delivered; i++)
        test_client_expect(&client, JZ_OPCODE_BINARY, payload, sizeof payload);
    test_client_expect(&client, JZ_OPCODE_BINARY, "done", 4);
    recorder.within = NULL;
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "room", 4), JZ_SEND_SENT);
    test_client_expect(&client, JZ_OPCODE_TEXT, "room", 4);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

/* One that takes its time, which the loop that calls it has not. */
static atomic_bool holds;

static void hold_within(recorder *recorder)
{
    (void)recorder;
    test_hold_while(holds);
}

static void what_a_busy_loop_refuses_can_be_delivered_again_in_its_order(void **state)
{
    (void)state;
    enum { MESSAGES = 100, LENGTH = 1000 };
    recorder recorder = {0};
    jz_options options = serving_options(1);
    options.mailbox_limit = 64 * 1024;
    jz_server *server = recorder_run(&recorder, &options);
    test_client receiver;
    test_client holder;
    recorder_open(&receiver, server);
    recorder_open(&holder, server);
    recorder_say(&recorder, &receiver, "+news");
    holds = true;
    recorder.within = hold_within;
    test_client_send_frame(&holder, &(test_frame)TEXT("other"));
    assert_eventually(recorder.calls_under_way == 1);
    size_t refused = 0;
    for (uint8_t i = 0; i < MESSAGES; i++) {
        const uint8_t payload[LENGTH] = {i};
        uint64_t deadline = test_deadline();
        while (jz_broker_deliver(server, TOPIC, JZ_MESSAGE_BINARY, payload, sizeof payload) == JZ_SEND_DROPPED) {
            refused++;
            holds = false;
            assert_true(test_pause_before(deadline));
        }
    }
    assert_true(refused > 0);
    assert_int_equal(jz_server_dropped_count(server), refused);
    for (uint8_t i = 0; i < MESSAGES; i++) {
        const uint8_t payload[LENGTH] = {i};
        test_client_expect(&receiver, JZ_OPCODE_BINARY, payload, sizeof payload);
    }
    test_client_expect(&holder, JZ_OPCODE_BINARY, "done", 4);
    recorder.within = NULL;
    test_client_close(&receiver);
    test_client_close(&holder);
    recorder_finish(&recorder, server);
}

static void without_memory_for_it_a_subscription_is_dropped_and_the_broker_not_told(void **state)
{
    (void)state;
    enum { MOST = 16 };
    recorder recorder = {.has_no_memory = true};
    jz_server *server = recorder_run(&recorder, NULL);
    test_client client;
    recorder_open(&client, server);
    size_t dropped = 0;
    for (recorder.fail_after = 0; recorder.fail_after < MOST; recorder.fail_after++) {
        jz_send_status status = recorder_say(&recorder, &client, "+news");
        assert_int_equal(jz_server_subscriber_count(server, TOPIC), status == JZ_SEND_SENT ? 1 : 0);
        assert_int_equal(recorder.topic_count, status == JZ_SEND_SENT ? 1 : 0);
        dropped += status == JZ_SEND_DROPPED ? 1 : 0;
        if (status == JZ_SEND_SENT)
            break;
    }
    assert_int_equal(recorder.last_status, JZ_SEND_SENT);
    assert_true(dropped >= 3);
    recorder.fail_after = SIZE_MAX;
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

/* Each way for a message to reach all loops of the server from a thread that is none of them. */
static const struct {
    jz_send_status (*give)(jz_server *server, const char *topic, size_t topic_length, jz_message_kind kind,
                           const void *bytes, size_t length);
    size_t delivered;
} givings[] = {{jz_broker_deliver, 1}, {jz_server_publish, 0}};

static void what_is_dropped_for_want_of_memory_is_counted(void **state)
{
    (void)state;
    enum { MOST = 16 };
    for (size_t i = 0; i < COUNT_OF(givings); i++) {
        recorder recorder = {0};
        jz_server *server = recorder_run(&recorder, NULL);
        jz_statistics statistics;
        size_t dropped = 0;
        for (uint32_t loop = 0; loop < server->shard_count; loop++)
            jz_topics_ask(&server->shards[loop].topics); /* else nobody could hear it, and it was not made */
        for (size_t failing = 0; failing < MOST; failing++) {
            test_allocation_fails_once_after(failing);
            jz_send_status status = givings[i].give(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1);
            test_allocations_succeed();
            dropped += status == JZ_SEND_DROPPED ? 1 : 0;
            assert_int_equal(status, dropped > failing ? JZ_SEND_DROPPED : JZ_SEND_SENT);
            jz_server_statistics(server, &statistics);
            assert_int_equal(statistics.dropped, dropped);
            assert_int_equal(statistics.broker.delivered, (failing + 1 - dropped) * givings[i].delivered);
        }
        assert_int_equal(dropped, 1 + 2); /* the publication, and an errand for each loop */
        recorder_finish(&recorder, server);
    }
}

/* Threads that deliver and publish until that is over. */
typedef struct persistent {
    jz_server *server;
    atomic_bool is_enough;
    atomic_size_t rounds;
} persistent;

static void *deliver_until_closed(void *context)
{
    persistent *persistent = context;
    while (!persistent->is_enough &&
           jz_broker_deliver(persistent->server, TOPIC, JZ_MESSAGE_TEXT, "x", 1) != JZ_SEND_CLOSED)
        persistent->rounds++;
    return NULL;
}

static void *publish_for_ever(void *context)
{
    persistent *persistent = context;
    while (!persistent->is_enough) {
        jz_server_publish(persistent->server, TOPIC, JZ_MESSAGE_TEXT, "x", 1);
        persistent->rounds++;
    }
    return NULL;
}

static void a_server_may_end_while_others_deliver_and_publish(void **state)
{
    (void)state;
    enum { ROUNDS = 10, THREADS = 4 };
    for (size_t round = 0; round < ROUNDS; round++) {
        recorder recorder = {0};
        jz_options options = serving_options(2);
        options.mailbox_limit = 64 * 1024;
        jz_server *server = recorder_run(&recorder, &options);
        test_client client;
        recorder_open(&client, server);
        recorder_say(&recorder, &client, "+news");
        persistent persistent = {.server = server};
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(
                pthread_create(&threads[i], NULL, i % 2 == 0 ? deliver_until_closed : publish_for_ever, &persistent),
                0);
        assert_eventually(persistent.rounds > 50);
        test_client_close(&client);
        jz_server_stop(server);
        jz_server_wait(server);
        size_t publications = recorder.publications;
        size_t rounds = persistent.rounds;
        assert_eventually(persistent.rounds > rounds + 50);
        assert_int_equal(recorder.publications, publications);
        persistent.is_enough = true;
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        recorder_finish(&recorder, server);
    }
}

static void a_broker_is_stopped_where_not_all_loops_of_its_server_can_be_started(void **state)
{
    (void)state;
    static const struct {
        jz_status (*run)(jz_server *server, jz_error *error);
        size_t threads; /* that can be started, one too few */
    } cases[] = {{jz_server_start, 0}, {jz_server_start, 1}, {jz_server_run, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        recorder recorder = {0};
        jz_error error = {0};
        jz_server *server = recorder_create(&recorder, NULL);
        test_threads_fail_after(cases[i].threads, EAGAIN);
        assert_int_not_equal(cases[i].run(server, &error), JZ_OK);
        test_threads_succeed();
        assert_int_equal(recorder.starts, 1);
        assert_int_equal(recorder.stops, 1);
        assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
        recorder_finish(&recorder, server);
    }
}

/* Ended long before all clients would have been told, because there were none. */
static void after_the_end_a_message_is_closed_and_not_dropped_for_want_of_room(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024 };
    recorder recorder = {0};
    jz_options options = serving_options(2);
    options.mailbox_limit = LIMIT;
    jz_server *server = recorder_run(&recorder, &options);
    jz_stop_options stop = jz_stop_options_default();
    stop.spread_ms = 60000;
    assert_int_equal(jz_server_stop_with(server, &stop, NULL), JZ_OK);
    jz_server_wait(server);
    for (size_t i = 0; i < server->shard_count; i++) /* as a message of another thread would, until that is told */
        assert_true(jz_errand_reserve(&server->shards[i], LIMIT));
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(jz_server_dropped_count(server), 0);
    for (size_t i = 0; i < server->shard_count; i++)
        jz_errand_unreserve(&server->shards[i], LIMIT);
    recorder_finish(&recorder, server);
}

/* Calls that any thread may make from the server's creation on. */
static void *look_and_publish(void *context)
{
    persistent *persistent = context;
    jz_statistics statistics;
    while (!persistent->is_enough) {
        jz_server_statistics(persistent->server, &statistics);
        jz_server_publish(persistent->server, TOPIC, JZ_MESSAGE_TEXT, "x", 1);
        persistent->rounds++;
    }
    return NULL;
}

/* A data race would be seen by ThreadSanitizer. */
static void other_threads_may_publish_and_ask_for_statistics_while_a_server_is_joined(void **state)
{
    (void)state;
    recorder recorder = {0};
    const jz_broker broker = recorder_broker(&recorder);
    jz_error error = {0};
    persistent persistent = {.server = jz_server_create(NULL, &error)};
    assert_non_null(persistent.server);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, look_and_publish, &persistent), 0);
    assert_eventually(persistent.rounds > 0);
    assert_int_equal(jz_server_join(persistent.server, &broker, &error), JZ_OK);
    size_t rounds = persistent.rounds;
    assert_eventually(persistent.rounds > rounds + 1);
    persistent.is_enough = true;
    pthread_join(thread, NULL);
    jz_server_destroy(persistent.server);
    assert_int_equal(recorder.starts + recorder.publications, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_may_deliver_within_its_functions),
        cmocka_unit_test(a_broker_may_say_that_it_was_lost_and_found_while_it_publishes),
        cmocka_unit_test(more_than_a_mailbox_takes_is_dropped_and_counted),
        cmocka_unit_test(what_a_busy_loop_refuses_can_be_delivered_again_in_its_order),
        cmocka_unit_test(without_memory_for_it_a_subscription_is_dropped_and_the_broker_not_told),
        cmocka_unit_test(what_is_dropped_for_want_of_memory_is_counted),
        cmocka_unit_test(a_server_may_end_while_others_deliver_and_publish),
        cmocka_unit_test(other_threads_may_publish_and_ask_for_statistics_while_a_server_is_joined),
        cmocka_unit_test(a_broker_is_stopped_where_not_all_loops_of_its_server_can_be_started),
        cmocka_unit_test(after_the_end_a_message_is_closed_and_not_dropped_for_want_of_room),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("broker limits", tests, NULL, NULL));
}
