/* The page with a server's metrics: what its broker and its transports tell of themselves, and limits of rates. */
#include "jazzy/broker.h"
#include "jazzy/history.h"
#include "jazzy/transport.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/folder.h"
#include "support/scraping.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

#define TOPIC "news", 4

static test_client client;

static void subscribe(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, TOPIC);
}

static jz_server *create(const jz_route_options *route)
{
    const jz_options options = serving_options(1);
    jz_server *server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_metrics(server, "/metrics", NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/", route, subscribe, NULL, NULL), JZ_OK);
    return server;
}

static uint16_t run(jz_server *server)
{
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    return jz_server_port(server);
}

/* --- A broker -------------------------------------------------------------------------------------------------------
 */

static jz_status begin(void *context, jz_server *server, jz_error *error)
{
    (void)context, (void)server, (void)error;
    return JZ_OK;
}

static void end(void *context)
{
    (void)context;
}

static void note_topic(void *context, const char *topic, size_t length)
{
    (void)context, (void)topic, (void)length;
}

/* Refuses empty messages. */
static jz_send_status take(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                           const void *bytes, size_t length)
{
    (void)context, (void)topic, (void)topic_length, (void)kind, (void)bytes;
    return length > 0 ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

static void report(void *context, jz_broker_report *told)
{
    (void)context;
    *told = (jz_broker_report){.is_up = true,
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
                               .lag_us = 1500};
}

static void a_broker_is_counted_and_says_how_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *sample;
        uint64_t value;
    } rows[] = {
        {"jazzy_broker_joined", 1},
        {"jazzy_broker_topics", 1},
        {"jazzy_broker_losses_total", 0},
        {"jazzy_broker_published_total", 2},
        {"jazzy_broker_refused_total", 1},
        {"jazzy_broker_delivered_total", 1},
        {"jazzy_broker_up", 1},
        {"jazzy_broker_queued_bytes", 8},
        {"jazzy_broker_queued_messages", 9},
        {"jazzy_broker_refused_topics", 11},
        {"jazzy_broker_reconnects_total", 1},
        {"jazzy_broker_gaps_total", 2},
        {"jazzy_broker_received_total", 3},
        {"jazzy_broker_echoes_total", 4},
        {"jazzy_broker_duplicates_total", 5},
        {"jazzy_broker_unreadable_total", 6},
        {"jazzy_broker_dropped_total", 7},
    };
    const jz_broker broker = {.start = begin,
                              .stop = end,
                              .subscribe = note_topic,
                              .unsubscribe = note_topic,
                              .publish = take,
                              .report = report};
    jz_server *server = create(NULL);
    assert_int_equal(jz_server_join(server, &broker, NULL), JZ_OK);
    uint16_t port = run(server);
    assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/")));
    assert_eventually(jz_server_subscriber_count(server, TOPIC) == 1);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "one", 3), JZ_SEND_SENT);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "two", 3), JZ_SEND_SENT);
    (void)jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "", 0);
    assert_int_equal(jz_broker_deliver(server, TOPIC, JZ_MESSAGE_TEXT, "three", 5), JZ_SEND_SENT);
    scrape(port);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_that(scraped(rows[i].sample) == rows[i].value, "%s", rows[i].sample);
    assert_true(scraped_page_has("\njazzy_broker_lag_seconds 0.0015\n"));
    assert_true(scraped_page_has("\njazzy_presence_members_elsewhere 0\n"));
    test_client_close(&client);
    jz_server_destroy(server);
}

static void without_a_broker_a_history_or_a_transport_nothing_is_said_of_one(void **state)
{
    (void)state;
    jz_server *server = create(NULL);
    scrape(run(server));
    assert_false(scraped_page_has("jazzy_broker_"));
    assert_false(scraped_page_has("jazzy_history_"));
    assert_false(scraped_page_has("jazzy_presence_servers"));
    assert_false(scraped_page_has("jazzy_tls_"));
    jz_server_destroy(server);
}

/* --- A history ------------------------------------------------------------------------------------------------------
 */

static jz_position since;

static void subscribe_since(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    const jz_subscribe_options options = {.has_since = true, .since = since};
    if (event->type == JZ_EVENT_OPEN)
        assert_int_equal(jz_ws_subscribe_from(ws, TOPIC, &options, NULL), JZ_SEND_SENT);
}

static void ignore(void *context, jz_message_kind kind, const void *bytes, size_t length)
{
    (void)context, (void)kind, (void)bytes, (void)length;
}

static void what_histories_keep_and_who_continued_is_told(void **state)
{
    (void)state;
    jz_server *server = create(NULL);
    assert_int_equal(jz_server_route_ws(server, "/since", NULL, subscribe_since, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_history(server, TOPIC, NULL, NULL), JZ_OK);
    uint16_t port = run(server);
    (void)jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "one", 3);
    (void)jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "two", 3);
    assert_int_equal(jz_server_recent(server, TOPIC, 2, ignore, NULL, &since), 2);
    assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/since")));
    test_client_close(&client);
    since.offset++; /* nothing has come so far */
    assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/since")));
    assert_eventually((scrape(port), scraped("jazzy_history_resumptions_total{result=\"not_recovered\"}") == 1));
    assert_int_equal(scraped("jazzy_history_resumptions_total{result=\"recovered\"}"), 1);
    assert_int_equal(scraped("jazzy_history_topics"), 1);
    assert_int_equal(scraped("jazzy_history_messages"), 2);
    jz_history_statistics kept;
    jz_server_history_statistics(server, &kept);
    assert_int_equal(scraped("jazzy_history_bytes"), kept.bytes);
    assert_true(kept.bytes > 6);
    test_client_close(&client);
    jz_server_destroy(server);
}

