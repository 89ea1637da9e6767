/*
 * Whether a request is secure, by its transport or a trusted proxy, and what its transport knows of the client: for the
 * upgrade hook, the open event on the loop and on workers, and later.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "jazzy.h"
#include "jazzy/transport.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define ADDRESSES "\xC0\x00\x02\x07\xC0\x00\x02\x01\x12\x67\x01\xBB"

enum { MOST_TEXT = 512 };

static jz_server *server;
static journal seen;
static throttled throttle;
static log_lines lines;
static test_client client;
static jz_kept_request *kept;

/* What was seen of a request: "secure", then its properties. */
typedef struct sight {
    char text[MOST_TEXT];
    atomic_bool is_there;
} sight;

static sight asked;
static sight opened;

static const struct {
    const char *name;
    const char *value;
    size_t length;
} known[] = {
    {"tls.version", "TLSv1.3", 7}, {"tls.client.san", "DNS:a", 5}, {"tls.client.san", "DNS:b", 5}, {"nothing", "", 0},
    {"bytes", "a\0b", 3},
};

static bool give_known(void *channel, size_t index, const char **name, const char **value, size_t *length)
{
    (void)channel;
    if (index >= COUNT_OF(known))
        return false;
    *name = known[index].name;
    *value = known[index].value;
    *length = known[index].length;
    return true;
}

static void add(sight *sight, jz_string text, char end)
{
    size_t length = strnlen(sight->text, MOST_TEXT - 2);
    for (size_t i = 0; i < text.length && length + 2 < MOST_TEXT; i++)
        sight->text[length++] = text.start[i] != '\0' ? text.start[i] : '0';
    sight->text[length] = end;
    sight->text[length + 1] = '\0';
}

static void look_at(const jz_request *request, sight *sight)
{
    jz_string name;
    jz_string value;
    strcpy(sight->text, jz_request_is_secure(request) ? "secure;" : "plain;");
    for (size_t i = 0; jz_request_property_at(request, i, &name, &value); i++) {
        add(sight, name, '=');
        add(sight, value, ';');
    }
    if (jz_request_property(request, "tls.client.san", 1, &value))
        add(sight, value, '!');
    if (jz_request_property(request, "tls.client.san", 2, NULL) || jz_request_property(request, "tls.clie", 0, NULL))
        strcpy(sight->text, "there are too many");
    sight->is_there = true;
}

#define ALL_KNOWN "secure;tls.version=TLSv1.3;tls.client.san=DNS:a;tls.client.san=DNS:b;nothing=;bytes=a0b;DNS:b!"

static void ask(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    look_at(request, &asked);
    jz_handshake_accept(handshake, NULL);
}

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type != JZ_EVENT_OPEN)
        return;
    kept = jz_ws_keep_request(ws);
    if (jz_ws_request(ws) != NULL)
        look_at(jz_ws_request(ws), &opened);
}

static jz_options options_of(void)
{
    jz_options options = serving_options(1);
    log_lines_begin(&lines, &options);
    return options;
}

