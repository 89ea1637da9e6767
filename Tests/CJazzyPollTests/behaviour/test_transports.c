/*
 * Whole servers whose connections go through a transport, from the first byte to the end, whatever the transport does.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "jazzy.h"
#include "jazzy/transport.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum { PAGE_SIZE = 300 * 1000, LARGE = 100 * 1000, KERNEL_LIMIT = 64 * 1024, LIMIT_MS = 20000 };

static jz_server *server;
static journal seen;
static throttled throttle;
static log_lines lines;
static test_client client;
static test_client other;
static uint8_t page[PAGE_SIZE];
static uint8_t large[LARGE];

/* Behaviours of transports, from that of a plain socket to unusual ones. */
static const throttled manners[] = {
    {.seed = 1, .most_received = 16384, .most_sent = 16384},
    {.seed = 2, .steps = 4},
    {.seed = 3, .most_received = 7, .most_sent = 100, .steps = 2},
    {.seed = 4, .contrary = 3, .steps = 6},
    {.seed = 5, .most_received = 600, .most_sent = 600, .steps = 3, .contrary = 2},
};

static void echo(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static jz_options options_of(uint32_t threads)
{
    jz_options options = serving_options(threads);
    log_lines_begin(&lines, &options);
    options.max_message_size = 1 << 20;
    return options;
}

/* With a transport, whose context is the throttle unless `context` is another. */
static void start_with(const jz_options *options, const throttled *manner, const jz_transport *transport, void *context)
{
    jz_error error = {0};
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = echo;
    throttle = *manner;
    for (size_t i = 0; i < PAGE_SIZE; i++)
        page[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)(i * 17 + i / 253);
    server = jz_server_create(options, &error);
    assert_that(server != NULL, "%s", error.message);
    jz_route_options route = jz_route_options_default();
    route.kernel_send_limit = KERNEL_LIMIT; /* else it buffers megabytes for a peer that takes nothing */
    assert_int_equal(jz_server_route_ws(server, "/", &route, journal_handle, &seen, &error), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/page", "text/plain", page, PAGE_SIZE, &error), JZ_OK);
    const jz_listen_options listening = {.transport = transport, .transport_context = context};
    assert_that(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
}

static void start(const throttled *manner)
{
    const jz_options options = options_of(1);
    start_with(&options, manner, &throttled_transport, &throttle);
}

static jz_statistics statistics(void)
{
    jz_statistics now;
    jz_server_statistics(server, &now);
    return now;
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    assert_int_equal(throttle.opened, throttle.closed);
    pthread_mutex_destroy(&seen.lock);
}

static void say(const void *payload, size_t length)
{
    const test_frame frame = {
        .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = {(const char *)payload, length, length}};
    test_client_send_frame(&client, &frame);
}

static void messages_come_back_through_each(void **state)
{
    static const size_t lengths[] = {0, 1, 125, 126, 4000, 8192, 20000, 65535, 65536, LARGE};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        start(&manners[i]);
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        for (size_t k = 0; k < COUNT_OF(lengths); k++) {
            say(large, lengths[k]);
            test_client_expect(&client, JZ_OPCODE_BINARY, large, lengths[k]);
        }
        for (size_t k = 0; k < 20; k++)
            say(large, k);
        for (size_t k = 0; k < 20; k++)
            test_client_expect(&client, JZ_OPCODE_BINARY, large, k);
        test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
        test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
        assert_true(test_client_sees_end(&client));
        assert_eventually(throttle.closed == 1);
        assert_int_equal(throttle.ended, 1);
        finish();
    }
}

static void a_page_comes_whole_and_behind_it_the_end(void **state)
{
    static const char request[] = "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        start(&manners[i]);
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        assert_true(test_client_send(&client, request, sizeof request - 1));
        assert_int_equal(test_client_take_head(&client), 200);
        for (size_t taken = 0; taken < PAGE_SIZE;) {
            size_t part = PAGE_SIZE - taken < 50000 ? PAGE_SIZE - taken : 50000;
            assert_true(test_client_receive(&client, part));
            assert_memory_equal(client.bytes + client.start, page + taken, part);
            client.start += part;
            taken += part;
        }
        assert_true(test_client_sees_end(&client));
        test_client_stop_sending(&client);
        assert_eventually(throttle.closed == 1);
        assert_int_equal(throttle.ended, 1);
        finish();
    }
}

static void a_proxy_header_comes_before_the_transport(void **state)
{
    static const char *const trusted[] = {"127.0.0.1"};
    static const char bytes[] = "PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n" UPGRADE_REQUEST("/");
    char address[JZ_REMOTE_ADDRESS_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        jz_options options = options_of(1);
        options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
        options.trusted_proxies = trusted;
        options.trusted_proxy_count = 1;
        start_with(&options, &manners[i], &throttled_transport, &throttle);
        for (size_t cut = 0; cut < 60; cut += 7) {
            size_t before = seen.opens;
            assert_true(test_client_connect(&client, jz_server_port(server), 0));
            assert_true(cut == 0 || test_client_send(&client, bytes, cut));
            assert_true(test_client_send(&client, bytes + cut, sizeof bytes - 1 - cut));
            assert_int_equal(test_client_take_head(&client), 101);
            assert_eventually(seen.opens == before + 1);
            jz_ws_remote_address(journal_handle_of(&seen, before), address);
            assert_string_equal(address, "192.0.2.7:4711");
            test_client_close(&client);
            assert_eventually(seen.closes == before + 1);
        }
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        finish();
    }
}

static void behind_a_proxy_header_a_limit_is_not_answered_in_plain_text(void **state)
{
    static const char *const trusted[] = {"127.0.0.1"};
    static const char header[] = "PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n";
    jz_options options = options_of(1);
    (void)state;
    options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
    options.trusted_proxies = trusted;
    options.trusted_proxy_count = 1;
    options.max_connections_per_address = 1;
    start_with(&options, &manners[0], &throttled_transport, &throttle);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, header, sizeof header - 1));
    assert_eventually(throttle.opened == 1);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    assert_true(test_client_send(&other, header, sizeof header - 1));
    assert_true(test_client_sees_end(&other));
    assert_int_equal(other.end, 0);
    assert_int_equal(throttle.opened, 1);
    assert_int_equal(statistics().refused[JZ_REFUSAL_CONNECTIONS_PER_ADDRESS], 1);
    test_client_close(&other);
    finish();
}