/* --- Members --------------------------------------------------------------------------------------------------------
 */

static void subscribe_as_somebody(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    const jz_member ada = {"ada", 3, "info", 4};
    if (event->type == JZ_EVENT_OPEN)
        assert_int_equal(jz_ws_subscribe_as(ws, TOPIC, &ada, NULL), JZ_SEND_SENT);
}

static void how_many_members_topics_have_is_told(void **state)
{
    (void)state;
    jz_server *server = create(NULL);
    assert_int_equal(jz_server_route_ws(server, "/as", NULL, subscribe_as_somebody, NULL, NULL), JZ_OK);
    uint16_t port = run(server);
    scrape(port);
    assert_true(scraped_page_has("\njazzy_presence_members 0\n"));
    assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/as")));
    assert_eventually((scrape(port), scraped_page_has("\njazzy_presence_members 1\n")));
    assert_int_equal(scraped("jazzy_presence_topics"), 1);
    assert_true(scraped("jazzy_presence_bytes") > 7);
    test_client_close(&client);
    jz_server_destroy(server);
}

/* --- Transports -----------------------------------------------------------------------------------------------------
 */

static void tell(void *context, jz_transport_report *told)
{
    *told = *(const jz_transport_report *)context;
}

/* The first on two listeners, which is told of once. */
static void transports_are_summed_each_once(void **state)
{
    (void)state;
    static jz_transport_report reports[] = {
        {.handshakes = 10, .resumed = 4, .failed = 1, .reloads = 2, .failed_reloads = 1, .expires = 2000000000},
        {.handshakes = 5, .resumed = 5, .failed = 2, .reloads = 0, .failed_reloads = 3, .expires = 1900000000},
    };
    jz_transport telling = throttled_transport;
    telling.report = tell;
    jz_server *server = create(NULL);
    for (size_t i = 0; i < 3; i++) {
        const jz_listen_options listening = {.transport = &telling, .transport_context = &reports[i % 2]};
        assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &listening, NULL), JZ_OK);
    }
    /* One that says nothing, and of which nothing is asked. */
    const jz_listen_options silent = {.transport = &throttled_transport};
    assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &silent, NULL), JZ_OK);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect_unix(&client, path));
    scrape_over(&client, "");
    assert_int_equal(scraped("jazzy_tls_handshakes_total{result=\"full\"}"), 6);
    assert_int_equal(scraped("jazzy_tls_handshakes_total{result=\"resumed\"}"), 9);
    assert_int_equal(scraped("jazzy_tls_handshakes_total{result=\"failed\"}"), 3);
    assert_int_equal(scraped("jazzy_tls_reloads_total{result=\"replaced\"}"), 2);
    assert_int_equal(scraped("jazzy_tls_reloads_total{result=\"failed\"}"), 4);
    assert_int_equal(scraped("jazzy_tls_certificate_expiry_timestamp_seconds"), 1900000000);
    jz_server_destroy(server);
}

/* --- Limits of rates ------------------------------------------------------------------------------------------------
 */

static void messages_beyond_a_rate_are_counted_by_what_is_done(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.message_rate = (jz_message_rate){.per_second = 1, .burst = 1, .exceeding = JZ_EXCEEDING_DROP};
    jz_server *server = create(&route);
    uint16_t port = run(server);
    assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/")));
    /* In one piece: a client that stands still between them keeps to the rate. */
    static const char texts[] = "\x81\x80\0\0\0\0\x81\x80\0\0\0\0\x81\x80\0\0\0\0";
    assert_true(test_client_send(&client, texts, sizeof texts - 1));
    assert_eventually((scrape(port), scraped("jazzy_messages_received_total{kind=\"text\"}") == 3));
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(scraped("jazzy_message_rate_exceeded_total{action=\"drop\"}"),
                     statistics.exceeded[JZ_EXCEEDING_DROP]);
    assert_true(scraped("jazzy_message_rate_exceeded_total{action=\"drop\"}") > 0);
    assert_int_equal(scraped("jazzy_message_rate_exceeded_total{action=\"close\"}"), 0);
    test_client_close(&client);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_is_counted_and_says_how_it_is),
        cmocka_unit_test(what_histories_keep_and_who_continued_is_told),
        cmocka_unit_test(without_a_broker_a_history_or_a_transport_nothing_is_said_of_one),
        cmocka_unit_test(how_many_members_topics_have_is_told),
        cmocka_unit_test_setup_teardown(transports_are_summed_each_once, make_folder, remove_folder),
        cmocka_unit_test(messages_beyond_a_rate_are_counted_by_what_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
