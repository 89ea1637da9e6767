/* Who may read a page for operators: everybody, programs on this machine, or whom the application admits. */
#include <stdio.h>

#include "jazzy.h"
#include "support/asking.h"
#include "support/folder.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static log_lines lines;

/* The page's body in each of these tests: enough of it to know it by. */
static const char page[] = "# HELP jazzy_build_info";

static jz_server *create(const jz_options *options, const jz_audience *audience)
{
    jz_server *server = jz_server_create(options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_metrics_for(server, "/metrics", audience, NULL), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/fixed", "text/plain", "fixed", 5, NULL), JZ_OK);
    return server;
}

static jz_server *run(jz_server *server)
{
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    return server;
}

static jz_options options_with_log(void)
{
    jz_options options = serving_options(1);
    log_lines_begin(&lines, &options);
    return options;
}

static void finish(jz_server *server)
{
    test_client_close(&client);
    jz_server_destroy(server);
}

/* Asks on a connection of its own. */
static void expect(jz_server *server, const char *headers, bool is_admitted)
{
    char request[512];
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\n%s\r\n", headers);
    int status = asking(&client, request);
    assert_that(status == (is_admitted ? 200 : 403), "%d for %s", status, headers);
    asking_expect_body(&client, is_admitted ? page : "Forbidden: this page is only for clients on the server's own");
    test_client_close(&client);
}

static void without_an_audience_everybody_reads_the_page(void **state)
{
    (void)state;
    const jz_options options = options_with_log();
    jz_server *server = run(create(&options, NULL));
    test_client_close(&client);
    expect(server, "Host: jazzy.example\r\nX-Forwarded-For: 192.0.2.1\r\n", true);
    finish(server);
}

static const struct {
    const char *headers;
    bool is_admitted;
} local_rows[] = {
    {"Host: localhost\r\n", true},
    {"Host: LocalHost:8080\r\n", true},
    {"Host: jazzy.localhost:8080\r\n", true},
    {"Host: 127.0.0.1\r\n", true},
    {"Host: 127.8.9.10:8080\r\n", true},
    {"Host: [::1]:8080\r\n", true},
    /* Names that lead to this machine, as a stranger's page in a browser on it can have them. */
    {"Host: rebound.example\r\n", false},
    {"Host: localhost.example\r\n", false},
    {"Host: notlocalhost\r\n", false},
    {"Host: 127.0.0.1.example\r\n", false},
    {"Host: 128.0.0.1\r\n", false},
    {"Host: [::2]\r\n", false},
    {"Host: 0.0.0.0\r\n", false},
    {"Host:\r\n", false},
    /* What proxies add: then the client may be anywhere. */
    {"Host: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n", false},
    {"Host: localhost\r\nx-forwarded-proto: https\r\n", false},
    {"Host: localhost\r\nForwarded: for=192.0.2.1\r\n", false},
    {"Host: localhost\r\nVia: 1.1 proxy\r\n", false},
    {"Host: localhost\r\nX-Real-IP: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nCF-Connecting-IP: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nFly-Client-IP: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nx-cluster-client-ip: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nX-Original-Forwarded-For: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nX_Forwarded_For: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nX-Envoy-External-Address: 192.0.2.1\r\n", false},
    {"Host: localhost\r\nX-Forward: 192.0.2.1\r\nForward: a\r\n", true},
};

static void a_page_for_this_machine_is_for_no_other(void **state)
{
    (void)state;
    const jz_options options = options_with_log();
    jz_server *server = run(create(&options, &(jz_audience){0}));
    test_client_close(&client);
    for (size_t i = 0; i < COUNT_OF(local_rows); i++)
        expect(server, local_rows[i].headers, local_rows[i].is_admitted);
    finish(server);
}

static void a_trusted_proxy_on_this_machine_does_not_make_its_clients_local(void **state)
{
    (void)state;
    static const char *const proxies[] = {"127.0.0.0/8"};
    static const jz_client_address kinds[] = {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, JZ_CLIENT_ADDRESS_FORWARDED,
                                              JZ_CLIENT_ADDRESS_HEADER};
    static const char *const headers[] = {
        "Host: localhost\r\nX-Forwarded-For: 127.0.0.1, 192.0.2.1\r\n",
        "Host: localhost\r\nForwarded: for=192.0.2.1\r\n",
        "Host: localhost\r\nX-Client: 127.0.0.1\r\n", /* on the proxy's machine */
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        jz_options options = options_with_log();
        options.trusted_proxies = proxies;
        options.trusted_proxy_count = 1;
        options.client_address = kinds[i];
        if (kinds[i] == JZ_CLIENT_ADDRESS_HEADER)
            options.client_address_header = "X-Client";
        jz_server *server = run(create(&options, &(jz_audience){0}));
        test_client_close(&client);
        expect(server, headers[i], false);
        expect(server, "Host: localhost\r\n", true);
        finish(server);
    }
}

/* "127.0.0.1" is the proxy's machine then, and UNKNOWN any. Who is no proxy brings none. */
static void who_comes_with_a_proxy_header_is_not_known_to_be_on_this_machine(void **state)
{
    (void)state;
    static const struct {
        const char *proxy;
        const char *header;
        int status;
    } rows[] = {{"127.0.0.1", "PROXY TCP4 127.0.0.1 127.0.0.1 4000 80\r\n", 403},
                {"127.0.0.1", "PROXY TCP6 ::1 ::1 4000 80\r\n", 403},
                {"127.0.0.1", "PROXY TCP4 127.0.0.9 127.0.0.1 4000 80\r\n", 403},
                {"127.0.0.1", "PROXY TCP4 192.0.2.1 127.0.0.1 4000 80\r\n", 403},
                {"127.0.0.1", "PROXY UNKNOWN\r\n", 403},
                {"192.0.2.1", "", 200}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char request[256];
        jz_options options = options_with_log();
        options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
        options.trusted_proxies = &rows[i].proxy;
        options.trusted_proxy_count = 1;
        jz_server *server = run(create(&options, &(jz_audience){0}));
        snprintf(request, sizeof request, "%sGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", rows[i].header);
        int status = asking(&client, request);
        assert_that(status == rows[i].status, "%d for %s", status, rows[i].header);
        finish(server);
    }
}

/* Behind such a socket there is most often a proxy. */
static void who_comes_over_a_unix_domain_socket_is_not_of_this_machine(void **state)
{
    (void)state;
    const jz_options options = options_with_log();
    jz_server *server = create(&options, &(jz_audience){0});
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect_unix(&client, path));
    assert_int_equal(asking(&client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"), 403);
    finish(server);
}

static void who_is_kept_out_is_counted_and_logged_and_may_ask_for_something_else(void **state)
{
    (void)state;
    const jz_options options = options_with_log();
    jz_server *server = run(create(&options, &(jz_audience){0}));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/metrics", "")), 403);
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.refused[JZ_REFUSAL_REJECTED], 1);
    assert_true(log_lines_have(&lines, "refused: this page is only for clients on the server's own machine"));
    finish(server);
}

static bool admits_who_knows(void *context, const jz_request *request)
{
    jz_string secret;
    ++*(size_t *)context;
    return jz_request_header(request, "Authorization", &secret) && secret.length == strlen("Bearer open") &&
           memcmp(secret.start, "Bearer open", secret.length) == 0;
}

static void the_application_says_who_is_admitted(void **state)
{
    (void)state;
    size_t asked = 0;
    const jz_audience audience = {.admits = admits_who_knows, .context = &asked};
    const jz_options options = options_with_log();
    jz_server *server = run(create(&options, &audience));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/metrics", "Authorization: Bearer open\r\n")), 200);
    test_client_close(&client);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/metrics", "Authorization: Bearer openx\r\n")), 403);
    asking_expect_body(&client, "Forbidden: this page is not for this client, says the application\n");
    assert_int_equal(asked, 2);
    /* It is asked for the page alone, and for what would be answered with it. */
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("OPTIONS", "/metrics", "")), 204);
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("DELETE", "/metrics", "")), 405);
    asking_expect_body(&client, "Method Not Allowed: the method has to be one that Allow lists\n");
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    assert_int_equal(asked, 2);
    finish(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_audience_everybody_reads_the_page),
        cmocka_unit_test(a_page_for_this_machine_is_for_no_other),
        cmocka_unit_test(a_trusted_proxy_on_this_machine_does_not_make_its_clients_local),
        cmocka_unit_test(who_comes_with_a_proxy_header_is_not_known_to_be_on_this_machine),
        cmocka_unit_test_setup_teardown(who_comes_over_a_unix_domain_socket_is_not_of_this_machine, make_folder,
                                        remove_folder),
        cmocka_unit_test(who_is_kept_out_is_counted_and_logged_and_may_ask_for_something_else),
        cmocka_unit_test(the_application_says_who_is_admitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
