/* The page for paths that lead nowhere. */
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/serving.h"
#include "support/testing.h"

static const char page[] = "<h1>Nothing here</h1>";
static test_client client;

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

static jz_server *start(void)
{
    jz_options options = serving_options(1);
    jz_server *server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_get(server, "/page", "text/plain", "here", 4, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/socket", NULL, handle_nothing, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_not_found(server, "text/html", page, sizeof page - 1, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    return server;
}

/* Sends a request, and takes the head of its answer, at which the client's bytes begin. */
static int ask(const char *request)
{
    client.start = client.end = 0;
    assert_true(test_client_send(&client, request, strlen(request)));
    int status = test_client_take_head(&client);
    client.bytes[client.end] = '\0';
    return status;
}

static bool has_line(const char *line)
{
    return strstr((const char *)client.bytes, line) != NULL;
}

static void expect_body(const char *body)
{
    assert_true(test_client_receive(&client, strlen(body)));
    assert_memory_equal(client.bytes + client.start, body, strlen(body));
    client.start += strlen(body);
}

static uint64_t not_found(const jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.refused[JZ_REFUSAL_NOT_FOUND];
}

#define REQUEST(method, path) method " " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct {
    const char *request;
    int status;
    const char *body;
} requests[] = {
    {REQUEST("GET", "/nowhere"), 404, page}, {REQUEST("HEAD", "/nowhere"), 404, ""},
    {REQUEST("GET", "/page/"), 404, page},   {REQUEST("DELETE", "/nowhere"), 404, page},
    {REQUEST("GET", "/page"), 200, "here"},  {REQUEST("GET", "/"), 404, page},
    {REQUEST("GET", "/socket"), 426, ""},    {REQUEST("DELETE", "/page"), 405, ""},
};

/* All on one connection: it is kept, and after a HEAD nothing is left over. */
static void who_asks_for_what_is_not_there_gets_the_page_and_may_ask_again(void **state)
{
    (void)state;
    jz_server *server = start();
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    uint64_t missed = 0;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int status = ask(requests[i].request);
        assert_that(status == requests[i].status, "%d for %s", status, requests[i].request);
        if (status == 404) {
            missed++;
            assert_true(has_line("\r\nContent-Type: text/html\r\n") && has_line("\r\nContent-Length: 21\r\n"));
        }
        expect_body(requests[i].body);
    }
    assert_int_equal(not_found(server), missed);
    test_client_close(&client);
    jz_server_destroy(server);
}

/* As without a page: nobody would see it. */
static void who_asks_for_a_websocket_that_is_not_there_gets_a_text(void **state)
{
    (void)state;
    jz_server *server = start();
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_int_equal(ask(UPGRADE_REQUEST("/nowhere")), 404);
    expect_body("Not Found: there is no route with this path\n");
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    jz_server_destroy(server);
}

static void an_ill_formed_path_is_not_merely_not_found(void **state)
{
    (void)state;
    jz_server *server = start();
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_int_equal(ask(REQUEST("GET", "/%00")), 400);
    test_client_close(&client);
    jz_server_destroy(server);
}

static void a_server_has_one_page_for_what_is_not_found(void **state)
{
    (void)state;
    jz_server *server = start();
    jz_error error = {0};
    assert_int_equal(jz_server_route_not_found(server, "text/html", "x", 1, &error), JZ_STATUS_INVALID_STATE);
    assert_non_null(strstr(error.message, "before the server runs"));
    jz_server_destroy(server);
    server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    static const char *const no_types[] = {NULL, "text/html\r\nX: y"};
    for (size_t i = 0; i < COUNT_OF(no_types); i++) {
        assert_int_equal(jz_server_route_not_found(server, no_types[i], "x", 1, &error), JZ_STATUS_INVALID_ROUTE);
        assert_non_null(strstr(error.message, "the content type is not one line"));
    }
    test_allocations_fail_after(0);
    jz_status status = jz_server_route_not_found(server, "text/html", "x", 1, &error);
    test_allocations_succeed();
    assert_int_equal(status, JZ_STATUS_OUT_OF_MEMORY);
    assert_int_equal(jz_server_route_not_found(server, "text/html", NULL, 0, &error), JZ_OK);
    assert_int_equal(jz_server_route_not_found(server, "text/html", "x", 1, &error), JZ_STATUS_INVALID_ROUTE);
    assert_non_null(strstr(error.message, "there is one already"));
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_for_what_is_not_there_gets_the_page_and_may_ask_again),
        cmocka_unit_test(who_asks_for_a_websocket_that_is_not_there_gets_a_text),
        cmocka_unit_test(an_ill_formed_path_is_not_merely_not_found),
        cmocka_unit_test(a_server_has_one_page_for_what_is_not_found),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("what is not found", tests, NULL, NULL));
}
