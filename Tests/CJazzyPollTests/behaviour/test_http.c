/* Requests of all kinds to a running server: hosts, paths, OPTIONS, and keep-alive. */
#include <stdio.h>

#include "loop/timer.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { SHORT_MS = 800, LONG_MS = 60000 };

static const char body[] = "a page";
static test_client client;
static test_client other;

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

/* Tells its parameters as a header of the answer, hexadecimal, for they may have any bytes. */
static void tell_parameters(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    char told[512] = "";
    jz_string name;
    jz_string value;
    for (size_t i = 0; jz_request_parameter_at(request, i, &name, &value); i++) {
        for (size_t j = 0; j < value.length; j++)
            snprintf(told + strlen(told), sizeof told - strlen(told), "%02x", (unsigned char)value.start[j]);
        snprintf(told + strlen(told), sizeof told - strlen(told), ";");
    }
    const jz_response_header header = {"X-Parameters", told};
    jz_handshake_accept(handshake, &(jz_acceptance){.headers = &header, .header_count = 1});
}

static jz_server *start_with(const jz_options *options)
{
    jz_server *server = jz_server_create(options, NULL);
    assert_non_null(server);
    static const char *const pages[] = {"/", "/page", "/caf\xC3\xA9", "/~user/a%20b", "/x%2fy", "/both"};
    for (size_t i = 0; i < COUNT_OF(pages); i++)
        assert_int_equal(jz_server_route_get(server, pages[i], "text/plain", body, sizeof body - 1, NULL), JZ_OK);
    jz_route_options asking = jz_route_options_default();
    asking.upgrade = tell_parameters;
    assert_int_equal(jz_server_route_ws(server, "/socket", NULL, handle_nothing, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/both", NULL, handle_nothing, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/r\xC3\xA4ume/:room/:seat", &asking, handle_nothing, NULL, NULL),
                     JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/files/*rest", &asking, handle_nothing, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    return server;
}

static jz_server *start(void)
{
    jz_options options = serving_options(1);
    return start_with(&options);
}

/* Sends a request and returns the status of its answer, whose head is where the client's bytes begin. */
static int ask(const jz_server *server, const char *request)
{
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, request, strlen(request)));
    int status = test_client_take_head(&client);
    client.bytes[client.start] = '\0';
    return status;
}

static bool has_line(const char *line)
{
    return strstr((const char *)client.bytes, line) != NULL;
}

#define WITH_HOST(host) "Host:" host "\r\n"
#define UPGRADE                                                                                                        \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                     \
    "Sec-WebSocket-Version: 13\r\n"

/* "%s" is where the Host lines go. */
static const struct {
    const char *format;
    int status;
} requests[] = {
    {"GET /page HTTP/1.1\r\n%s\r\n", 200},
    {"HEAD /page HTTP/1.1\r\n%s\r\n", 200},
    {"GET /page HTTP/1.0\r\n%s\r\n", 200},
    {"GET /nowhere HTTP/1.1\r\n%s\r\n", 404},
    {"GET /socket HTTP/1.1\r\n%s\r\n", 426},
    {"POST /page HTTP/1.1\r\n%s\r\n", 405},
    {"DELETE /nowhere HTTP/1.1\r\n%s\r\n", 404},
    {"OPTIONS /page HTTP/1.1\r\n%s\r\n", 204},
    {"OPTIONS * HTTP/1.1\r\n%s\r\n", 204},
    {"GET /socket HTTP/1.1\r\n%s" UPGRADE "\r\n", 101},
    {"GET /r%%C3%%A4ume/1/2 HTTP/1.1\r\n%s" UPGRADE "\r\n", 101},
};

static const struct {
    const char *lines;
    bool is_right;
} hosts[] = {
    {WITH_HOST(" example.com"), true},
    {WITH_HOST(" example.com:8080"), true},
    {WITH_HOST(" [2001:db8::7]:80"), true},
    {WITH_HOST("a:"), true},
    {WITH_HOST(""), true}, /* no target here has an authority */
    {WITH_HOST(" a b"), false},
    {WITH_HOST(" a/b"), false},
    {WITH_HOST(" user@a"), false},
    {WITH_HOST(" a:b"), false},
    {WITH_HOST(" :80"), false},
    {WITH_HOST(" [::1"), false},
    {WITH_HOST(" http://a"), false},
    {WITH_HOST(" a%zz"), false},
    {WITH_HOST(" a") WITH_HOST(" a"), false},
    {WITH_HOST(" a") WITH_HOST(""), false},
};