static void who_is_turned_away_is_not_answered_in_plain_text(void **state)
{
    jz_options options = options_of(1);
    (void)state;
    options.max_handshakes = 1;
    start_with(&options, &manners[0], &throttled_transport, &throttle);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_eventually(throttle.opened == 1);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    assert_true(test_client_sees_end(&other));
    assert_int_equal(other.end, 0);
    assert_int_equal(statistics().refused[JZ_REFUSAL_MAX_HANDSHAKES], 1);
    test_client_close(&other);
    finish();
}

static unsigned watch_nothing(void *channel, unsigned wanted)
{
    (void)channel;
    (void)wanted;
    return 0;
}

static void a_handshake_that_never_ends_is_timed_out(void **state)
{
    jz_options options = options_of(1);
    jz_transport transport = throttled_transport;
    (void)state;
    transport.interest = watch_nothing;
    options.handshake_timeout_ms = LIMIT_MS;
    start_with(&options, &(throttled){.steps = 1000, .seed = 1}, &transport, &throttle);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, "GET", 3));
    assert_eventually(throttle.opened == 1 && test_client_has_delivered(&client));
    serving_let_pass(server, LIMIT_MS); /* by a clock that jumps: however late, the client sends in time */
    assert_true(test_client_sees_end(&client));
    assert_int_equal(client.end, 0);
    assert_eventually(throttle.closed == 1);
    assert_int_equal(statistics().refused[JZ_REFUSAL_HANDSHAKE_TIMEOUT], 1);
    assert_int_equal(throttle.ended, 0);
    finish();
    test_clocks_run();
}

static void why_a_channel_is_lost_is_told_to_the_log(void **state)
{
    char address[32];
    char line[100];
    (void)state;
    start(&(throttled){.seed = 1, .failing = 1});
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    test_client_address(&client, address);
    assert_true(test_client_send(&client, "GET", 3));
    assert_true(test_client_sees_end(&client));
    snprintf(line, sizeof line, "%s: lost: " THROTTLED_FAILURE, address);
    log_lines_expect(&lines, 0, JZ_LOG_INFO, line);
    finish();
}

static const char *speak_http_2(void *channel)
{
    (void)channel;
    return "h2";
}

static void who_wants_to_speak_something_else_is_ended_and_that_is_told(void **state)
{
    const jz_options options = options_of(1);
    jz_transport transport = throttled_transport;
    (void)state;
    transport.protocol = speak_http_2;
    start_with(&options, &manners[0], &transport, &throttle);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, "GET", 3));
    assert_true(test_client_sees_end(&client));
    assert_eventually(log_lines_have(&lines, "\"h2\""));
    finish();
}

