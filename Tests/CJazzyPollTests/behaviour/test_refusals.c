/* Refused connections: for each reason the answer, the count, and the one log line. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "http/refusal.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

static jz_server *server;
static log_lines lines;
static test_client client;
static test_client earlier;

static void limit_head(jz_options *options)
{
    options->max_head_size = 256;
}

static void limit_headers(jz_options *options)
{
    options->max_header_count = 4;
}

enum { LIMIT_MS = 20000 };

static void limit_time(jz_options *options)
{
    options->handshake_timeout_ms = LIMIT_MS;
}

static void limit_connections(jz_options *options)
{
    options->max_connections = 1;
}

static void limit_addresses(jz_options *options)
{
    options->max_connections_per_address = 1;
}

static void limit_handshakes(jz_options *options)
{
    options->max_handshakes = 1;
}

static void trust_proxy(jz_options *options)
{
    static const char *const proxies[] = {"127.0.0.1"};
    options->client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
    options->trusted_proxies = proxies;
    options->trusted_proxy_count = 1;
}

#define LETTERS_50 "abcdefghijklmnopqrstuvwxyabcdefghijklmnopqrstuvwxy"
#define LONG_HEADER "X: " LETTERS_50 LETTERS_50 LETTERS_50 LETTERS_50 LETTERS_50 LETTERS_50 "\r\n"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define HANDSHAKE(method, version, connection, websocket_version, key)                                                 \
    method " / " version "\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: " connection                        \
           "\r\nSec-WebSocket-Key: " key "\r\nSec-WebSocket-Version: " websocket_version "\r\n\r\n"

static const struct {
    const char *name;
    const char *request; /* NULL: nothing is sent */
    jz_refusal reason;
    int status; /* 0: there is no answer */
    void (*configure)(jz_options *options);
    bool is_second;     /* another client has connected before */
    const char *detail; /* which rule it was, where the reason alone does not say it */
} refusals[] = {
    {"no HTTP", "NONSENSE\r\n\r\n", JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "the request line is not \"METHOD TARGET HTTP/1.1\" (RFC 9112, 3)"},
    {"a long head", UPGRADE_REQUEST_WITH("/", LONG_HEADER), JZ_REFUSAL_HEAD_TOO_LARGE, 431, limit_head, false, NULL},
    {"many headers", UPGRADE_REQUEST("/"), JZ_REFUSAL_HEAD_TOO_LARGE, 431, limit_headers, false,
     "the request has more headers than it may have (max_header_count)"},
    {"another version of HTTP", "GET / HTTP/2.7\r\nHost: x\r\n\r\n", JZ_REFUSAL_HTTP_VERSION, 505, NULL, false,
     "the request is of another version than HTTP/1.1 or HTTP/1.0"},
    {"part of a head", "GET / HT", JZ_REFUSAL_HANDSHAKE_TIMEOUT, 408, limit_time, false, NULL},
    {"silence", NULL, JZ_REFUSAL_HANDSHAKE_TIMEOUT, 0, limit_time, false, NULL},
    {"no such path", UPGRADE_REQUEST("/nowhere"), JZ_REFUSAL_NOT_FOUND, 404, NULL, false, NULL},
    {"a method", "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", JZ_REFUSAL_METHOD, 405, NULL, false, NULL},
    {"no upgrade", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", JZ_REFUSAL_NO_UPGRADE, 426, NULL, false, NULL},
    {"no key",
     "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n",
     JZ_REFUSAL_INVALID_HANDSHAKE, 400, NULL, false,
     "Sec-WebSocket-Key has to be there once, and to be 16 bytes in base64 (RFC 6455, 4.2.1)"},
    {"a key that is too short", HANDSHAKE("GET", "HTTP/1.1", "Upgrade", "13", "abc"), JZ_REFUSAL_INVALID_HANDSHAKE, 400,
     NULL, false, "Sec-WebSocket-Key has to be there once, and to be 16 bytes in base64 (RFC 6455, 4.2.1)"},
    {"no Connection: Upgrade", HANDSHAKE("GET", "HTTP/1.1", "keep-alive", "13", KEY), JZ_REFUSAL_INVALID_HANDSHAKE, 400,
     NULL, false, "Connection does not list Upgrade: a proxy that passes WebSockets has to send it (RFC 6455, 4.2.1)"},
    {"a handshake of HTTP/1.0", HANDSHAKE("GET", "HTTP/1.0", "Upgrade", "13", KEY), JZ_REFUSAL_INVALID_HANDSHAKE, 400,
     NULL, false, "the handshake is of HTTP/1.0: it has to be of HTTP/1.1 (RFC 6455, 4.2.1)"},
    {"another version", HANDSHAKE("GET", "HTTP/1.1", "Upgrade", "8", KEY), JZ_REFUSAL_NO_UPGRADE, 426, NULL, false,
     "Sec-WebSocket-Version has to be there once, and to be 13 (RFC 6455, 4.2.1)"},
    {"ill-formed subprotocols", UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Protocol: a, a\r\n"),
     JZ_REFUSAL_INVALID_HANDSHAKE, 400, NULL, false,
     "Sec-WebSocket-Protocol has to be a list of tokens that are all different, at most 64 (RFC 6455, 4.1)"},
    {"ill-formed extensions", UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Extensions: ;\r\n"),
     JZ_REFUSAL_INVALID_HANDSHAKE, 400, NULL, false,
     "Sec-WebSocket-Extensions is ill-formed: it has to be a list of extensions, each with its parameters (RFC 6455, "
     "9.1)"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "Host is missing: it has to be there once (RFC 9112, 3.2)"},
    {"an ill-formed Host", "GET /nowhere HTTP/1.1\r\nHost: a b\r\n\r\n", JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "Host is no host, or host and port, as in example.com:8080 or [2001:db8::7] (RFC 9112, 3.2; RFC 3986, 3.2.2)"},
    {"content", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "the request has content (Content-Length, Transfer-Encoding), and nothing here takes any"},
    {"a NUL in the path", UPGRADE_REQUEST("/a%00"), JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "the path has a NUL, as %00"},
    {"TLS", "\x16\x03\x01\x02\x01\x01\n", JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "a client spoke TLS to a port that speaks plain HTTP: it has to use http:// or ws://, or TLS has to end before "
     "the port"},
    {"a folded header", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", JZ_REFUSAL_MALFORMED_HEAD, 400, NULL, false,
     "a header does not begin with a name and a colon: white space before the colon and folded lines are not allowed "
     "(RFC 9112, 5)"},
    {"a foreign origin", UPGRADE_REQUEST_WITH("/", "Origin: https://elsewhere.example\r\n"), JZ_REFUSAL_ORIGIN, 403,
     NULL, false, NULL},
    {"a hook that rejects", UPGRADE_REQUEST("/rejecting"), JZ_REFUSAL_REJECTED, 401, NULL, false, NULL},
    {"a hook that does not answer", UPGRADE_REQUEST("/waiting"), JZ_REFUSAL_UPGRADE_TIMEOUT, 503, NULL, false, NULL},
    {"too many connections", NULL, JZ_REFUSAL_MAX_CONNECTIONS, 503, limit_connections, true, NULL},
    {"too many from an address", NULL, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS, 429, limit_addresses, true, NULL},
    {"too many handshakes", NULL, JZ_REFUSAL_MAX_HANDSHAKES, 503, limit_handshakes, true, NULL},
    {"no PROXY header", UPGRADE_REQUEST("/"), JZ_REFUSAL_PROXY_HEADER, 0, trust_proxy, false, NULL},
};

static void ignore(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)event;
    (void)message;
}