static void a_host_that_is_none_is_refused_whatever_the_request_is_for(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        for (size_t j = 0; j < COUNT_OF(hosts); j++) {
            char request[512];
            snprintf(request, sizeof request, requests[i].format, hosts[j].lines);
            int status = ask(server, request);
            int expected = hosts[j].is_right ? requests[i].status : 400;
            assert_that(status == expected, "%d, not %d, for %s", status, expected, request);
            test_client_close(&client);
        }
    }
    jz_server_destroy(server);
}

static const struct {
    const char *request;
    int status;
} absolute_requests[] = {
    {"GET http://example.com:81/page HTTP/1.1\r\nHost: other\r\n\r\n", 200},
    {"GET http://example.com HTTP/1.1\r\nHost: other\r\n\r\n", 200},
    {"GET http://example.com/page HTTP/1.0\r\n\r\n", 200},
    {"GET http://example.com/page HTTP/1.1\r\n\r\n", 400},
    {"GET http://example.com/page HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET http://example.com/page HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET http://user@example.com/page HTTP/1.1\r\nHost: other\r\n\r\n", 400},
    {"GET http://exa%zzmple.com/page HTTP/1.1\r\nHost: other\r\n\r\n", 400},
    {"GET http:///page HTTP/1.1\r\nHost: other\r\n\r\n", 400},
    /* For the origin check the host of the target counts, not Host (RFC 9112 §3.2.2). */
    {"GET http://example.com:81/socket HTTP/1.1\r\nHost: other\r\n" UPGRADE "Origin: http://example.com:81\r\n\r\n",
     101},
    {"GET ws://example.com/socket HTTP/1.1\r\nHost: other\r\n" UPGRADE "Origin: http://example.com\r\n\r\n", 101},
    {"GET http://example.com:81/socket HTTP/1.1\r\nHost: other\r\n" UPGRADE "Origin: http://other\r\n\r\n", 403},
    {"GET /socket HTTP/1.1\r\nHost: other\r\n" UPGRADE "Origin: http://other\r\n\r\n", 101},
    {"GET /socket HTTP/1.1\r\nHost:\r\n" UPGRADE "Origin: http://other\r\n\r\n", 403},
};

