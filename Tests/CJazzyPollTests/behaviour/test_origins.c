/* Which origins a running server lets in, which host counts behind proxies, and what the log says. */
#include <stdio.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static log_lines lines;

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

static const char *const trusted[] = {"127.0.0.1", "10.0.0.0/8"};

static jz_server *start(jz_forwarded_host forwarded_host, const char *const *proxies, size_t proxy_count)
{
    jz_options options = serving_options(1);
    log_lines_begin(&lines, &options);
    options.forwarded_host = forwarded_host;
    options.trusted_proxies = proxies;
    options.trusted_proxy_count = proxy_count;
    static const char *const listed[] = {"https://example.com", "null", "file://"};
    jz_route_options listing = jz_route_options_default();
    listing.origin_policy = JZ_ORIGIN_LISTED;
    listing.allowed_origins = listed;
    listing.allowed_origin_count = COUNT_OF(listed);
    const serving_route routes[] = {{"/same", handle_nothing, NULL, NULL},
                                    {"/listed", handle_nothing, NULL, &listing},
                                    {"/again", handle_nothing, NULL, NULL}};
    return serving_start(&options, routes, COUNT_OF(routes));
}

/* Asks for a WebSocket; `lines` are further headers. Returns the status. */
static int ask(const jz_server *server, const char *path, const char *headers)
{
    char request[2048];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: inner:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
             path, headers);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, request, strlen(request)));
    return test_client_take_head(&client);
}

static const struct {
    const char *origin;
    bool is_let_in;
} listed_origins[] = {
    {"https://example.com", true}, {"null", true},      {"file://", true},  {"NULL", false},         {"nul", false},
    {"file:///", false},           {"file://x", false}, {"FILE://", false}, {"https://null", false}, {"", false},
};

static void pages_without_an_origin_are_let_in_where_they_are_listed(void **state)
{
    (void)state;
    jz_server *server = start(JZ_FORWARDED_HOST_NONE, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(listed_origins); i++) {
        char header[80];
        snprintf(header, sizeof header, "Origin: %s\r\n", listed_origins[i].origin);
        int status = ask(server, "/listed", header);
        assert_that(status == (listed_origins[i].is_let_in ? 101 : 403), "%d for %s", status, listed_origins[i].origin);
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

static void the_first_that_a_route_refuses_is_a_warning_with_the_way_out(void **state)
{
    (void)state;
    jz_server *server = start(JZ_FORWARDED_HOST_NONE, NULL, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(server, "/same", "Origin: https://else\x1Bwhere\r\n"), 400); /* no head at all */
        test_client_close(&client);
        assert_int_equal(ask(server, "/same", "Origin: https://elsewhere\xC2\x9B.example\r\n"), 403);
        test_client_close(&client);
        assert_int_equal(ask(server, "/listed", "Origin: http://inner:8080\r\n"), 403);
        test_client_close(&client);
    }
    assert_eventually(lines.count == 9);
    assert_int_equal(lines.count_of_level[JZ_LOG_WARNING], 2);
    assert_true(log_lines_have(&lines, "refused: a page of the origin \"https://elsewhere\\u{9B}.example\" may not use "
                                       "the route /same of the host \"inner:8080\"; if it may, list the origin in the "
                                       "route's allowed_origins (in Swift, origins), or, if a proxy changes Host, say "
                                       "in forwarded_host where it tells the client's. Others are told"));
    assert_true(log_lines_have(&lines, "refused: a page of the origin \"http://inner:8080\" may not use the route "
                                       "/listed of the host \"inner:8080\"; if it may, list the origin in the route's "
                                       "allowed_origins (in Swift, origins). Others are told"));
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.refused[JZ_REFUSAL_ORIGIN], 6);
    jz_server_destroy(server);
}

static const struct {
    jz_forwarded_host from;
    const char *headers;
    bool is_let_in; /* a page of https://example.com */
} told_hosts[] = {
    {JZ_FORWARDED_HOST_NONE, "X-Forwarded-Host: example.com\r\n", false},
    {JZ_FORWARDED_HOST_NONE, "Forwarded: for=192.0.2.7;host=example.com\r\n", false},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: example.com\r\n", true},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "x-forwarded-host: EXAMPLE.com:443\r\n", true},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: example.com:8443\r\n", false},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "Forwarded: for=192.0.2.7;host=example.com\r\n", false},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "", false}, /* Host, where there is none */
    /* The last element is the nearest proxy's. */
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: evil.example, example.com\r\n", true},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: example.com, other.example\r\n", false},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: evil\r\nX-Forwarded-Host: example.com\r\n", true},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: example.com, ,\r\n", true},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: example.com, a b\r\n", false},
    {JZ_FORWARDED_HOST_X_FORWARDED_HOST, "X-Forwarded-Host: user@example.com\r\n", false},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=192.0.2.7;host=example.com;proto=https\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: Host=\"example.com:443\";for=\"[2001:db8::7]\"\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=\"exam\\ple.com\"\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=_hidden;host=example.com\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=unknown;host=example.com\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "X-Forwarded-Host: example.com\r\n", false},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=192.0.2.7\r\n", false},
    /* As long as the elements behind are of trusted proxies. */
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=evil.example, for=192.0.2.7;host=example.com\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=example.com, for=192.0.2.7;host=other.example\r\n", false},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=192.0.2.7;host=example.com, for=10.1.2.3;host=middle\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=192.0.2.7;host=example.com\r\nForwarded: for=10.1.2.3\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=a, for=192.0.2.7;host=example.com, for=10.1.2.3\r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=10.1.2.3;host=example.com;;, \r\n", true},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=\"a, for=10.1.2.3;host=example.com\r\n", true},
    /* A malformed host is not replaced by another. */
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: for=192.0.2.7;host=\"a b\"\r\n", false},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=example.com;host=example.com\r\n", false},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=\r\n", false},
    {JZ_FORWARDED_HOST_FORWARDED, "Forwarded: host=\"\"\r\n", false},
};