static void reject(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)request;
    jz_handshake_reject(handshake, &(jz_rejection){.status = 401});
}

static void wait_for_nothing(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)handshake;
    (void)request;
}

static void start(void (*configure)(jz_options *options))
{
    jz_options options = serving_options(1);
    log_lines_begin(&lines, &options);
    if (configure != NULL)
        configure(&options);
    jz_route_options rejecting = jz_route_options_default();
    rejecting.upgrade = reject;
    jz_route_options waiting = jz_route_options_default();
    waiting.upgrade = wait_for_nothing;
    waiting.upgrade_timeout_ms = 100;
    const serving_route routes[] = {
        {"/", ignore, NULL, NULL}, {"/rejecting", ignore, NULL, &rejecting}, {"/waiting", ignore, NULL, &waiting}};
    server = serving_start(&options, routes, COUNT_OF(routes));
}

static jz_statistics now(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics;
}

static const char *detail_of(size_t row)
{
    return refusals[row].detail != NULL ? refusals[row].detail : jz_refusal_detail(refusals[row].reason);
}

/* A hook that does not answer is the application's fault, and named. */
static void expect_line(size_t row)
{
    char address[32];
    char text[LOG_LINE_SIZE];
    bool is_ours = refusals[row].reason == JZ_REFUSAL_UPGRADE_TIMEOUT;
    test_client_address(&client, address);
    bool is_foreign = refusals[row].reason == JZ_REFUSAL_ORIGIN; /* the first of its route: see test_origins.c */
    snprintf(text, sizeof text, "%s: refused: %s", address,
             is_ours      ? "the upgrade hook of /waiting did not answer within 100 ms (upgrade_timeout_ms)"
             : is_foreign ? "a page of the origin"
                          : detail_of(row));
    if (is_foreign)
        assert_eventually(log_lines_have(&lines, text) && lines.count_of_level[JZ_LOG_WARNING] == 1);
    else
        log_lines_expect(&lines, 0, is_ours ? JZ_LOG_WARNING : JZ_LOG_INFO, text);
}

