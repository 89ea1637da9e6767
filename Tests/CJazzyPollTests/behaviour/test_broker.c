/* The contract between a server and its broker (jazzy/broker.h). */
#include <stdio.h>

#include "codec/frame_header.h"
#include "support/allocation.h"
#include "support/log_lines.h"
#include "support/recorder.h"
#include "support/serving.h"
#include "support/testing.h"

#define TOPIC "news", 4

static void ignore(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)event;
    (void)message;
}

static void joining_is_refused_where_it_makes_no_sense(void **state)
{
    (void)state;
    recorder recorder = {0};
    const jz_broker whole = recorder_broker(&recorder);
    jz_error error = {0};
    jz_server *server = jz_server_create(NULL, &error);
    jz_broker parts[5] = {whole, whole, whole, whole, whole};
    parts[0].start = NULL;
    parts[1].stop = NULL;
    parts[2].subscribe = NULL;
    parts[3].unsubscribe = NULL;
    parts[4].publish = NULL;
    static const char *const names[] = {"start", "stop", "subscribe", "unsubscribe", "publish"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        char message[128];
        snprintf(message, sizeof message, "cannot join: the broker's %s is NULL; it needs all of them", names[i]);
        assert_int_equal(jz_server_join(server, &parts[i], &error), JZ_STATUS_INVALID_OPTION);
        assert_string_equal(error.message, message);
    }
    assert_int_equal(jz_server_join(server, NULL, NULL), JZ_STATUS_INVALID_OPTION);
    test_allocations_fail_after(0);
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_STATUS_OUT_OF_MEMORY);
    test_allocations_succeed();
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_OK);
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_STATUS_INVALID_STATE);
    assert_string_equal(error.message, "cannot join: the server has a broker, and takes one only");
    jz_server_destroy(server); /* it never ran: the broker was neither started nor stopped */
    assert_int_equal(recorder.starts + recorder.stops, 0);

    const jz_options options = serving_options(1);
    server = serving_start(&options, &(serving_route){"/", ignore, NULL, NULL}, 1);
    assert_int_equal(jz_server_join(server, &whole, &error), JZ_STATUS_INVALID_STATE);
    assert_string_equal(error.message, "cannot join: do it before the server runs");
    jz_broker_set_joined(server, false); /* nothing, without a broker */
    jz_server_destroy(server);
}

static void a_server_whose_broker_cannot_start_does_not_run(void **state)
{
    (void)state;
    recorder recorder = {.start_status = JZ_STATUS_SYSTEM, .start_message = "redis.example:6379: connection refused"};
    jz_error error = {0};
    jz_server *server = recorder_create(&recorder, NULL);
    assert_int_equal(jz_server_start(server, &error), JZ_STATUS_SYSTEM);
    assert_string_equal(error.message, "redis.example:6379: connection refused");
    assert_int_equal(error.status, JZ_STATUS_SYSTEM);
    recorder.start_message = "";
    assert_int_equal(jz_server_run(server, &error), JZ_STATUS_SYSTEM);
    assert_string_equal(error.message, "the broker could not be started, and does not say why");
    assert_int_equal(jz_server_run(server, NULL), JZ_STATUS_SYSTEM);
    assert_int_equal(recorder.stops, 0);
    recorder.start_status = JZ_OK;
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    test_client client;
    recorder_open(&client, server);
    assert_int_equal(recorder_say(&recorder, &client, "+news"), JZ_SEND_SENT);
    assert_int_equal(recorder.topic_count, 1);
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

static void the_broker_is_told_of_topics_and_publications_and_stopped_after_the_last(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_server *server = recorder_create(&recorder, NULL);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "early", 5), JZ_SEND_SENT);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    test_client clients[2]; /* one on each loop */
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        recorder_open(&clients[i], server);
        assert_int_equal(recorder_say(&recorder, &clients[i], "+news"), JZ_SEND_SENT);
        assert_int_equal(recorder.topic_count, 1);
    }
    assert_int_equal(recorder_say(&recorder, &clients[0], "news"), JZ_SEND_SENT);
    test_client_expect(&clients[1], JZ_OPCODE_TEXT, "news", 4);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_int_equal(recorder.publications, 2);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "x", 1);
    /* A publication that nobody gets here is not passed to the broker. */
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_PING, "x", 1), JZ_SEND_DROPPED);
    assert_int_equal(recorder.publications, 2);
    assert_int_equal(recorder_say(&recorder, &clients[0], "-news"), JZ_SEND_SENT);
    assert_int_equal(recorder.topic_count, 1);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.joined, 1);
    assert_int_equal(statistics.broker.topics, 1);
    assert_int_equal(statistics.broker.published, 2);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_int_equal(recorder.stops, 1);
    assert_int_equal(recorder.publications, 4); /* each client's close event has published */
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.joined, 0);
    assert_int_equal(statistics.broker.topics, 0);
    recorder_finish(&recorder, server);
}

