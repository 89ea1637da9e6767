/* The page with a server's metrics: what it counts, to the byte, and for whom. */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <stdio.h>

#include "support/allocation.h"
#include "support/asking.h"
#include "support/serving.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/scraping.h"
#include "support/testing.h"

enum { CLIENTS = 6, LIMIT = 64 * 1024 };

#define TOPIC "topic", 5
#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

static jz_server *server;
static test_client clients[CLIENTS];
static _Atomic uint64_t last; /* connection that was opened */
static atomic_size_t opens;

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, TOPIC);
        last = ws.value;
        opens++;
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY) {
        jz_ws_send(ws, message->kind, message->bytes, message->length);
    }
}

static void create(uint32_t threads)
{
    opens = 0;
    const jz_options options = serving_options(threads);
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_metrics(server, "/metrics", NULL), JZ_OK);
}

static void add(const char *path, const jz_route_options *route)
{
    assert_int_equal(jz_server_route_ws(server, path, route, echo, NULL, NULL), JZ_OK);
}

static void run(void)
{
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
}

static void start(uint32_t threads, const jz_route_options *route)
{
    create(threads);
    add("/", route);
    run();
}

static void open_clients(size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(opens == count);
}

static void finish(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_close(&clients[i]);
    jz_server_destroy(server);
}

static uint64_t now(const char *sample)
{
    scrape(jz_server_port(server));
    return scraped(sample);
}

static void clients_get_the_format_that_they_prefer(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        const char *type;
    } rows[] = {
        {"", PROMETHEUS},
        {"Accept: */*\r\n", PROMETHEUS},
        {"Accept: text/html\r\n", PROMETHEUS},
        {"Accept: text/plain;version=0.0.4\r\n", PROMETHEUS},
        {"Accept: application/openmetrics-text\r\n", OPENMETRICS},
        {"Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.6\r\n", PROMETHEUS},
        {"Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
         OPENMETRICS},
    };
    start(1, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[128];
        scrape_with(jz_server_port(server), rows[i].headers);
        snprintf(line, sizeof line, "\r\nContent-Type: %s\r\n", rows[i].type);
        assert_that(scraped_head_has(line), "\"%s\"", rows[i].headers);
        assert_true(scraped_head_has("\r\nCache-Control: no-store\r\n") && scraped_head_has("\r\nVary: Accept\r\n"));
        assert_int_equal(scraped_page_has("# EOF\n"), strcmp(rows[i].type, OPENMETRICS) == 0);
        assert_true(scraped("jazzy_connections") >= 1);
    }
    finish(0);
}

static void the_page_is_only_read(void **state)
{
    (void)state;
    start(1, NULL);
    assert_true(test_client_connect(&clients[0], jz_server_port(server), 0));
    assert_int_equal(asking(&clients[0], PAGE_REQUEST_WITH("HEAD", "/metrics", "")), 200);
    assert_int_equal(asking(&clients[0], PAGE_REQUEST_WITH("OPTIONS", "/metrics", "")), 204);
    assert_true(asking_has_line(&clients[0], "Allow: GET, HEAD, OPTIONS"));
    assert_int_equal(asking(&clients[0], PAGE_REQUEST_WITH("DELETE", "/metrics", "")), 405);
    test_client_close(&clients[0]);
    finish(0);
}

static void connections_and_refusals_are_counted(void **state)
{
    (void)state;
    start(3, NULL);
    open_clients(3);
    assert_true(test_client_connect(&clients[3], jz_server_port(server), 0));
    assert_int_equal(asking(&clients[3], PAGE_REQUEST_WITH("HEAD", "/nowhere", "")), 404);
    assert_int_equal(asking(&clients[3], PAGE_REQUEST_WITH("HEAD", "/", "")), 426);
    scrape(jz_server_port(server));
    assert_int_equal(scraped("jazzy_websockets"), 3);
    assert_int_equal(scraped("jazzy_websockets_opened_total"), 3);
    assert_int_equal(scraped("jazzy_loop_websockets{loop=\"0\"}") + scraped("jazzy_loop_websockets{loop=\"1\"}") +
                         scraped("jazzy_loop_websockets{loop=\"2\"}"),
                     3);
    assert_int_equal(scraped("jazzy_connections"), 5);
    assert_int_equal(scraped("jazzy_connections_opened_total"), 5);
    assert_int_equal(scraped("jazzy_connections_peak"), 5);
    assert_int_equal(scraped("jazzy_handshakes"), 2);
    assert_int_equal(scraped("jazzy_refused_total{reason=\"not_found\"}"), 1);
    assert_int_equal(scraped("jazzy_refused_total{reason=\"no_upgrade\"}"), 1);
    assert_int_equal(scraped("jazzy_refused_total{reason=\"origin\"}"), 0);
    finish(4);
}