/* The body says the same, but contains nothing that the client sent; a hook writes its own body. */
static void expect_body(size_t row)
{
    char body[LOG_LINE_SIZE];
    if (refusals[row].status == 0 || refusals[row].reason == JZ_REFUSAL_REJECTED)
        return;
    size_t length = (size_t)snprintf(body, sizeof body, ": %s\n", detail_of(row));
    while (test_client_receive(&client, 1) && client.bytes[client.start] != ':')
        client.start++;
    assert_that(test_client_receive(&client, length) && memcmp(client.bytes + client.start, body, length) == 0,
                "%s: the body is not '%s'", refusals[row].name, body);
}

static void expect_refusal(size_t row)
{
    start(refusals[row].configure);
    const char *request = refusals[row].request;
    if (refusals[row].is_second) {
        assert_true(test_client_connect(&earlier, jz_server_port(server), 0));
        assert_eventually(now().connections == 1);
    }
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    if (request != NULL)
        assert_true(test_client_send(&client, request, strlen(request)));
    /* By a clock that jumps, so that a client that stands still sends in time, too. */
    if (refusals[row].configure == limit_time) {
        assert_eventually(test_client_has_delivered(&client));
        assert_eventually((serving_let_pass(server, LIMIT_MS), !test_client_hears_nothing(&client)));
    }
    int status = test_client_take_head(&client);
    assert_that(status == refusals[row].status, "%s: answered with %d", refusals[row].name, status);
    expect_line(row);
    expect_body(row);
    test_client_close(&client);
    if (refusals[row].is_second)
        test_client_close(&earlier);
    assert_eventually(now().connections == 0);
    jz_statistics statistics = now();
    for (size_t i = 0; i < JZ_REFUSAL_COUNT; i++)
        assert_that(statistics.refused[i] == (i == refusals[row].reason ? 1 : 0), "%s: refused[%zu] is %u",
                    refusals[row].name, i, (unsigned)statistics.refused[i]);
    assert_int_equal(statistics.websockets_total, 0);
    jz_server_destroy(server);
    test_clocks_run();
    assert_int_equal(lines.count, 1);
}

static void each_refusal_is_answered_counted_and_logged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        expect_refusal(i);
}

static void who_is_let_in_is_not_logged(void **state)
{
    (void)state;
    start(NULL);
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    test_client_close(&client); /* a client that leaves without sending is not refused */
    assert_eventually(now().connections_total == 2 && now().connections == 0);
    jz_server_destroy(server);
    assert_int_equal(lines.count, 0);
}

static void each_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JZ_REFUSAL_COUNT; i++) {
        const char *text = jz_refusal_text((jz_refusal)i);
        assert_non_null(text);
        assert_true(text[0] != 0);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(text, jz_refusal_text((jz_refusal)k));
    }
    assert_non_null(jz_refusal_text(JZ_REFUSAL_COUNT));
    assert_non_null(jz_refusal_text((jz_refusal)1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_is_answered_counted_and_logged),
        cmocka_unit_test(who_is_let_in_is_not_logged),
        cmocka_unit_test(each_reason_has_a_text_of_its_own),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("refusals", tests, NULL, NULL));
}
