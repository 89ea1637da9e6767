/* What a broker may have beside what it needs: it knows who published, whether a topic is live, and reports. */
#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/recorder.h"
#include "support/serving.h"
#include "support/testing.h"

#define TOPIC "news", 4

/* One such broker, beside its recorder. */
static struct {
    pthread_mutex_t lock;
    jz_ws except; /* of the last publication; under the lock */
    jz_ws opened; /* of the last client; under the lock */
    atomic_size_t publications;
    jz_broker_report report;
    atomic_size_t reports;
    atomic_size_t reports_under_way;
    atomic_size_t overlaps;
    atomic_bool live;
    atomic_size_t questions;
} grown = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void reset(void)
{
    grown.except = (jz_ws){0};
    grown.publications = 0;
    grown.report = (jz_broker_report){0};
    grown.reports = grown.overlaps = grown.questions = 0;
    grown.live = false;
}

static jz_send_status publish_except(void *context, jz_ws except, const char *topic, size_t topic_length,
                                     jz_message_kind kind, const void *bytes, size_t length)
{
    recorder *recorder = context;
    (void)topic;
    (void)topic_length;
    (void)kind;
    (void)bytes;
    (void)length;
    pthread_mutex_lock(&grown.lock);
    grown.except = except;
    grown.publications++;
    pthread_mutex_unlock(&grown.lock);
    return recorder->publish_status;
}

static bool is_live(void *context, const char *topic, size_t length)
{
    (void)context;
    grown.questions++;
    return grown.live && length == 4 && memcmp(topic, "news", 4) == 0;
}

static void report(void *context, jz_broker_report *report)
{
    (void)context;
    grown.overlaps += grown.reports_under_way++;
    grown.reports++;
    *report = grown.report;
    grown.reports_under_way--;
}

static void know_the_publisher(jz_broker *broker)
{
    broker->publish = NULL;
    broker->publish_except = publish_except;
}

static void know_more(jz_broker *broker)
{
    broker->publish_except = publish_except; /* beside `publish`, which is then not called */
    broker->is_live = is_live;
    broker->report = report;
}

static void take_all(jz_broker *broker)
{
    know_the_publisher(broker);
    broker->is_ordered = true;
}

static void be_ordered_without_knowing_the_publisher(jz_broker *broker)
{
    broker->is_ordered = true;
}

static void nobody_joins_with_an_order_that_cannot_exclude_the_publisher(void **state)
{
    (void)state;
    static const struct {
        void (*grow)(jz_broker *broker);
        jz_status status;
    } cases[] = {{know_the_publisher, JZ_OK},
                 {know_more, JZ_OK},
                 {take_all, JZ_OK},
                 {be_ordered_without_knowing_the_publisher, JZ_STATUS_INVALID_OPTION}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_error error = {0};
        recorder recorder = {.grow = cases[i].grow};
        const jz_broker broker = recorder_broker(&recorder);
        jz_server *server = jz_server_create(NULL, &error);
        assert_int_equal(jz_server_join(server, &broker, &error), cases[i].status);
        if (cases[i].status != JZ_OK)
            assert_string_equal(
                error.message,
                "cannot join: a broker that is ordered needs publish_except, to know who does not receive");
        jz_server_destroy(server);
    }
}

static void include_itself(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        pthread_mutex_lock(&grown.lock);
        grown.opened = ws;
        pthread_mutex_unlock(&grown.lock);
    }
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    const jz_publish_options options = {.including_self = message->bytes[0] == '*'};
    jz_ws_publish_with(ws, TOPIC, JZ_MESSAGE_TEXT, message->bytes, message->length, &options);
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "done", 4);
}

static void expect_excluded(bool is_publisher)
{
    pthread_mutex_lock(&grown.lock);
    assert_int_equal(grown.except.value, is_publisher ? grown.opened.value : 0);
    pthread_mutex_unlock(&grown.lock);
}

