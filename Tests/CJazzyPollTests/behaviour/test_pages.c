/* Pages of a running server: their cost, and what may follow a request for one. */
#define _POSIX_C_SOURCE 200809L

#include "loop/timer.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    SMALL = 100,             /* bytes: is copied */
    LARGE = 8 * 1024 * 1024, /* bytes: more than the kernel buffers for a peer that does not read */
    CLIENTS = 8,
    SMALL_RECEIVE_BUFFER = 4096,
    LONG_MS = 20000
};

static char page[LARGE];
static test_client clients[CLIENTS];

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

/* A hook that leaves its question open. */
static void answer_nothing(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context, (void)handshake, (void)request;
}

static jz_server *start_with_timeouts(uint32_t handshake_timeout_ms, uint32_t close_timeout_ms,
                                      uint32_t upgrade_timeout_ms)
{
    for (size_t i = 0; i < LARGE; i++)
        page[i] = (char)('a' + i % 23);
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = handshake_timeout_ms;
    options.close_timeout_ms = close_timeout_ms;
    jz_server *server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_get(server, "/small", "text/plain", page, SMALL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/large", "text/plain", page, LARGE, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/socket", NULL, handle_nothing, NULL, NULL), JZ_OK);
    jz_route_options asking = jz_route_options_default();
    asking.upgrade = answer_nothing;
    asking.upgrade_timeout_ms = upgrade_timeout_ms;
    assert_int_equal(jz_server_route_ws(server, "/asking", &asking, handle_nothing, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    return server;
}

static jz_server *start_with_pages(void)
{
    return start_with_timeouts(LONG_MS, LONG_MS, LONG_MS);
}

static void ask(test_client *client, const jz_server *server, const char *requests, int receive_buffer)
{
    assert_true(test_client_connect(client, jz_server_port(server), receive_buffer));
    assert_true(test_client_send(client, requests, strlen(requests)));
}

/* The next bytes are so many of the page, from `position` on. */
static void expect_bytes(test_client *client, size_t position, size_t length)
{
    for (size_t end = position + length; position < end;) {
        size_t piece = end - position < 1000 ? end - position : 1000;
        assert_true(test_client_receive(client, piece));
        assert_memory_equal(client->bytes + client->start, page + position, piece);
        client->start += piece;
        position += piece;
    }
}

static void expect_body(test_client *client, size_t length)
{
    expect_bytes(client, 0, length);
}

static const char small_request[] = "GET /small HTTP/1.1\r\nHost: x\r\n\r\n";
static const char large_request[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";

static void who_asks_for_a_large_page_and_does_not_read_it_costs_no_copy_of_it(void **state)
{
    (void)state;
    jz_server *server = start_with_pages();
    size_t before = test_live_bytes();
    (void)test_most_live_bytes();
    for (size_t i = 0; i < CLIENTS; i++) {
        ask(&clients[i], server, large_request, SMALL_RECEIVE_BUFFER);
        assert_int_equal(test_client_take_head(&clients[i]), 200);
    }
    assert_in_range(test_most_live_bytes(), before, before + LARGE / 8);
    for (size_t i = 0; i < CLIENTS; i++) {
        expect_body(&clients[i], LARGE);
        test_client_close(&clients[i]);
    }
    jz_server_destroy(server);
}

static void pages_of_all_sizes_come_whole_and_in_the_order_of_their_requests(void **state)
{
    (void)state;
    jz_server *server = start_with_pages();
    test_client *client = &clients[0];
    ask(client, server,
        "GET /small HTTP/1.1\r\nHost: x\r\n\r\nGET /small HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /small HTTP/1.1\r\nHost: x\r\n\r\n",
        0);
    static const size_t lengths[] = {SMALL, SMALL, LARGE, SMALL};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        assert_int_equal(test_client_take_head(client), 200);
        expect_body(client, lengths[i]);
    }
    test_client_close(client);
    jz_server_destroy(server);
}

/* The kernel buffers megabytes: a slow reader may take seconds to empty them before the server notices. */
static void who_reads_a_page_slowly_gets_all_of_it_whatever_the_time_outs(void **state)
{
    (void)state;
    enum { TIMES = 6, PIECE = 64 * 1024 /* more than has to be taken in a time-out */ };
    jz_server *server = start_with_pages();
    static const char *const requests[] = {large_request,
                                           "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"};
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        ask(&clients[0], server, requests[i], SMALL_RECEIVE_BUFFER);
        assert_int_equal(test_client_take_head(&clients[0]), 200);
        size_t taken = 0;
        for (int times = 0; times < TIMES; times++, taken += PIECE) {
            expect_bytes(&clients[0], taken, PIECE);
            serving_let_pass(server, LONG_MS);
        }
        expect_bytes(&clients[0], taken, LARGE - taken);
        test_client_close(&clients[0]);
    }
    jz_server_destroy(server);
    test_clocks_run();
}