static void messages_and_their_bytes_are_counted_by_direction_and_kind(void **state)
{
    (void)state;
    start(3, NULL);
    open_clients(CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        test_client_send_frame(&clients[i], &(test_frame)PING("ping"));
        test_client_expect(&clients[i], JZ_OPCODE_PONG, "ping", 4);
        test_client_send_frame(&clients[i], &(test_frame)TEXT("Hello"));
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "Hello", 5);
        test_client_send_frame(&clients[i], &(test_frame)BINARY_OF(REPEATED("x", 1000)));
        test_received frame;
        assert_true(test_client_take_frame(&clients[i], &frame));
        test_client_send_frame(&clients[i], &(test_frame)PONG("no"));
    }
    assert_eventually(now("jazzy_messages_received_total{kind=\"pong\"}") == CLIENTS);
    static const struct {
        const char *kind;
        uint64_t length;
        bool is_sent; /* else it is answered by a pong */
    } kinds[] = {{"text", 5, true}, {"binary", 1000, true}, {"ping", 4, false}, {"pong", 2, false}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char sample[128];
        snprintf(sample, sizeof sample, "jazzy_messages_received_total{kind=\"%s\"}", kinds[i].kind);
        assert_int_equal(scraped(sample), CLIENTS);
        snprintf(sample, sizeof sample, "jazzy_received_bytes_total{kind=\"%s\"}", kinds[i].kind);
        assert_int_equal(scraped(sample), CLIENTS * kinds[i].length);
        bool is_pong = i == 3;
        snprintf(sample, sizeof sample, "jazzy_messages_sent_total{kind=\"%s\"}", kinds[i].kind);
        assert_int_equal(scraped(sample), kinds[i].is_sent || is_pong ? CLIENTS : 0);
        snprintf(sample, sizeof sample, "jazzy_sent_bytes_total{kind=\"%s\"}", kinds[i].kind);
        assert_int_equal(scraped(sample), is_pong ? CLIENTS * 4 : kinds[i].is_sent ? CLIENTS * kinds[i].length : 0);
    }
    finish(CLIENTS);
}

static void compressed_bytes_are_counted_before_and_after(void **state)
{
    (void)state;
    enum { LENGTH = 10000, RECEIVERS = 2 };
    static const uint8_t zeros[LENGTH];
    static const char request[] = UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    jz_route_options route = jz_route_options_default();
    route.deflate.mode = JZ_DEFLATE_SHARED;
    start(1, &route);
    for (size_t i = 0; i < RECEIVERS; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), request));
    assert_eventually(opens == RECEIVERS);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_BINARY, zeros, LENGTH), JZ_SEND_SENT);
    test_received frames[RECEIVERS];
    for (size_t i = 0; i < RECEIVERS; i++) {
        assert_true(test_client_take_frame(&clients[i], &frames[i]));
        assert_true(frames[i].length < 126);
    }
    scrape(jz_server_port(server));
    assert_int_equal(scraped("jazzy_compression_plain_bytes_total{direction=\"sent\"}"), RECEIVERS * LENGTH);
    assert_int_equal(scraped("jazzy_compression_compressed_bytes_total{direction=\"sent\"}"),
                     RECEIVERS * frames[0].length);
    assert_int_equal(scraped("jazzy_compression_plain_bytes_total{direction=\"received\"}"), 0);
    /* Sent back as it came, and echoed once more, with the same bytes. */
    uint8_t head[6] = {0xC2, 0x80};
    size_t compressed = frames[0].length;
    head[1] = 0x80 | (uint8_t)compressed;
    assert_true(test_client_send(&clients[0], head, sizeof head));
    assert_true(test_client_send(&clients[0], frames[0].payload, compressed));
    assert_true(test_client_take_frame(&clients[0], &frames[0]));
    scrape(jz_server_port(server));
    assert_int_equal(scraped("jazzy_compression_plain_bytes_total{direction=\"received\"}"), LENGTH);
    assert_int_equal(scraped("jazzy_compression_compressed_bytes_total{direction=\"received\"}"), compressed);
    assert_int_equal(scraped("jazzy_compression_plain_bytes_total{direction=\"sent\"}"), (RECEIVERS + 1) * LENGTH);
    assert_int_equal(scraped("jazzy_compression_compressed_bytes_total{direction=\"sent\"}"),
                     (RECEIVERS + 1) * compressed);
    finish(RECEIVERS);
}