static void start(const jz_options *options, const jz_transport *transport, bool has_hook, jz_execution execution)
{
    jz_error error = {0};
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    throttle = (throttled){.seed = 3, .steps = 3, .contrary = 4};
    asked.is_there = opened.is_there = false;
    kept = NULL;
    server = jz_server_create(options, &error);
    assert_that(server != NULL, "%s", error.message);
    jz_route_options route = jz_route_options_default();
    route.upgrade = has_hook ? ask : NULL;
    route.execution = execution;
    assert_int_equal(jz_server_route_ws(server, "/", &route, journal_handle, &seen, &error), JZ_OK);
    const jz_listen_options listening = {.transport = transport, .transport_context = &throttle};
    assert_that(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
}

/* Returns the status. */
static int request(const char *prefix, size_t prefix_length, const char *headers)
{
    char bytes[1024];
    memcpy(bytes, prefix, prefix_length);
    int length = snprintf(bytes + prefix_length, sizeof bytes - prefix_length,
                          "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          headers);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, bytes, prefix_length + (size_t)length));
    return test_client_take_head(&client);
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(server);
    pthread_mutex_destroy(&seen.lock);
    assert_int_equal(throttle.opened, throttle.closed);
}

static jz_transport transport_of(bool is_secure, bool knows)
{
    jz_transport transport = throttled_transport;
    transport.is_secure = is_secure;
    transport.property = knows ? give_known : NULL;
    return transport;
}

static void what_a_transport_knows_is_known_wherever_a_request_is_looked_at(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    const jz_transport secure = transport_of(true, true);
    const jz_transport silent = transport_of(true, false);
    const jz_transport open = transport_of(false, true);
    static char all_known_of_open[sizeof ALL_KNOWN];
    snprintf(all_known_of_open, sizeof all_known_of_open, "plain;%s", strchr(ALL_KNOWN, ';') + 1);
    const struct {
        const char *name;
        const jz_transport *transport;
        const char *text;
    } rows[] = {{"secure", &secure, ALL_KNOWN},
                {"secure, and knows nothing", &silent, "secure;"},
                {"not secure", &open, all_known_of_open},
                {"none", NULL, "plain;"}};
    for (size_t i = 0; i < COUNT_OF(rows) * 4; i++) {
        const char *name = rows[i / 4].name;
        const char *text = rows[i / 4].text;
        bool has_hook = i % 2 == 0;
        const jz_options options = options_of();
        start(&options, rows[i / 4].transport, has_hook, i % 4 < 2 ? JZ_EXECUTION_LOOP : JZ_EXECUTION_WORKERS);
        assert_int_equal(request("", 0, ""), 101);
        assert_eventually(opened.is_there);
        assert_that(strcmp(opened.text, text) == 0, "%s: '%s'", name, opened.text);
        assert_that(!has_hook || strcmp(asked.text, text) == 0, "%s: asked '%s'", name, asked.text);
        finish();
        jz_request *later = kept != NULL ? jz_kept_request_parse(kept) : NULL;
        assert_non_null(later);
        look_at(later, &opened);
        assert_that(strcmp(opened.text, text) == 0, "%s: later '%s'", name, opened.text);
        jz_request_free(later);
        jz_kept_request_free(kept);
    }
    assert_int_equal(test_live_allocations(), live);
}

#define V2(more, length) SIGNATURE "\x21\x11\0" length ADDRESSES more, sizeof SIGNATURE - 1 + 4 + 12 + sizeof(more) - 1
#define SSL_FIELD(flag) "\x20\0\x05" flag "\0\0\0\0"

static const struct {
    jz_client_address client;
    jz_forwarded_host host;
    bool has_secure_transport;
    bool trusts_nobody_here;
    const char *headers;
    const char *prefix;
    size_t prefix_length;
    bool is_secure;
} sayings[] = {
    /* The header of the option that trusts one. */
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, false, false, "X-Forwarded-Proto: https\r\n", "", 0, true},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, false, false, "X-Forwarded-Proto: http\r\n", "", 0, false},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, false, false, "Forwarded: for=192.0.2.7;proto=https\r\n", "", 0, false},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, false, false, "", "", 0, false},
    {JZ_CLIENT_ADDRESS_FORWARDED, 0, false, false, "Forwarded: for=192.0.2.7;proto=https\r\n", "", 0, true},
    {JZ_CLIENT_ADDRESS_FORWARDED, 0, false, false, "X-Forwarded-Proto: https\r\n", "", 0, false},
    {JZ_CLIENT_ADDRESS_HEADER, 0, false, false, "X-Real-IP: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "", 0, true},
    {JZ_CLIENT_ADDRESS_PEER, JZ_FORWARDED_HOST_X_FORWARDED_HOST, false, false, "X-Forwarded-Proto: https\r\n", "", 0,
     true},
    {JZ_CLIENT_ADDRESS_PEER, JZ_FORWARDED_HOST_FORWARDED, false, false, "Forwarded: proto=https\r\n", "", 0, true},
    {JZ_CLIENT_ADDRESS_PEER, JZ_FORWARDED_HOST_FORWARDED, false, false, "X-Forwarded-Proto: https\r\n", "", 0, false},
    /* Nobody is asked for it, or nobody is trusted. */
    {JZ_CLIENT_ADDRESS_PEER, 0, false, false, "X-Forwarded-Proto: https\r\nForwarded: proto=https\r\n", "", 0, false},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, false, true, "X-Forwarded-Proto: https\r\n", "", 0, false},
    {JZ_CLIENT_ADDRESS_FORWARDED, 0, false, true, "Forwarded: for=192.0.2.7;proto=https\r\n", "", 0, false},
    /* A PROXY header, and the bytes behind it. */
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, false, false, "", V2(SSL_FIELD("\x01"), "\x14"), true},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, false, false, "", V2(SSL_FIELD("\0"), "\x14"), false},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, false, false, "X-Forwarded-Proto: https\r\n", V2("", "\x0C"), false},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, false, true, "", "", 0, false},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, true, false, "", V2("", "\x0C"), true},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, true, false, "", V2(SSL_FIELD("\0"), "\x14"), true},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, 0, true, false, "", "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n", 41, true},
    /* What a proxy says of its client outranks the transport, which is the proxy's. */
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, true, false, "X-Forwarded-Proto: http\r\n", "", 0, false},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, true, true, "X-Forwarded-Proto: http\r\n", "", 0, true},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, 0, true, false, "X-Forwarded-For: 192.0.2.7\r\n", "", 0, true},
    {JZ_CLIENT_ADDRESS_PEER, 0, true, false, "X-Forwarded-Proto: http\r\n", "", 0, true},
};