static void *open_nothing(void *context, int descriptor, const uint8_t *early, size_t early_length)
{
    (void)context;
    (void)descriptor;
    (void)early;
    (void)early_length;
    return NULL;
}

static void without_memory_for_a_channel_the_connection_ends_and_that_is_told(void **state)
{
    static const char *const trusted[] = {"127.0.0.1"};
    jz_transport transport = throttled_transport;
    (void)state;
    transport.open = open_nothing;
    for (int with_proxy = 0; with_proxy < 2; with_proxy++) {
        jz_options options = options_of(1);
        options.client_address = with_proxy ? JZ_CLIENT_ADDRESS_PROXY_PROTOCOL : JZ_CLIENT_ADDRESS_PEER;
        options.trusted_proxies = trusted;
        options.trusted_proxy_count = 1;
        start_with(&options, &manners[0], &transport, &throttle);
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        if (with_proxy)
            assert_true(test_client_send(&client, "PROXY UNKNOWN\r\nGET", 18));
        assert_true(test_client_sees_end(&client));
        assert_int_equal(client.end, 0);
        assert_eventually(statistics().connections == 0);
        assert_int_equal(statistics().refused[JZ_REFUSAL_OUT_OF_MEMORY], 1);
        assert_eventually(lines.count == 1);
        finish();
    }
}

static void who_is_paused_gets_what_the_channel_had_when_it_goes_on(void **state)
{
    enum { COUNT = 50, LENGTH = 40 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        start(&manners[i]);
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_eventually(seen.opens == 1);
        jz_ws ws = journal_handle_of(&seen, 0);
        for (int round = 0; round < 5; round++) {
            size_t before = seen.messages;
            jz_ws_pause_reading(ws);
            for (size_t k = 0; k < COUNT; k++)
                say(large, LENGTH);
            jz_ws_resume_reading(ws);
            assert_eventually(seen.messages == before + COUNT);
            for (size_t k = 0; k < COUNT; k++)
                test_client_expect(&client, JZ_OPCODE_BINARY, large, LENGTH);
        }
        finish();
    }
}

static void who_takes_nothing_holds_up_only_itself(void **state)
{
    enum { MUCH = 40 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        start(&manners[i]);
        assert_true(test_client_connect(&client, jz_server_port(server), 4096));
        assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
        assert_eventually(seen.opens == 1);
        for (size_t k = 0; k < MUCH; k++)
            jz_ws_send(journal_handle_of(&seen, 0), JZ_MESSAGE_BINARY, large, LARGE);
        assert_eventually(jz_ws_buffered_amount(journal_handle_of(&seen, 0)) > 0);
        assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/")));
        test_client_send_frame(&other, &(test_frame)TEXT("there?"));
        test_client_expect(&other, JZ_OPCODE_TEXT, "there?", 6);
        test_client_close(&other);
        /* Of a loop's letters some may wait for its next iteration. */
        assert_eventually(statistics().messages_sent[JZ_MESSAGE_BINARY] + statistics().dropped == MUCH);
        uint64_t dropped = jz_server_dropped_count(server);
        for (size_t k = dropped; k < MUCH; k++)
            test_client_expect(&client, JZ_OPCODE_BINARY, large, LARGE);
        assert_eventually(jz_ws_buffered_amount(journal_handle_of(&seen, 0)) == 0);
        finish();
    }
}

static void stopping_tells_the_end_through_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        start(&manners[i]);
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_true(test_client_connect(&other, jz_server_port(server), 0)); /* silent */
        assert_eventually(throttle.opened == 2);
        jz_server_stop(server);
        test_received frame;
        assert_true(test_client_take_frame(&client, &frame));
        assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
        test_client_send_frame(&client, &(test_frame)CLOSE(1001, ""));
        assert_true(test_client_sees_end(&client));
        assert_true(test_client_sees_end(&other));
        jz_server_wait(server);
        assert_int_equal(throttle.closed, 2);
        assert_in_range(throttle.ended, 1, 2);
        test_client_close(&other);
        finish();
    }
}

static void draining_waits_for_the_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        start(&manners[i]);
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        jz_server_drain(server, JZ_NEVER);
        say(large, LARGE);
        test_client_expect(&client, JZ_OPCODE_BINARY, large, LARGE);
        test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
        jz_server_wait(server);
        finish();
    }
}

