/*
 * Which clients a running server lets in, and on what terms: origins, subprotocols, sizes of heads, paths with
 * parameters.
 */
#include <stdio.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/served.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;

/* Asks for a WebSocket; `lines` are further headers. Returns the status. */
static int ask(uint16_t port, const char *path, const char *lines)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: example.com:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          path, lines);
    assert_true(length > 0 && (size_t)length < sizeof request);
    assert_true(test_client_connect(&client, port, 0));
    assert_true(test_client_send(&client, request, (size_t)length));
    int status = test_client_take_head(&client);
    client.bytes[client.start] = '\0';
    return status;
}

static uint64_t refused(const jz_server *server, jz_refusal refusal)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.refused[refusal];
}

static const char *const allowed[] = {"https://example.com", "http://[2001:db8::7]:3000"};

static const struct {
    jz_origin_policy policy;
    const char *lines;
    bool is_let_in;
} origins[] = {
    {JZ_ORIGIN_SAME_HOST, "", true},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com:8080\r\n", true},
    {JZ_ORIGIN_SAME_HOST, "Origin: https://EXAMPLE.com:8080\r\n", true},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com:80800\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com:8081\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com.evil:8080\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://evil-example.com:8080\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://evil@example.com:8080\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: null\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin:\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com:8080\r\nOrigin: http://example.com:8080\r\n", false},
    {JZ_ORIGIN_SAME_HOST, "Origin: http://example.com:8080 http://evil\r\n", false},
    {JZ_ORIGIN_LISTED, "", true},
    {JZ_ORIGIN_LISTED, "Origin: https://example.com\r\n", true},
    {JZ_ORIGIN_LISTED, "Origin: https://example.com:443\r\n", true},
    {JZ_ORIGIN_LISTED, "Origin: HTTPS://Example.COM\r\n", true},
    {JZ_ORIGIN_LISTED, "Origin: http://[2001:db8::7]:3000\r\n", true},
    {JZ_ORIGIN_LISTED, "Origin: http://example.com\r\n", false},
    {JZ_ORIGIN_LISTED, "Origin: http://example.com:8080\r\n", false}, /* the same host does not count */
    {JZ_ORIGIN_LISTED, "Origin: https://example.com/\r\n", false},
    {JZ_ORIGIN_LISTED, "Origin: https://www.example.com\r\n", false},
    {JZ_ORIGIN_LISTED, "Origin: null\r\n", false},
    {JZ_ORIGIN_LISTED, "Origin: https://example.com\r\nOrigin: https://example.com\r\n", false},
    {JZ_ORIGIN_ANY, "", true},
    {JZ_ORIGIN_ANY, "Origin: https://evil\r\n", true},
    {JZ_ORIGIN_ANY, "Origin: null\r\n", true},
    {JZ_ORIGIN_ANY, "Origin: a\r\nOrigin: b\r\n", true},
};

static void origins_are_let_in_as_the_route_says(void **state)
{
    (void)state;
    assert_int_equal(jz_route_options_default().origin_policy, JZ_ORIGIN_SAME_HOST);
    jz_route_options same_host = jz_route_options_default();
    jz_route_options listed = jz_route_options_default();
    listed.origin_policy = JZ_ORIGIN_LISTED;
    listed.allowed_origins = allowed;
    listed.allowed_origin_count = COUNT_OF(allowed);
    jz_route_options any = jz_route_options_default();
    any.origin_policy = JZ_ORIGIN_ANY;
    static journal journal = JOURNAL_INITIALIZER;
    static const char *const paths[] = {
        [JZ_ORIGIN_SAME_HOST] = "/same", [JZ_ORIGIN_LISTED] = "/listed", [JZ_ORIGIN_ANY] = "/any"};
    const serving_route routes[] = {{"/same", journal_handle, &journal, &same_host},
                                    {"/listed", journal_handle, &journal, &listed},
                                    {"/any", journal_handle, &journal, &any}};
    jz_options options = serving_options(1);
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    size_t refusals = 0;
    for (size_t i = 0; i < COUNT_OF(origins); i++) {
        int status = ask(jz_server_port(server), paths[origins[i].policy], origins[i].lines);
        assert_that(status == (origins[i].is_let_in ? 101 : 403), "%d for \"%s\" at %s", status, origins[i].lines,
                    paths[origins[i].policy]);
        refusals += !origins[i].is_let_in;
        test_client_close(&client);
    }
    assert_int_equal(refused(server, JZ_REFUSAL_ORIGIN), refusals);
    jz_server_destroy(server);
    assert_int_equal(journal.opens, COUNT_OF(origins) - refusals);
}

static const char *const spoken[] = {"v2.chat", "v1.chat", "Chat"};