static void who_is_trusted_says_whether_the_client_is_secure(void **state)
{
    (void)state;
    static const char *const here[] = {"127.0.0.1"};
    static const char *const elsewhere[] = {"10.0.0.0/8"};
    const jz_transport transport = transport_of(true, false);
    for (size_t i = 0; i < COUNT_OF(sayings) * 2; i++) {
        size_t row = i / 2;
        bool has_hook = i % 2 == 0;
        jz_options options = options_of();
        options.client_address = sayings[row].client;
        options.client_address_header = sayings[row].client == JZ_CLIENT_ADDRESS_HEADER ? "X-Real-IP" : NULL;
        options.forwarded_host = sayings[row].host;
        options.trusted_proxies = sayings[row].trusts_nobody_here ? elsewhere : here;
        options.trusted_proxy_count = 1;
        start(&options, sayings[row].has_secure_transport ? &transport : NULL, has_hook, JZ_EXECUTION_LOOP);
        assert_int_equal(request(sayings[row].prefix, sayings[row].prefix_length, sayings[row].headers), 101);
        assert_eventually(opened.is_there);
        const char *text = sayings[row].is_secure ? "secure;" : "plain;";
        assert_that(strcmp(opened.text, text) == 0, "row %zu, '%s': %s", row, sayings[row].headers, opened.text);
        assert_that(!has_hook || strcmp(asked.text, text) == 0, "row %zu: asked %s", row, asked.text);
        finish();
        jz_kept_request_free(kept);
    }
}