static void whatever_is_lost_when_every_channel_ends_and_is_closed(void **state)
{
    enum { CONNECTIONS = 60 };
    (void)state;
    const jz_options options = options_of(3);
    start_with(&options, &(throttled){.seed = 9, .most_received = 60, .most_sent = 60, .steps = 4, .failing = 12},
               &throttled_transport, &throttle);
    seen.act = echo;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        static const uint8_t key[4] = {1, 2, 3, 4};
        jz_buffer bytes = {0};
        assert_true(jz_buffer_append(&bytes, UPGRADE_REQUEST("/"), sizeof UPGRADE_REQUEST("/") - 1));
        for (size_t k = 0; k < 10; k++)
            test_frame_append(&bytes, &(test_frame)TEXT("Hello, and hello again"), key);
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        test_client_send(&client, bytes.bytes, bytes.length);
        test_client_stop_sending(&client);
        test_client_sees_end(&client);
        test_client_close(&client);
        jz_buffer_free(&bytes);
    }
    assert_eventually(throttle.closed == CONNECTIONS);
    assert_in_range(throttle.lost, 1, CONNECTIONS);
    assert_int_equal(statistics().connections, 0);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    finish();
}

static void a_channel_is_made_by_the_loop_that_keeps_its_connection(void **state)
{
    enum { LOOPS = 4, CLIENTS = 12 };
    static test_client clients[CLIENTS];
    const jz_options options = options_of(LOOPS);
    (void)state;
    start_with(&options, &manners[4], &throttled_transport, &throttle);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    for (size_t i = 0; i < CLIENTS; i++)
        test_client_send_frame(&clients[i], &(test_frame)TEXT("whose?"));
    for (size_t i = 0; i < CLIENTS; i++) {
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "whose?", 6);
        test_client_close(&clients[i]);
    }
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    finish();
}

static void other_listeners_of_a_server_are_as_they_were(void **state)
{
    (void)state;
    jz_error error = {0};
    const jz_options options = options_of(1);
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = echo;
    throttle = manners[1];
    server = jz_server_create(&options, &error);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &seen, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    const jz_listen_options listening = {.transport = &throttled_transport, .transport_context = &throttle};
    assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error), JZ_OK);
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_int_equal(throttle.opened, 0);
    finish();
}

static void a_transport_has_to_be_whole(void **state)
{
    (void)state;
    jz_transport cases[6];
    static const char *const missing[] = {"open", "interest", "ready", "receive", "send", "close"};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cases[i] = throttled_transport;
    cases[0].open = NULL;
    cases[1].interest = NULL;
    cases[2].ready = NULL;
    cases[3].receive = NULL;
    cases[4].send = NULL;
    cases[5].close = NULL;
    jz_server *unused = jz_server_create(NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_error error = {0};
        char name[16];
        const jz_listen_options listening = {.transport = &cases[i]};
        assert_int_equal(jz_server_listen_with(unused, "127.0.0.1", 0, &listening, &error), JZ_STATUS_INVALID_OPTION);
        snprintf(name, sizeof name, "`%s`", missing[i]);
        assert_non_null(strstr(error.message, name));
    }
    jz_server_destroy(unused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_through_each),
        cmocka_unit_test(a_page_comes_whole_and_behind_it_the_end),
        cmocka_unit_test(a_proxy_header_comes_before_the_transport),
        cmocka_unit_test(behind_a_proxy_header_a_limit_is_not_answered_in_plain_text),
        cmocka_unit_test(who_is_turned_away_is_not_answered_in_plain_text),
        cmocka_unit_test(a_handshake_that_never_ends_is_timed_out),
        cmocka_unit_test(why_a_channel_is_lost_is_told_to_the_log),
        cmocka_unit_test(who_wants_to_speak_something_else_is_ended_and_that_is_told),
        cmocka_unit_test(without_memory_for_a_channel_the_connection_ends_and_that_is_told),
        cmocka_unit_test(who_is_paused_gets_what_the_channel_had_when_it_goes_on),
        cmocka_unit_test(who_takes_nothing_holds_up_only_itself),
        cmocka_unit_test(stopping_tells_the_end_through_each),
        cmocka_unit_test(draining_waits_for_the_last),
        cmocka_unit_test(whatever_is_lost_when_every_channel_ends_and_is_closed),
        cmocka_unit_test(a_channel_is_made_by_the_loop_that_keeps_its_connection),
        cmocka_unit_test(other_listeners_of_a_server_are_as_they_were),
        cmocka_unit_test(a_transport_has_to_be_whole),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