static const struct {
    const char *lines;
    const char *agreed; /* "": none */
} offers[] = {
    {"", ""},
    {"Sec-WebSocket-Protocol: v1.chat\r\n", "v1.chat"},
    {"Sec-WebSocket-Protocol: v1.chat, v2.chat\r\n", "v2.chat"},
    {"Sec-WebSocket-Protocol: Chat,v1.chat\r\n", "v1.chat"},
    {"Sec-WebSocket-Protocol: Chat\r\nsec-websocket-protocol: v1.chat\r\n", "v1.chat"},
    {"Sec-WebSocket-Protocol: other , Chat\r\n", "Chat"},
    {"Sec-WebSocket-Protocol: chat\r\n", ""},
    {"Sec-WebSocket-Protocol: v1.cha, v1.chatt\r\n", ""},
    {"Sec-WebSocket-Protocol:\r\n", ""}, /* as some clients send it for an empty list */
    {"Sec-WebSocket-Protocol: ,\r\n", ""},
    {"Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol: Chat\r\n", "Chat"},
};

static const char *const invalid_offers[] = {
    "Sec-WebSocket-Protocol: v1 chat\r\n",
    "Sec-WebSocket-Protocol: \"v1.chat\"\r\n",
    "Sec-WebSocket-Protocol: v1.chat, v1.chat\r\n",
    "Sec-WebSocket-Protocol: v1.chat\r\nSec-WebSocket-Protocol: v1.chat\r\n",
    "Sec-WebSocket-Protocol: v1.chat, \xC3\xA4\r\n",
};

static _Atomic(const char *) told_on_the_loop;

static void tell_subprotocol(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        told_on_the_loop = jz_ws_subprotocol(ws);
}

static void start_speaking(served *served)
{
    jz_route_options route = jz_route_options_default();
    route.subprotocols = spoken;
    route.subprotocol_count = COUNT_OF(spoken);
    *served = (struct served){.journal = {.act = tell_subprotocol}};
    served_start(served, NULL, &route);
}

static void the_subprotocol_is_the_first_of_the_servers_that_the_client_offers(void **state)
{
    (void)state;
    static served served;
    start_speaking(&served);
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        told_on_the_loop = NULL;
        assert_int_equal(ask(served.port, "/", offers[i].lines), 101);
        char line[80];
        snprintf(line, sizeof line, "\r\nSec-WebSocket-Protocol: %s\r\n", offers[i].agreed);
        bool is_told = strstr((const char *)client.bytes, line) != NULL;
        bool is_any_told = strstr((const char *)client.bytes, "Sec-WebSocket-Protocol") != NULL;
        assert_that(is_told == (offers[i].agreed[0] != '\0') && is_told == is_any_told, "offers %zu: %s", i,
                    (const char *)client.bytes);
        assert_eventually(told_on_the_loop != NULL);
        assert_string_equal(told_on_the_loop, offers[i].agreed);
        jz_ws ws = journal_handle_of(&served.journal, i);
        assert_string_equal(jz_ws_subprotocol(ws), offers[i].agreed);
        const char *held = jz_ws_subprotocol(ws);
        test_client_close(&client);
        assert_eventually(served.journal.closes == i + 1);
        assert_eventually(strcmp(jz_ws_subprotocol(ws), "") == 0);
        assert_string_equal(held, offers[i].agreed); /* it lives as long as the server */
    }
    jz_ws last = journal_handle_of(&served.journal, 1);
    served_finish(&served);
    assert_string_equal(jz_ws_subprotocol(last), "");
    assert_string_equal(jz_ws_subprotocol((jz_ws){0}), "");
}

static void ill_formed_subprotocols_are_refused(void **state)
{
    (void)state;
    static served served;
    start_speaking(&served);
    for (size_t i = 0; i < COUNT_OF(invalid_offers); i++) {
        int status = ask(served.port, "/", invalid_offers[i]);
        assert_that(status == 400, "%d for %s", status, invalid_offers[i]);
        test_client_close(&client);
    }
    assert_int_equal(refused(served.server, JZ_REFUSAL_INVALID_HANDSHAKE), COUNT_OF(invalid_offers));
    served_finish(&served);
}

static void each_route_has_subprotocols_of_its_own(void **state)
{
    (void)state;
    static journal journal = JOURNAL_INITIALIZER;
    static const char *const others[] = {"other", "v1.chat"};
    jz_route_options first = jz_route_options_default();
    first.subprotocols = spoken;
    first.subprotocol_count = COUNT_OF(spoken);
    jz_route_options second = jz_route_options_default();
    second.subprotocols = others;
    second.subprotocol_count = COUNT_OF(others);
    const serving_route routes[] = {{"/none", journal_handle, &journal, NULL},
                                    {"/first", journal_handle, &journal, &first},
                                    {"/second", journal_handle, &journal, &second}};
    static const char lines[] = "Sec-WebSocket-Protocol: v1.chat, other\r\n";
    static const char *const agreed[] = {"", "v1.chat", "other"};
    jz_options options = serving_options(2);
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        assert_int_equal(ask(jz_server_port(server), routes[i].path, lines), 101);
        assert_eventually(journal.opens == i + 1);
        assert_string_equal(jz_ws_subprotocol(journal_handle_of(&journal, i)), agreed[i]);
        test_client_close(&client);
        assert_eventually(journal.closes == i + 1);
    }
    jz_server_destroy(server);
}