static void what_waits_and_what_is_dropped_is_counted_without_looking_at_connections(void **state)
{
    (void)state;
    static const uint8_t payload[1000];
    jz_route_options route = jz_route_options_default();
    route.backpressure_limit = LIMIT;
    start(1, &route);
    assert_true(test_client_connect(&clients[0], jz_server_port(server), 4096));
    assert_true(test_client_upgrade(&clients[0], UPGRADE_REQUEST("/")));
    assert_eventually(opens == 1);
    jz_ws ws = {last};
    while (jz_server_dropped_count(server) == 0) {
        for (int i = 0; i < 32; i++)
            jz_ws_send(ws, JZ_MESSAGE_BINARY, payload, sizeof payload);
        scrape(jz_server_port(server));
    }
    /* The kernel may take some more of it meanwhile. */
    assert_eventually(now("jazzy_buffered_bytes") == jz_ws_buffered_amount(ws));
    assert_true(scraped("jazzy_buffered_bytes") > LIMIT / 2);
    assert_int_equal(scraped("jazzy_messages_dropped_total"), jz_server_dropped_count(server));
    /* A part of it is read, and sent. */
    uint64_t before = scraped("jazzy_buffered_bytes");
    test_received frame;
    while (now("jazzy_buffered_bytes") == before)
        assert_true(test_client_take_frame(&clients[0], &frame));
    assert_eventually(now("jazzy_buffered_bytes") == jz_ws_buffered_amount(ws));
    test_client_reset(&clients[0]);
    assert_eventually(now("jazzy_websockets") == 0);
    assert_int_equal(scraped("jazzy_buffered_bytes"), 0);
    finish(0);
}

static void what_was_read_late_is_not_counted_as_waiting(void **state)
{
    (void)state;
    static const uint8_t payload[1000];
    jz_route_options route = jz_route_options_default();
    start(1, &route);
    assert_true(test_client_connect(&clients[0], jz_server_port(server), 4096));
    assert_true(test_client_upgrade(&clients[0], UPGRADE_REQUEST("/")));
    assert_eventually(opens == 1);
    size_t sent = 0;
    while (now("jazzy_buffered_bytes") == 0) {
        jz_ws_send((jz_ws){last}, JZ_MESSAGE_BINARY, payload, sizeof payload);
        sent++;
    }
    for (size_t i = 0; i < sent; i++) {
        test_received frame;
        assert_true(test_client_take_frame(&clients[0], &frame));
    }
    assert_eventually(now("jazzy_buffered_bytes") == 0);
    finish(1);
}

static void ends_are_counted_by_code_cause_and_rule(void **state)
{
    (void)state;
    start(1, NULL);
    open_clients(4);
    test_client_send_frame(&clients[0], &(test_frame)CLOSE(1000, "bye"));
    test_client_send_frame(&clients[1], &(test_frame)CLOSE(4000, ""));
    test_client_send_frame(&clients[2], &(test_frame)TEXT("\xFF"));
    assert_int_equal(jz_ws_close((jz_ws){last}, 1001, "", 0), JZ_SEND_QUEUED);
    test_client_expect(&clients[3], JZ_OPCODE_CLOSE, "\x03\xE9", 2);
    test_client_send_frame(&clients[3], &(test_frame)CLOSE(1001, ""));
    assert_eventually(now("jazzy_websockets") == 0);
    assert_int_equal(scraped("jazzy_closes_total{code=\"1000\"}"), 1);
    assert_int_equal(scraped("jazzy_closes_total{code=\"1001\"}"), 1);
    assert_int_equal(scraped("jazzy_closes_total{code=\"1007\"}"), 1);
    assert_int_equal(scraped("jazzy_closes_total{code=\"1015\"}"), 0);
    assert_int_equal(scraped("jazzy_closes_total{code=\"4000-4999\"}"), 1);
    assert_int_equal(scraped("jazzy_closes_by_cause_total{cause=\"peer\"}"), 2);
    assert_int_equal(scraped("jazzy_closes_by_cause_total{cause=\"application\"}"), 1);
    assert_int_equal(scraped("jazzy_closes_by_cause_total{cause=\"failure\"}"), 1);
    assert_int_equal(scraped("jazzy_failures_total{rule=\"invalid_utf8\"}"), 1);
    assert_int_equal(scraped("jazzy_websocket_duration_seconds_count{route=\"/\"}"), 4);
    assert_int_equal(scraped("jazzy_websocket_duration_seconds_bucket{route=\"/\",le=\"+Inf\"}"), 4);
    finish(4);
}