static void the_authority_of_an_absolute_target_counts_and_not_host(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(absolute_requests); i++) {
        int status = ask(server, absolute_requests[i].request);
        assert_that(status == absolute_requests[i].status, "%d for %s", status, absolute_requests[i].request);
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

static const struct {
    const char *path;
    int status;
} equivalent_paths[] = {
    {"/caf%C3%A9", 200},       {"/caf%c3%a9", 200},     {"/%63a%66%c3%A9", 200},
    {"/caf%C3%A9?a=%2F", 200}, {"/caf%C3%A8", 404},     {"/cafe%CC%81", 404}, /* the same in Unicode, and other bytes */
    {"/CAF%C3%A9", 404},       {"/~user/a%20b", 200},   {"/%7Euser/a%20b", 200},
    {"/%7euser%2Fa%20b", 404}, /* an encoded slash is never a slash */
    {"/~user/a+b", 404},       {"/~user/a%2520b", 404}, {"/x%2Fy", 200},
    {"/x%2fy", 200},           {"/x/y", 404},           {"/%70%61ge", 200},
    {"/page%2F", 404},         {"/./page", 200},        {"/x/../page", 200},
    {"/%2e%2E/page", 200},     {"/x/..%2Fpage", 404},   {"/page/..", 200},
    {"/page/.", 404},          {"/page%00", 400},       {"/%00", 400},
    {"/nowhere%zz", 404},
};

static void equivalent_paths_lead_to_one_route(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(equivalent_paths); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", equivalent_paths[i].path);
        int status = ask(server, request);
        assert_that(status == equivalent_paths[i].status, "%d for %s", status, equivalent_paths[i].path);
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

static const struct {
    const char *path;
    const char *parameters; /* NULL: there is no such route */
} decoded_paths[] = {
    {"/r%C3%A4ume/1/2", "31;32;"},
    {"/r%c3%a4ume/a%20b/%C3%A9", "612062;c3a9;"},
    {"/r%C3%A4ume/a%2Fb/%2f", "612f62;2f;"},
    {"/r%C3%A4ume/a+b/100%25", "612b62;31303025;"},
    {"/r%C3%A4ume/%2541/%zz", "253431;257a7a;"}, /* decoded once; a malformed escape stays as sent */
    {"/r%C3%A4ume/%E9/a|b", "e9;617c62;"},       /* not UTF-8: bytes as they came */
    {"/x/../r%C3%A4ume/1/./2", "31;32;"},
    {"/r%C3%A4ume/%2e%2e/2", NULL},
    {"/r%C3%A4ume/1/..", NULL},
    {"/r%C3%A4ume/1/%2e", NULL},
    {"/r%C3%A4ume//2", NULL},
    {"/r%C3%A4ume/1%2F2", NULL},
    {"/files/a%20b", "612062;"},
    {"/files/a/b/", "612f622f;"},
    {"/files/x/../a/./b", "612f62;"},
    {"/files/%61/%2541", "612f253431;"},
    {"/files/%252e%252e/a", "2532652532652f61;"}, /* decoded once: no dot segment */
    {"/files/..%5Ca", "2e2e5c61;"},
    {"/files/", NULL},
    {"/files", NULL},
    {"/files/.", NULL},
    {"/files/%2e%2e/a", NULL},
    {"/files/a/../../b", NULL},
    {"/files//a", NULL},
    {"/files/a/..//b", NULL},
    {"/files/..%2Fa", NULL},
    {"/files/..%2fa", NULL},
    {"/files/a/..%2F..%2Fb", NULL},
    {"/files/%2Fetc/passwd", NULL},
};

static void parameters_arrive_decoded(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(decoded_paths); i++) {
        char request[512];
        char line[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n" UPGRADE "\r\n", decoded_paths[i].path);
        int status = ask(server, request);
        if (decoded_paths[i].parameters == NULL) {
            assert_that(status == 404, "%d for %s", status, decoded_paths[i].path);
        } else {
            snprintf(line, sizeof line, "\r\nX-Parameters: %s\r\n", decoded_paths[i].parameters);
            assert_that(status == 101 && has_line(line), "%s: %d, %s", decoded_paths[i].path, status,
                        (const char *)client.bytes);
        }
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

/* If there is no memory to normalise a path, the connection ends, and the server continues. */
static void without_memory_for_a_path_its_connection_ends(void **state)
{
    (void)state;
    jz_server *server = start();
    static const char request[] = "GET /%70age HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_int_equal(ask(server, request), 200);
    test_client_close(&client);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    static const char plain[] = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_true(test_client_send(&client, plain, sizeof plain - 1));
    assert_int_equal(test_client_take_head(&client), 200);
    assert_true(test_client_receive(&client, sizeof body - 1));
    client.start += sizeof body - 1;
    test_allocations_fail_after(0);
    bool is_sent = test_client_send(&client, request, sizeof request - 1);
    bool sees_end = test_client_sees_end(&client);
    assert_int_not_equal(test_allocations_succeed(), 0);
    assert_true(is_sent && sees_end);
    test_client_close(&client);
    assert_int_equal(ask(server, request), 200);
    test_client_close(&client);
    jz_server_destroy(server);
}

static const struct {
    const char *request;
    int status;
    const char *allow; /* NULL: there is none */
    bool is_kept;
} options_requests[] = {
    {"OPTIONS /page HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, HEAD, OPTIONS", true},
    {"OPTIONS /socket HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, OPTIONS", true},
    {"OPTIONS /both?x HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, HEAD, OPTIONS", true},
    {"OPTIONS /r%c3%A4ume/1/2 HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, OPTIONS", true},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, HEAD, OPTIONS", true},
    {"OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, HEAD, OPTIONS", true},
    {"OPTIONS http://a/socket HTTP/1.1\r\nHost: a\r\n\r\n", 204, "GET, OPTIONS", true},
    {"OPTIONS /page HTTP/1.0\r\n\r\n", 204, "GET, HEAD, OPTIONS", false}, /* as load balancers' checks send it */
    {"OPTIONS * HTTP/1.0\r\n\r\n", 204, "GET, HEAD, OPTIONS", false},
    {"OPTIONS / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 204, "GET, HEAD, OPTIONS", true},
    {"OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 204, "GET, HEAD, OPTIONS", false},
    {"OPTIONS /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL, true},
    {"OPTIONS /page HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 400, NULL, false},
    {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
    {"POST /page HTTP/1.1\r\nHost: a\r\n\r\n", 405, "GET, HEAD, OPTIONS", true},
    {"DELETE /socket HTTP/1.1\r\nHost: a\r\n\r\n", 405, "GET, OPTIONS", true},
};

static void options_tell_what_may_be_done(void **state)
{
    (void)state;
    static const char next[] = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(options_requests); i++) {
        const char *request = options_requests[i].request;
        int status = ask(server, request);
        assert_that(status == options_requests[i].status, "%d for %s", status, request);
        char line[64];
        snprintf(line, sizeof line, "\r\nAllow: %s\r\n", options_requests[i].allow);
        assert_that(options_requests[i].allow != NULL ? has_line(line) : !has_line("\r\nAllow:"), "%s: %s", request,
                    (const char *)client.bytes);
        bool has_content_headers = has_line("\r\nContent-Length:") || has_line("\r\nContent-Type:");
        assert_that(has_content_headers == (status != 204), "%s: %s", request, (const char *)client.bytes);
        bool is_kept = !has_line("\r\nConnection: close\r\n");
        assert_that(is_kept == options_requests[i].is_kept, "%s: %s", request, (const char *)client.bytes);
        if (status == 204 && is_kept) { /* there is nothing behind the head */
            assert_true(test_client_send(&client, next, sizeof next - 1));
            assert_int_equal(test_client_take_head(&client), 200);
        } else if (status == 204) {
            assert_false(test_client_receive(&client, 1));
        }
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

static jz_server *start_with_timeouts(uint32_t handshake_timeout_ms, uint32_t keep_alive_timeout_ms)
{
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = handshake_timeout_ms;
    options.keep_alive_timeout_ms = keep_alive_timeout_ms;
    return start_with(&options);
}

static const char page_request[] = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";

static void expect_page(test_client *of)
{
    assert_true(test_client_send(of, page_request, sizeof page_request - 1));
    assert_int_equal(test_client_take_head(of), 200);
    assert_true(test_client_receive(of, sizeof body - 1));
    of->start += sizeof body - 1;
}

/* Connects, sends this, and takes a page: anew where this machine was so slow that the head came too late. */
static void begin_with_page(const jz_server *server, const char *sent)
{
    uint64_t deadline = test_deadline();
    for (;;) {
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        if (test_client_send(&client, sent, strlen(sent)) && test_client_take_head(&client) == 200)
            break;
        test_client_close(&client);
        assert_true(test_is_before(deadline));
    }
    assert_true(test_client_receive(&client, sizeof body - 1));
    client.start += sizeof body - 1;
}

static void a_kept_connection_outlasts_the_time_that_a_head_has(void **state)
{
    (void)state;
    jz_server *server = start_with_timeouts(SHORT_MS, LONG_MS);
    begin_with_page(server, page_request);
    for (int i = 0; i < 2; i++) {
        /* A client that never sent anything is closed first, although it connected last. */
        assert_true(test_client_connect(&other, jz_server_port(server), 0));
        assert_true(test_client_sees_end(&other));
        test_client_close(&other);
        expect_page(&client);
    }
    test_client_close(&client);
    jz_server_destroy(server);
}

static void a_kept_connection_ends_without_a_word_when_its_time_is_over(void **state)
{
    (void)state;
    jz_server *server = start_with_timeouts(LONG_MS, SHORT_MS);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    uint64_t began = jz_clock_ms();
    expect_page(&client);
    assert_false(test_client_receive(&client, 1));
    uint64_t lasted = jz_clock_ms() - began;
    assert_that(lasted >= SHORT_MS && lasted < LONG_MS / 4, "%u ms", (unsigned)lasted);
    test_client_close(&client);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.refused[JZ_REFUSAL_HANDSHAKE_TIMEOUT], 0);
    jz_server_destroy(server);
}

/* The guard against slow heads is the same for the second as for the first, and begins with the first byte of it. */
static void the_next_head_of_a_kept_connection_has_as_long_as_the_first(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"G", "GET /page HTTP/1.1\r\nHost: a\r\n"};
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        for (int with_answer = 0; with_answer <= 1; with_answer++) {
            jz_server *server = start_with_timeouts(SHORT_MS, LONG_MS);
            char sent[256];
            snprintf(sent, sizeof sent, "%s%s", page_request, with_answer ? beginnings[i] : "");
            begin_with_page(server, sent);
            if (!with_answer)
                assert_true(test_client_send(&client, beginnings[i], strlen(beginnings[i])));
            assert_int_equal(test_client_take_head(&client), 408);
            test_client_close(&client);
            jz_server_destroy(server);
        }
    }
}

static void the_default_outlasts_a_balancers_minute(void **state)
{
    (void)state;
    assert_int_equal(jz_options_default().keep_alive_timeout_ms, 75000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_is_none_is_refused_whatever_the_request_is_for),
        cmocka_unit_test(the_authority_of_an_absolute_target_counts_and_not_host),
        cmocka_unit_test(equivalent_paths_lead_to_one_route),
        cmocka_unit_test(parameters_arrive_decoded),
        cmocka_unit_test(without_memory_for_a_path_its_connection_ends),
        cmocka_unit_test(options_tell_what_may_be_done),
        cmocka_unit_test(a_kept_connection_outlasts_the_time_that_a_head_has),
        cmocka_unit_test(a_kept_connection_ends_without_a_word_when_its_time_is_over),
        cmocka_unit_test(the_next_head_of_a_kept_connection_has_as_long_as_the_first),
        cmocka_unit_test(the_default_outlasts_a_balancers_minute),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("http", tests, NULL, NULL));
}