static const char short_request[] = UPGRADE_REQUEST("/");

/* Sends a valid head of that many bytes, in so many pieces, and returns the status of the answer. */
static int ask_with_length(uint16_t port, size_t length, size_t pieces)
{
    char request[4096];
    size_t without_end = sizeof short_request - 1 - 2;
    memset(request, 'x', sizeof request);
    memcpy(request, short_request, without_end);
    memcpy(request + without_end, "X: ", 3);
    memcpy(request + length - 4, "\r\n\r\n", 4);
    assert_true(test_client_connect(&client, port, 0));
    for (size_t i = 0; i < pieces; i++) {
        size_t start = length * i / pieces;
        if (!test_client_send(&client, request + start, length * (i + 1) / pieces - start))
            break; /* refused before it was whole */
    }
    int status = test_client_take_head(&client);
    test_client_close(&client);
    return status;
}

static void heads_may_be_as_large_as_the_option_says(void **state)
{
    (void)state;
    static const size_t sizes[] = {256, 700, 2000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        static served served;
        served = (struct served){0};
        jz_options options = served_options();
        options.max_head_size = (uint32_t)sizes[i];
        served_start(&served, &options, NULL);
        static const size_t pieces[] = {1, 2, 100};
        for (size_t j = 0; j < COUNT_OF(pieces); j++) {
            assert_int_equal(ask_with_length(served.port, sizes[i], pieces[j]), 101);
            assert_int_equal(ask_with_length(served.port, sizes[i] + 1, pieces[j]), 431);
            assert_int_equal(ask_with_length(served.port, sizes[i] + 1000, 1), 431);
        }
        assert_int_equal(refused(served.server, JZ_REFUSAL_HEAD_TOO_LARGE), 2 * COUNT_OF(pieces));
        served_finish(&served);
    }
}

static void heads_may_have_as_many_headers_as_the_option_says(void **state)
{
    (void)state;
    static served served;
    jz_options options = served_options();
    options.max_header_count = 6;
    served_start(&served, &options, NULL);
    assert_int_equal(ask(served.port, "/", ""), 101);
    test_client_close(&client);
    assert_int_equal(ask(served.port, "/", "A: 1\r\n"), 101);
    test_client_close(&client);
    assert_int_equal(ask(served.port, "/", "A: 1\r\nB: 2\r\n"), 431);
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    assert_int_equal(refused(served.server, JZ_REFUSAL_HEAD_TOO_LARGE), 1);
    served_finish(&served);
}

static const struct {
    const char *path;
    size_t route; /* 4: none */
} paths[] = {
    {"/room/lobby", 2},   {"/room/7", 0},         {"/room/%2F", 0},  {"/room/:id", 0},        {"/room/", 4},
    {"/room", 4},         {"/room/7/", 4},        {"/room/7/8", 4},  {"/room/7/user/8", 1},   {"/room/lobby/user/x", 1},
    {"/room//user/8", 4}, {"/room/7/user/", 4},   {"/Room/7", 4},    {"/room/lobby?a=/b", 2}, {"/room/7?lobby", 0},
    {"/rooms/7", 4},      {"/room/7/users/8", 4}, {"/other/x/y", 3}, {"/other/x", 4},         {"/room/lobby2", 0},
};

static void paths_lead_to_routes_with_parameters(void **state)
{
    (void)state;
    static journal journals[4] = {JOURNAL_INITIALIZER, JOURNAL_INITIALIZER, JOURNAL_INITIALIZER, JOURNAL_INITIALIZER};
    const serving_route routes[] = {{"/room/:id", journal_handle, &journals[0], NULL},
                                    {"/room/:id/user/:name", journal_handle, &journals[1], NULL},
                                    {"/room/lobby", journal_handle, &journals[2], NULL},
                                    {"/other/:a/:b", journal_handle, &journals[3], NULL}};
    jz_options options = serving_options(1);
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        size_t before = paths[i].route < 4 ? (size_t)journals[paths[i].route].opens : 0;
        int status = ask(jz_server_port(server), paths[i].path, "");
        assert_that(status == (paths[i].route < 4 ? 101 : 404), "%d for %s", status, paths[i].path);
        if (paths[i].route < 4)
            assert_eventually(journals[paths[i].route].opens == before + 1);
        test_client_close(&client);
    }
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_are_let_in_as_the_route_says),
        cmocka_unit_test(the_subprotocol_is_the_first_of_the_servers_that_the_client_offers),
        cmocka_unit_test(ill_formed_subprotocols_are_refused),
        cmocka_unit_test(each_route_has_subprotocols_of_its_own),
        cmocka_unit_test(heads_may_be_as_large_as_the_option_says),
        cmocka_unit_test(heads_may_have_as_many_headers_as_the_option_says),
        cmocka_unit_test(paths_lead_to_routes_with_parameters),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("access", tests, NULL, NULL));
}