static void who_does_not_read_a_page_is_let_go(void **state)
{
    (void)state;
    size_t before = serving_descriptors();
    jz_server *server = start_with_pages();
    size_t idle = serving_descriptors();
    ask(&clients[0], server, large_request, SMALL_RECEIVE_BUFFER);
    assert_int_equal(test_client_take_head(&clients[0]), 200);
    assert_eventually((serving_let_pass(server, LONG_MS), serving_descriptors() == idle + 1)); /* the client's own */
    test_client_close(&clients[0]);
    jz_server_destroy(server);
    test_clocks_run();
    assert_int_equal(serving_descriptors(), before);
}

/* A page is in transit when the server is destroyed: its bytes must not be freed before. */
static void a_server_may_end_while_a_page_is_on_its_way(void **state)
{
    (void)state;
    jz_server *server = start_with_pages();
    for (size_t i = 0; i < CLIENTS; i++) {
        ask(&clients[i], server, large_request, SMALL_RECEIVE_BUFFER);
        assert_int_equal(test_client_take_head(&clients[i]), 200);
    }
    jz_server_stop(server);
    for (size_t i = 0; i < CLIENTS; i++) {
        expect_body(&clients[i], LARGE);
        assert_true(test_client_sees_end(&clients[i]));
        test_client_close(&clients[i]);
    }
    jz_server_destroy(server);
}

/* Its next request is unread, so close would send a reset, which discards what the kernel has buffered. */
static void a_server_that_ends_destroys_no_page_of_who_asks_for_another(void **state)
{
    (void)state;
    jz_server *server = start_with_pages();
    ask(&clients[0], server, large_request, SMALL_RECEIVE_BUFFER);
    assert_int_equal(test_client_take_head(&clients[0]), 200);
    assert_true(test_client_send(&clients[0], large_request, strlen(large_request)));
    jz_server_stop(server);
    expect_body(&clients[0], LARGE);
    assert_true(test_client_sees_end(&clients[0]));
    test_client_close(&clients[0]);
    jz_server_destroy(server);
}

#define HANDSHAKE(method, path, version)                                                                               \
    method " " path " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                            \
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: " version "\r\n\r\n"

static const struct {
    const char *name;
    const char *request;
    int status;
    const char *body; /* NULL: the small page */
} refused_upgrades[] = {
    {"an unknown version", HANDSHAKE("GET", "/socket", "12"), 426,
     "Upgrade Required: Sec-WebSocket-Version has to be there once, and to be 13 (RFC 6455, 4.2.1)\n"},
    {"an unknown path", HANDSHAKE("GET", "/nowhere", "13"), 404, "Not Found: there is no route with this path\n"},
    {"a page", HANDSHAKE("GET", "/small", "13"), 200, NULL},
    {"another method", HANDSHAKE("POST", "/socket", "13"), 405,
     "Method Not Allowed: the method has to be one that Allow lists\n"},
};