static void a_broker_is_told_who_does_not_receive_a_message(void **state)
{
    (void)state;
    reset();
    static void (*const ways[])(jz_broker *) = {know_the_publisher, know_more};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        recorder recorder = {.grow = ways[i]};
        jz_error error = {0};
        jz_server *server = recorder_create(&recorder, NULL);
        assert_int_equal(jz_server_route_ws(server, "/self", NULL, include_itself, NULL, &error), JZ_OK);
        assert_int_equal(jz_server_start(server, &error), JZ_OK);
        test_client client;
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/self")));
        recorder_say(&recorder, &client, "x");
        expect_excluded(true);
        recorder_say(&recorder, &client, "*");
        expect_excluded(false);
        recorder_say(&recorder, &client, "x");
        assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
        expect_excluded(false);
        assert_int_equal(grown.publications, (i + 1) * 4);
        assert_int_equal(recorder.publications, 0);
        test_client_close(&client);
        recorder_finish(&recorder, server);
    }
}

static bool news_are_live(jz_server *server)
{
    return jz_server_is_live(server, TOPIC);
}

static void a_topic_is_live_where_no_broker_is_or_else_when_the_broker_says_so(void **state)
{
    (void)state;
    reset();
    jz_error error = {0};
    jz_server *alone = jz_server_create(NULL, &error);
    assert_true(news_are_live(alone));
    jz_server_destroy(alone);

    recorder plain = {0};
    jz_server *server = recorder_create(&plain, NULL);
    assert_false(news_are_live(server)); /* it does not run yet */
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    assert_true(news_are_live(server));
    jz_broker_set_joined(server, false);
    assert_false(news_are_live(server));
    jz_broker_set_joined(server, true);
    assert_true(news_are_live(server));
    jz_server_stop(server);
    jz_server_wait(server);
    assert_false(news_are_live(server));
    recorder_finish(&plain, server);

    recorder knowing = {.grow = know_more};
    server = recorder_run(&knowing, NULL);
    assert_false(news_are_live(server));
    grown.live = true;
    assert_true(news_are_live(server));
    assert_false(jz_server_is_live(server, "other", 5));
    size_t questions = grown.questions;
    jz_broker_set_joined(server, false);
    assert_false(news_are_live(server));
    assert_int_equal(grown.questions, questions); /* it need not be asked */
    jz_broker_set_joined(server, true);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_false(news_are_live(server));
    assert_int_equal(grown.questions, questions);
    recorder_finish(&knowing, server);
}

static jz_broker_report report_of(jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.broker.report;
}

static void statistics_have_the_brokers_report_and_its_last_when_it_is_over(void **state)
{
    (void)state;
    static const jz_broker_report nothing = {0};
    reset();
    recorder recorder = {.grow = know_more};
    jz_error error = {0};
    jz_server *server = recorder_create(&recorder, NULL);
    grown.report = (jz_broker_report){.is_up = true,
                                      .reconnects = 1,
                                      .gaps = 2,
                                      .received = 3,
                                      .echoes = 4,
                                      .duplicates = 5,
                                      .unreadable = 6,
                                      .dropped = 7,
                                      .queued_bytes = 8,
                                      .queued_messages = 9,
                                      .refused_topics = 11,
                                      .lag_us = 10};
    jz_broker_report said = report_of(server);
    assert_memory_equal(&said, &nothing, sizeof said);
    assert_int_equal(grown.reports, 0);
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    said = report_of(server);
    assert_memory_equal(&said, &grown.report, sizeof said);
    grown.report.gaps = 20;
    assert_int_equal(report_of(server).gaps, 20);
    grown.report.gaps = 21;
    jz_server_stop(server);
    jz_server_wait(server);
    size_t reports = grown.reports;
    grown.report.gaps = 22;
    for (int i = 0; i < 2; i++) {
        said = report_of(server);
        assert_false(said.is_up);
        assert_int_equal(said.gaps, 21);
        assert_int_equal(said.duplicates, 5);
        assert_int_equal(said.queued_bytes + said.queued_messages + said.refused_topics, 0); /* that is about now */
    }
    assert_int_equal(grown.reports, reports);
    recorder_finish(&recorder, server);
}