/* Somebody between a client and any site without TLS can write a page of that site, but not one that came by TLS. */
static void a_page_that_came_without_tls_may_not_use_a_secure_connection(void **state)
{
    (void)state;
    static const struct {
        bool is_secure;
        const char *headers;
        int status;
        const char *log;
    } rows[] = {
        {true, "Origin: https://localhost\r\n", 101, NULL},
        {true, "Origin: http://localhost\r\n", 403,
         "of the host \"localhost\", which was reached by TLS, because the page was not: load it over https; if it "
         "may, "
         "list the origin in the route's allowed_origins (in Swift, origins). Others"},
        {true, "Origin: http://localhost:443\r\n", 403,
         "of the host \"localhost\"; if it may, list the origin in the route's allowed_origins (in Swift, origins), "
         "or, if "
         "a proxy changes Host"},
        {true, "", 101, NULL},
        {false, "Origin: https://localhost\r\n", 101, NULL}, /* perhaps a proxy ends TLS and does not say so */
        {false, "Origin: http://localhost\r\n", 101, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const jz_transport transport = transport_of(rows[i].is_secure, false);
        const jz_options options = options_of();
        start(&options, &transport, false, JZ_EXECUTION_LOOP);
        int status = request("", 0, rows[i].headers);
        assert_that(status == rows[i].status, "%d for %s", status, rows[i].headers);
        if (status == 403)
            assert_eventually(log_lines_have(&lines, rows[i].log));
        else
            assert_eventually(opened.is_there);
        finish();
        jz_kept_request_free(kept);
    }
}

/* Its peer may have said a lot. */
static bool give_much(void *channel, size_t index, const char **name, const char **value, size_t *length)
{
    static char long_value[30000];
    (void)channel;
    memset(long_value, 'x', sizeof long_value);
    *name = index == 3 ? "short" : "long";
    *value = long_value;
    *length = index == 3 ? 1 : sizeof long_value;
    return true;
}

static void what_exceeds_the_limit_is_left_out(void **state)
{
    (void)state;
    jz_transport transport = transport_of(true, false);
    const jz_options options = options_of();
    jz_string value;
    transport.property = give_much;
    start(&options, &transport, false, JZ_EXECUTION_LOOP);
    assert_int_equal(request("", 0, ""), 101);
    assert_eventually(opened.is_there);
    finish();
    jz_request *later = jz_kept_request_parse(kept);
    assert_true(jz_request_property(later, "long", 1, &value));
    assert_int_equal(value.length, 30000);
    assert_false(jz_request_property(later, "long", 2, &value));
    assert_true(jz_request_property(later, "short", 0, &value));
    assert_int_equal(value.length, 1);
    jz_request_free(later);
    jz_kept_request_free(kept);
}

/* Never only some of them: an application may decide by one that is missing. */
static void without_memory_for_them_there_are_no_properties_or_no_request(void **state)
{
    (void)state;
    const jz_transport transport = transport_of(true, true);
    for (int way = 0; way < 4; way++) {
        bool has_failed = true;
        for (size_t succeeding = 0; has_failed; succeeding++) {
            const jz_options options = options_of();
            start(&options, &transport, way % 2 == 0, way < 2 ? JZ_EXECUTION_LOOP : JZ_EXECUTION_WORKERS);
            asked.text[0] = opened.text[0] = '\0';
            test_allocation_fails_once_after(succeeding);
            int status = request("", 0, "");
            if (status == 101)
                assert_eventually(seen.opens == 1 || test_client_is_at_end(&client));
            test_client_close(&client);
            has_failed = test_allocations_succeed() > 0;
            finish();
            for (int i = 0; i < 2; i++) {
                const char *text = i == 0 ? asked.text : opened.text;
                assert_that(strcmp(text, ALL_KNOWN) == 0 || strcmp(text, "secure;") == 0 || text[0] == '\0',
                            "way %d, allocation %zu: '%s'", way, succeeding, text);
            }
            jz_kept_request_free(kept);
        }
        assert_that(strcmp(opened.text, ALL_KNOWN) == 0, "'%s'", opened.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_transport_knows_is_known_wherever_a_request_is_looked_at),
        cmocka_unit_test(who_is_trusted_says_whether_the_client_is_secure),
        cmocka_unit_test(a_page_that_came_without_tls_may_not_use_a_secure_connection),
        cmocka_unit_test(what_exceeds_the_limit_is_left_out),
        cmocka_unit_test(without_memory_for_them_there_are_no_properties_or_no_request),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("secure requests", tests, NULL, NULL));
}