static void what_follows_an_upgrade_that_is_refused_is_not_answered(void **state)
{
    (void)state;
    jz_server *server = start_with_pages();
    for (size_t i = 0; i < COUNT_OF(refused_upgrades); i++) {
        test_client *client = &clients[0];
        ask(client, server, refused_upgrades[i].request, 0);
        assert_true(test_client_send(client, small_request, strlen(small_request)));
        int status = test_client_take_head(client);
        assert_that(status == refused_upgrades[i].status, "%s: %d", refused_upgrades[i].name, status);
        const char *body = refused_upgrades[i].body != NULL ? refused_upgrades[i].body : page;
        size_t length = refused_upgrades[i].body != NULL ? strlen(body) : SMALL;
        assert_true(test_client_receive(client, length));
        assert_memory_equal(client->bytes + client->start, body, length);
        client->start += length;
        assert_that(!test_client_receive(client, 1), "%s: another answer", refused_upgrades[i].name);
        test_client_close(client);
    }
    jz_server_destroy(server);
}

static uint64_t timed_out_upgrades(const jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.refused[JZ_REFUSAL_UPGRADE_TIMEOUT];
}

/* Anew where this machine was so slow that the time for a head may have been over. Returns when it began. */
static uint64_t ask_in_time(test_client *client, const jz_server *server, const char *requests, uint32_t time_ms)
{
    uint64_t deadline = test_deadline();
    for (;;) {
        uint64_t began = jz_clock_ms();
        ask(client, server, requests, SMALL_RECEIVE_BUFFER);
        if (jz_clock_ms() - began < time_ms)
            return began;
        test_client_reset(client);
        assert_true(test_is_before(deadline));
    }
}

/* A page, which has its own time-outs, is still in transit while the hook decides. */
static void an_upgrade_behind_a_page_that_is_not_read_has_the_time_out_of_its_hook(void **state)
{
    (void)state;
    enum { UPGRADE_MS = 1500, LITTLE = 4 * 1024 * 1024 };
    static const struct {
        uint32_t handshake_ms;
        uint32_t close_ms;
        size_t read; /* bytes of the page, so that the server can go on with it */
    } rows[] = {
        {LONG_MS, 100, 0}, {LONG_MS, LONG_MS, 0}, {1000, LONG_MS, 0}, {LONG_MS, LONG_MS, LITTLE}, {1000, 1000, LITTLE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_server *server = start_with_timeouts(rows[i].handshake_ms, rows[i].close_ms, UPGRADE_MS);
        static const char requests[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n" HANDSHAKE("GET", "/asking", "13");
        uint64_t began = ask_in_time(&clients[0], server, requests, rows[i].handshake_ms);
        if (rows[i].read > 0) {
            assert_int_equal(test_client_take_head(&clients[0]), 200);
            expect_body(&clients[0], rows[i].read);
        }
        assert_eventually(timed_out_upgrades(server) == 1);
        uint64_t lasted = jz_clock_ms() - began;
        assert_that(lasted >= UPGRADE_MS && lasted < LONG_MS, "row %zu: %u ms", i, (unsigned)lasted);
        test_client_close(&clients[0]);
        jz_server_destroy(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_for_a_large_page_and_does_not_read_it_costs_no_copy_of_it),
        cmocka_unit_test(pages_of_all_sizes_come_whole_and_in_the_order_of_their_requests),
        cmocka_unit_test(who_reads_a_page_slowly_gets_all_of_it_whatever_the_time_outs),
        cmocka_unit_test(who_does_not_read_a_page_is_let_go),
        cmocka_unit_test(a_server_may_end_while_a_page_is_on_its_way),
        cmocka_unit_test(a_server_that_ends_destroys_no_page_of_who_asks_for_another),
        cmocka_unit_test(what_follows_an_upgrade_that_is_refused_is_not_answered),
        cmocka_unit_test(an_upgrade_behind_a_page_that_is_not_read_has_the_time_out_of_its_hook),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("pages", tests, NULL, NULL));
}