typedef struct asker {
    jz_server *server;
    atomic_bool is_enough;
    atomic_size_t rounds;
} asker;

static void *ask_for_ever(void *context)
{
    asker *asker = context;
    while (!asker->is_enough) {
        report_of(asker->server);
        news_are_live(asker->server);
        asker->rounds++;
    }
    return NULL;
}

static void any_thread_may_ask_while_the_broker_is_stopped_and_reports_do_not_overlap(void **state)
{
    (void)state;
    enum { ROUNDS = 10, THREADS = 3 };
    for (size_t round = 0; round < ROUNDS; round++) {
        reset();
        recorder recorder = {.grow = know_more};
        asker asker = {.server = recorder_run(&recorder, NULL)};
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, ask_for_ever, &asker), 0);
        assert_eventually(asker.rounds > 20);
        jz_server_stop(asker.server);
        jz_server_wait(asker.server);
        size_t reports = grown.reports;
        size_t questions = grown.questions;
        size_t rounds = asker.rounds;
        assert_eventually(asker.rounds > rounds + 20);
        assert_int_equal(grown.reports, reports);
        assert_int_equal(grown.questions, questions);
        assert_int_equal(grown.overlaps, 0);
        asker.is_enough = true;
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        recorder_finish(&recorder, asker.server);
    }
}

/* A broker that is ordered, and delivers nothing. */
static void what_an_ordered_broker_does_not_deliver_nobody_receives(void **state)
{
    (void)state;
    static const struct {
        jz_send_status broker;
        jz_send_status told;
    } cases[] = {{JZ_SEND_SENT, JZ_SEND_SENT},
                 {JZ_SEND_QUEUED, JZ_SEND_SENT},
                 {JZ_SEND_DROPPED, JZ_SEND_DROPPED},
                 {JZ_SEND_CLOSED, JZ_SEND_DROPPED}};
    reset();
    recorder recorder = {.grow = take_all};
    log_lines log;
    jz_options options = serving_options(2);
    log_lines_begin(&log, &options);
    jz_server *server = recorder_create(&recorder, &options);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "early", 5), JZ_SEND_SENT);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    test_client sender;
    test_client receiver;
    recorder_open(&sender, server);
    recorder_open(&receiver, server);
    recorder_say(&recorder, &receiver, "+news");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        recorder.publish_status = cases[i].broker;
        assert_int_equal(recorder_say(&recorder, &sender, "news"), cases[i].told);
        assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), cases[i].told);
    }
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_PING, "x", 1), JZ_SEND_DROPPED);
    assert_int_equal(grown.publications, 2 * COUNT_OF(cases));
    recorder_say(&recorder, &receiver, "+other"); /* and nothing before the answer */
    jz_broker_set_joined(server, false);
    log_lines_expect(
        &log, 0, JZ_LOG_WARNING,
        "the broker is not connected to the other servers: until it is, publications reach nobody, because "
        "all of them go through it");
    recorder.publish_status = JZ_SEND_SENT;
    test_client_close(&sender);
    test_client_close(&receiver);
    jz_server_stop(server);
    jz_server_wait(server);
    assert_int_equal(grown.publications, 2 * COUNT_OF(cases) + 2); /* each client's close event has published */
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "late", 4), JZ_SEND_CLOSED);
    recorder_finish(&recorder, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_joins_with_an_order_that_cannot_exclude_the_publisher),
        cmocka_unit_test(a_broker_is_told_who_does_not_receive_a_message),
        cmocka_unit_test(a_topic_is_live_where_no_broker_is_or_else_when_the_broker_says_so),
        cmocka_unit_test(statistics_have_the_brokers_report_and_its_last_when_it_is_over),
        cmocka_unit_test(any_thread_may_ask_while_the_broker_is_stopped_and_reports_do_not_overlap),
        cmocka_unit_test(what_an_ordered_broker_does_not_deliver_nobody_receives),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("broker reports", tests, NULL, NULL));
}
