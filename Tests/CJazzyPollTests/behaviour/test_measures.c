/* The page with a server's metrics: the times that are measured, of handlers, pings and loops, and their routes. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "config/measures.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/scraping.h"
#include "support/testing.h"

enum { CLIENTS = 6, MESSAGES = 1000 };

static jz_server *server;
static test_client clients[CLIENTS];

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void create(void)
{
    const jz_options options = serving_options(1);
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

/* On the loop, and on workers. */
static void the_time_of_handlers_is_measured_for_a_part_of_the_messages(void **state)
{
    (void)state;
    create();
    jz_route_options workers = jz_route_options_default();
    workers.execution = JZ_EXECUTION_WORKERS;
    add("/workers", &workers);
    add("/loop", NULL);
    run();
    static const char *const requests[] = {UPGRADE_REQUEST("/loop"), UPGRADE_REQUEST("/workers")};
    static const char *const samples[] = {"jazzy_handler_duration_seconds_count{route=\"/loop\"}",
                                          "jazzy_handler_duration_seconds_count{route=\"/workers\"}"};
    for (size_t i = 0; i < 2; i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(server), requests[i]));
        for (int message = 0; message < MESSAGES; message++) {
            test_client_send_frame(&clients[i], &(test_frame)TEXT("Hello"));
            test_client_expect(&clients[i], JZ_OPCODE_TEXT, "Hello", 5);
        }
        uint64_t count = now(samples[i]);
        assert_that(count >= MESSAGES / 100 && count <= MESSAGES / 30, "%s: %u", samples[i], (unsigned)count);
    }
    assert_true(scraped_number("jazzy_handler_duration_seconds_sum{route=\"/loop\"}") > 0);
    assert_true(scraped_number("jazzy_handler_duration_seconds_sum{route=\"/workers\"}") > 0);
    finish(2);
}

static void routes_behind_the_first_are_measured_together(void **state)
{
    (void)state;
    char path[32];
    create();
    for (int i = 0; i < JZ_MOST_MEASURED_ROUTES + 2; i++) {
        snprintf(path, sizeof path, "/%d", i);
        add(path, NULL);
    }
    run();
    static const char *const requests[] = {UPGRADE_REQUEST("/63"), UPGRADE_REQUEST("/64"), UPGRADE_REQUEST("/65")};
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(server), requests[i]));
        test_client_send_frame(&clients[i], &(test_frame)CLOSE(1000, ""));
        assert_true(test_client_sees_end(&clients[i]));
    }
    assert_eventually(now("jazzy_websockets") == 0);
    assert_int_equal(scraped("jazzy_websocket_duration_seconds_count{route=\"/0\"}"), 0);
    assert_int_equal(scraped("jazzy_websocket_duration_seconds_count{route=\"/63\"}"), 1);
    assert_int_equal(scraped("jazzy_websocket_duration_seconds_count{route=\"others\"}"), 2);
    assert_false(scraped_page_has("route=\"/64\""));
    finish(COUNT_OF(requests));
}

static void the_label_of_a_route_is_its_path_as_requests_have_it(void **state)
{
    (void)state;
    create();
    add("/a\"b\\c/:id", NULL);
    run();
    scrape(jz_server_port(server));
    assert_int_equal(scraped("jazzy_websocket_duration_seconds_count{route=\"/a%22b%5Cc/:id\"}"), 0);
    finish(0);
}

static void pings_are_measured_from_the_ping_to_the_pong(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.idle_timeout_ms = 20000;
    create();
    add("/", &route);
    run();
    assert_true(test_client_open(&clients[0], jz_server_port(server), UPGRADE_REQUEST("/")));
    test_client_send_frame(&clients[0], &(test_frame)PONG("of no ping"));
    scrape(jz_server_port(server)); /* by now that was heard */
    test_clock_jump(11000);         /* a client that is slow has the rest of the time for its answer */
    scrape(jz_server_port(server));
    test_client_expect(&clients[0], JZ_OPCODE_PING, "", 0);
    poll(NULL, 0, 20);
    test_client_send_frame(&clients[0], &(test_frame)PONG(""));
    assert_eventually(now("jazzy_ping_round_trip_seconds_count") >= 1);
    assert_true(scraped_number("jazzy_ping_round_trip_seconds_sum") >= 0.02);
    assert_int_equal(scraped("jazzy_ping_round_trip_seconds_bucket{le=\"0.01\"}"), 0);
    finish(1);
    test_clocks_run();
}

static void a_loop_that_was_blocked_is_seen_in_its_iterations_and_its_timers(void **state)
{
    (void)state;
    const int blocked_ms = 300;
    create();
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
    run();
    bystander_open(jz_server_port(server));
    scrape(jz_server_port(server));
    uint64_t before = scraped("jazzy_loop_iteration_duration_seconds_count{loop=\"0\"}") -
                      scraped("jazzy_loop_iteration_duration_seconds_bucket{loop=\"0\",le=\"0.25\"}");
    uint64_t late = scraped("jazzy_loop_timer_lag_seconds_count{loop=\"0\"}") -
                    scraped("jazzy_loop_timer_lag_seconds_bucket{loop=\"0\",le=\"0.1\"}");
    bystander_hold_loop();
    poll(NULL, 0, blocked_ms);
    bystander_release_loop();
    bystander_let_turn();
    scrape(jz_server_port(server));
    assert_true(scraped("jazzy_loop_iteration_duration_seconds_count{loop=\"0\"}") -
                    scraped("jazzy_loop_iteration_duration_seconds_bucket{loop=\"0\",le=\"0.25\"}") >
                before);
    assert_true(scraped_number("jazzy_loop_longest_seconds{loop=\"0\"}") * 1000 >= blocked_ms);
    assert_true(scraped_number("jazzy_loop_seconds_total{loop=\"0\"}") * 1000 >= blocked_ms);
    assert_int_equal(scraped("jazzy_loop_iteration_duration_seconds_count{loop=\"0\"}"),
                     scraped("jazzy_loop_iterations_total{loop=\"0\"}"));
    assert_eventually(
        (scrape(jz_server_port(server)), scraped("jazzy_loop_timer_lag_seconds_count{loop=\"0\"}") -
                                                 scraped("jazzy_loop_timer_lag_seconds_bucket{loop=\"0\",le=\"0.1\"}") >
                                             late));
    bystander_close();
    finish(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_handlers_is_measured_for_a_part_of_the_messages),
        cmocka_unit_test(routes_behind_the_first_are_measured_together),
        cmocka_unit_test(the_label_of_a_route_is_its_path_as_requests_have_it),
        cmocka_unit_test(pings_are_measured_from_the_ping_to_the_pong),
        cmocka_unit_test(a_loop_that_was_blocked_is_seen_in_its_iterations_and_its_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