static void what_is_delivered_goes_to_subscribers_here_and_never_back(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_server *server = recorder_run(&recorder, NULL);
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "nobody", 6), JZ_SEND_SENT);
    test_client clients[3];
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        recorder_open(&clients[i], server);
        recorder_say(&recorder, &clients[i], i < 2 ? "+news" : "+other");
    }
    char text[8];
    for (int i = 0; i < 100; i++) {
        int length = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(
            jz_broker_deliver(server, TOPIC, i % 2 == 0 ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY, text, (size_t)length),
            JZ_SEND_SENT);
    }
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_PONG, text, 1), JZ_SEND_DROPPED);
    assert_int_equal(jz_broker_deliver(server, NULL, 0, JZ_MESSAGE_BINARY, NULL, 0), JZ_SEND_SENT);
    for (int i = 0; i < 100; i++) {
        int length = snprintf(text, sizeof text, "%d", i);
        for (size_t j = 0; j < 2; j++)
            test_client_expect(&clients[j], i % 2 == 0 ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY, text, (size_t)length);
    }
    recorder_say(&recorder, &clients[2], "-other"); /* and nothing before the answer */
    assert_int_equal(recorder.publications, 0);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.delivered, 102);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        test_client_close(&clients[i]);
    recorder_finish(&recorder, server);
}

static void what_the_broker_does_not_take_is_dropped_though_subscribers_here_have_it(void **state)
{
    (void)state;
    static const struct {
        jz_send_status broker;
        jz_send_status told;
    } cases[] = {{JZ_SEND_SENT, JZ_SEND_SENT},
                 {JZ_SEND_QUEUED, JZ_SEND_SENT},
                 {JZ_SEND_DROPPED, JZ_SEND_DROPPED},
                 {JZ_SEND_CLOSED, JZ_SEND_DROPPED}};
    recorder recorder = {0};
    jz_server *server = recorder_run(&recorder, NULL);
    test_client sender;
    test_client receiver;
    recorder_open(&sender, server);
    recorder_open(&receiver, server);
    recorder_say(&recorder, &receiver, "+news");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        recorder.publish_status = cases[i].broker;
        assert_int_equal(recorder_say(&recorder, &sender, "news"), cases[i].told);
        test_client_expect(&receiver, JZ_OPCODE_TEXT, "news", 4);
        assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), cases[i].told);
        test_client_expect(&receiver, JZ_OPCODE_TEXT, "x", 1);
    }
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.published, 4);
    assert_int_equal(statistics.broker.refused, 4);
    assert_int_equal(statistics.dropped, 0);
    test_client_close(&sender);
    test_client_close(&receiver);
    recorder_finish(&recorder, server);
}