static void topics_and_subscriptions_are_those_of_now(void **state)
{
    (void)state;
    start(1, NULL);
    open_clients(3);
    assert_eventually(jz_server_subscriber_count(server, TOPIC) == 3);
    assert_int_equal(jz_ws_subscribe((jz_ws){last}, "another", 7), JZ_SEND_QUEUED);
    assert_eventually(now("jazzy_topics{loop=\"0\"}") == 2);
    assert_int_equal(scraped("jazzy_subscriptions{loop=\"0\"}"), 4);
    for (size_t i = 0; i < 3; i++)
        test_client_reset(&clients[i]);
    assert_eventually(now("jazzy_topics{loop=\"0\"}") == 0);
    assert_int_equal(scraped("jazzy_subscriptions{loop=\"0\"}"), 0);
    finish(0);
}

static void the_process_says_what_it_needs(void **state)
{
    (void)state;
    start(1, NULL);
    scrape(jz_server_port(server));
    assert_true(scraped_page_has("\njazzy_build_info{version=\"" JZ_VERSION "\",compiler=\""));
    assert_true(scraped_number("process_cpu_seconds_total") > 0);
    assert_true(scraped("process_resident_memory_bytes") > 1024 * 1024);
    assert_true(scraped("process_max_fds") > 0);
    if (scraped_page_has("process_open_fds "))
        assert_true(scraped("process_open_fds") <= serving_descriptors() + 2 &&
                    scraped("process_open_fds") + 2 >= serving_descriptors());
    finish(0);
}

static void without_memory_there_is_no_page_and_later_there_is_one(void **state)
{
    (void)state;
    start(1, NULL);
    scrape(jz_server_port(server));
    for (size_t after = 0; after < 24; after++) {
        assert_true(test_client_connect(&clients[0], jz_server_port(server), 0));
        test_allocation_fails_once_after(after);
        (void)asking(&clients[0], PAGE_REQUEST("/metrics"));
        (void)test_allocations_succeed();
        test_client_close(&clients[0]);
    }
    scrape(jz_server_port(server));
    assert_int_equal(scraped("jazzy_websockets"), 0);
    finish(0);
}

static void requests_in_a_row_are_all_answered(void **state)
{
    (void)state;
    enum { REQUESTS = 50 };
    start(1, NULL);
    assert_true(test_client_connect(&clients[0], jz_server_port(server), 0));
    for (int i = 0; i < REQUESTS; i++)
        assert_true(test_client_send(&clients[0], PAGE_REQUEST_WITH("HEAD", "/metrics", ""),
                                     strlen(PAGE_REQUEST_WITH("HEAD", "/metrics", ""))));
    for (int i = 0; i < REQUESTS; i++)
        assert_int_equal(test_client_take_head(&clients[0]), 200);
    finish(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_get_the_format_that_they_prefer),
        cmocka_unit_test(the_page_is_only_read),
        cmocka_unit_test(connections_and_refusals_are_counted),
        cmocka_unit_test(messages_and_their_bytes_are_counted_by_direction_and_kind),
        cmocka_unit_test(compressed_bytes_are_counted_before_and_after),
        cmocka_unit_test(what_waits_and_what_is_dropped_is_counted_without_looking_at_connections),
        cmocka_unit_test(what_was_read_late_is_not_counted_as_waiting),
        cmocka_unit_test(ends_are_counted_by_code_cause_and_rule),
        cmocka_unit_test(topics_and_subscriptions_are_those_of_now),
        cmocka_unit_test(the_process_says_what_it_needs),
        cmocka_unit_test(without_memory_there_is_no_page_and_later_there_is_one),
        cmocka_unit_test(requests_in_a_row_are_all_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