static void behind_a_trusted_proxy_the_host_is_what_the_header_says_that_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(told_hosts); i++) {
        char headers[512];
        snprintf(headers, sizeof headers, "Origin: https://example.com\r\n%s", told_hosts[i].headers);
        jz_server *server = start(told_hosts[i].from, trusted, COUNT_OF(trusted));
        int status = ask(server, "/same", headers);
        assert_that(status == (told_hosts[i].is_let_in ? 101 : 403), "%d for %s", status, told_hosts[i].headers);
        test_client_close(&client);
        jz_server_destroy(server);
    }
}

/* A header that has more than any host is none, and is not cut to one. */
static void a_host_that_is_longer_than_any_is_none(void **state)
{
    (void)state;
    char headers[1024];
    char host[400];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    static const char *const formats[] = {"Origin: http://%.*s\r\nX-Forwarded-Host: %s\r\n",
                                          "Origin: http://%.*s\r\nForwarded: host=%s\r\n"};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        jz_server *server = start(i == 0 ? JZ_FORWARDED_HOST_X_FORWARDED_HOST : JZ_FORWARDED_HOST_FORWARDED, trusted,
                                  COUNT_OF(trusted));
        for (int length = 319; length <= 321; length++) {
            snprintf(headers, sizeof headers, formats[i], length, host, host + sizeof host - 1 - length);
            assert_int_equal(ask(server, "/same", headers), length <= 320 ? 101 : 403);
            test_client_close(&client);
        }
        jz_server_destroy(server);
    }
}

static void nobody_else_is_believed(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {"10.0.0.0/8"};
    static const char *const headers[] = {"Origin: https://example.com\r\nX-Forwarded-Host: example.com\r\n",
                                          "Origin: https://example.com\r\nForwarded: host=example.com\r\n"};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        jz_server *server = start(i == 0 ? JZ_FORWARDED_HOST_X_FORWARDED_HOST : JZ_FORWARDED_HOST_FORWARDED, elsewhere,
                                  COUNT_OF(elsewhere));
        assert_int_equal(ask(server, "/same", headers[i]), 403);
        test_client_close(&client);
        assert_int_equal(ask(server, "/again", "Origin: http://inner:8080\r\nX-Forwarded-Host: a\r\n"), 101);
        test_client_close(&client);
        jz_server_destroy(server);
    }
}

static void where_to_read_the_host_needs_somebody_to_trust_and_headers(void **state)
{
    (void)state;
    jz_options options = jz_options_default();
    assert_int_equal(options.forwarded_host, JZ_FORWARDED_HOST_NONE);
    jz_error error = {0};
    options.forwarded_host = JZ_FORWARDED_HOST_FORWARDED;
    assert_null(jz_server_create(&options, &error));
    assert_non_null(
        strstr(error.message, "option forwarded_host trusts what proxies say; name them in trusted_proxies"));
    options.trusted_proxies = trusted;
    options.trusted_proxy_count = COUNT_OF(trusted);
    options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
    assert_null(jz_server_create(&options, &error));
    assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "option forwarded_host takes a header"));
    options.client_address = JZ_CLIENT_ADDRESS_FORWARDED;
    jz_server *server = jz_server_create(&options, &error);
    assert_non_null(server);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_without_an_origin_are_let_in_where_they_are_listed),
        cmocka_unit_test(the_first_that_a_route_refuses_is_a_warning_with_the_way_out),
        cmocka_unit_test(behind_a_trusted_proxy_the_host_is_what_the_header_says_that_is_named),
        cmocka_unit_test(a_host_that_is_longer_than_any_is_none),
        cmocka_unit_test(nobody_else_is_believed),
        cmocka_unit_test(where_to_read_the_host_needs_somebody_to_trust_and_headers),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("origins", tests, NULL, NULL));
}