static void when_the_others_are_lost_and_found_is_told_once_each(void **state)
{
    (void)state;
    enum { TOPICS = 50 };
    static const char lost[] = "the broker is not connected to the other servers: until it is, publications reach this "
                               "server's subscribers only";
    static const char found[] = "the broker is connected to the other servers, and was told this server's topics: 50";
    recorder recorder = {0};
    log_lines log;
    jz_options options = serving_options(2);
    log_lines_begin(&log, &options);
    jz_server *server = recorder_run(&recorder, &options);
    test_client client;
    recorder_open(&client, server);
    char name[16];
    for (int i = 0; i < TOPICS; i++) {
        snprintf(name, sizeof name, "+topic %d", i);
        recorder_say(&recorder, &client, name);
    }
    jz_statistics statistics;
    for (uint64_t round = 1; round <= 3; round++) {
        jz_broker_set_joined(server, true); /* it is */
        jz_broker_set_joined(server, false);
        jz_broker_set_joined(server, false);
        jz_server_statistics(server, &statistics);
        assert_int_equal(statistics.broker.joined, 0);
        assert_int_equal(statistics.broker.losses, round);
        topic_set_clear(&recorder.topics); /* it forgets its topics, and is told of all of them again */
        recorder.topic_count = 0;
        jz_broker_set_joined(server, true);
        assert_int_equal(recorder.topic_count, TOPICS);
        jz_server_statistics(server, &statistics);
        assert_int_equal(statistics.broker.joined, 1);
        assert_int_equal(log.count, 2 * round);
        log_lines_expect(&log, 2 * round - 2, JZ_LOG_WARNING, lost);
        log_lines_expect(&log, 2 * round - 1, JZ_LOG_INFO, found);
    }
    test_client_close(&client);
    jz_server_stop(server);
    jz_server_wait(server);
    jz_broker_set_joined(server, false); /* nothing, after the end */
    assert_int_equal(log.count_of_level[JZ_LOG_WARNING], 3);
    recorder_finish(&recorder, server);
}

static void a_broker_may_start_before_it_reaches_the_others(void **state)
{
    (void)state;
    recorder recorder = {.is_lost_at_first = true};
    log_lines log;
    jz_options options = serving_options(2);
    log_lines_begin(&log, &options);
    jz_server *server = recorder_run(&recorder, &options);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.joined, 0);
    log_lines_expect(&log, 0, JZ_LOG_WARNING,
                     "the broker is not connected to the other servers: until it is, publications reach this server's "
                     "subscribers only");
    jz_broker_set_joined(server, true);
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.broker.joined, 1);
    log_lines_expect(&log, 1, JZ_LOG_INFO,
                     "the broker is connected to the other servers, and was told this server's topics: 0");
    recorder_finish(&recorder, server);
}

static jz_status start_when_stopped(void *context, jz_server *server, jz_error *error)
{
    (void)context;
    (void)error;
    assert_false(jz_broker_is_stopping(server));
    jz_server_stop(server); /* as a signal's handler does meanwhile */
    assert_true(jz_broker_is_stopping(server));
    return JZ_OK;
}

static void a_server_that_is_stopped_while_its_broker_starts_ends_at_once(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_error error = {0};
    jz_broker broker = recorder_broker(&recorder);
    broker.start = start_when_stopped;
    jz_server *server = jz_server_create(NULL, &error);
    assert_int_equal(jz_server_join(server, &broker, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    assert_that(jz_server_run(server, &error) == JZ_OK, "%s", error.message);
    assert_int_equal(recorder.stops, 1);
    jz_server_destroy(server);
}

static void after_the_end_nothing_is_delivered_and_nothing_handed_on(void **state)
{
    (void)state;
    recorder recorder = {0};
    jz_server *server = recorder_run(&recorder, NULL);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(recorder.publications, 0);
    recorder_finish(&recorder, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_is_refused_where_it_makes_no_sense),
        cmocka_unit_test(a_server_whose_broker_cannot_start_does_not_run),
        cmocka_unit_test(the_broker_is_told_of_topics_and_publications_and_stopped_after_the_last),
        cmocka_unit_test(what_is_delivered_goes_to_subscribers_here_and_never_back),
        cmocka_unit_test(what_the_broker_does_not_take_is_dropped_though_subscribers_here_have_it),
        cmocka_unit_test(when_the_others_are_lost_and_found_is_told_once_each),
        cmocka_unit_test(a_broker_may_start_before_it_reaches_the_others),
        cmocka_unit_test(a_server_that_is_stopped_while_its_broker_starts_ends_at_once),
        cmocka_unit_test(after_the_end_nothing_is_delivered_and_nothing_handed_on),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("broker", tests, NULL, NULL));
}
