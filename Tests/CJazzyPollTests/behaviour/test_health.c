/* The pages that say whether a server is alive, and whether it should get new clients. */
#define _POSIX_C_SOURCE 200809L

#include "jazzy.h"
#include "server/health.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

static const uint64_t stuck_ns = UINT64_C(10000000000);
static test_client client;

static void live_and_ready_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        bool stops;
        bool drains;
        uint64_t lag_ns;
        jz_health health;
    } rows[] = {
        {false, false, 0, {true, true, "running"}},      {false, false, stuck_ns - 1, {true, true, "running"}},
        {false, true, 0, {true, false, "draining"}},     {true, false, 0, {true, false, "stopping"}},
        {true, true, 0, {true, false, "stopping"}},      {false, false, stuck_ns, {false, false, "stuck"}},
        {true, true, stuck_ns, {false, false, "stuck"}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_health health = jz_health_judge(rows[i].stops, rows[i].drains, rows[i].lag_ns);
        assert_int_equal(health.is_live, rows[i].health.is_live);
        assert_int_equal(health.is_ready, rows[i].health.is_ready);
        assert_string_equal(health.state, rows[i].health.state);
    }
}

static jz_server *start(const char *path)
{
    const jz_options options = serving_options(2);
    jz_server *server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_health(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    return server;
}

static void expect(const char *request, int status, const char *body)
{
    assert_int_equal(asking(&client, request), status);
    assert_true(asking_has_line(&client, "Content-Type: application/json"));
    assert_true(asking_has_line(&client, "Cache-Control: no-store"));
    asking_expect_body(&client, body);
}

#define RUNNING "{\"state\":\"running\",\"live\":true,\"ready\":true}\n"
#define DRAINING "{\"state\":\"draining\",\"live\":true,\"ready\":false}\n"

static void a_server_that_runs_is_live_and_ready(void **state)
{
    (void)state;
    jz_server *server = start("/health");
    expect(PAGE_REQUEST("/health"), 200, RUNNING);
    expect(PAGE_REQUEST("/health/live"), 200, RUNNING);
    expect(PAGE_REQUEST("/health/ready"), 200, RUNNING);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    for (size_t reason = 0; reason < JZ_REFUSAL_COUNT; reason++)
        assert_int_equal(statistics.refused[reason], 0);
    test_client_close(&client);
    jz_server_destroy(server);
}

static void the_path_may_end_with_a_slash(void **state)
{
    (void)state;
    jz_server *server = start("/");
    expect(PAGE_REQUEST("/"), 200, RUNNING);
    expect(PAGE_REQUEST("/live"), 200, RUNNING);
    expect(PAGE_REQUEST("/ready"), 200, RUNNING);
    test_client_close(&client);
    jz_server_destroy(server);
}

/* Each answer is the last of its connection, so each question has one of its own, from before the server drained. */
static void a_server_that_drains_is_live_and_not_ready(void **state)
{
    (void)state;
    static test_client clients[3];
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {PAGE_REQUEST("/health"), 503}, {PAGE_REQUEST("/health/ready"), 503}, {PAGE_REQUEST("/health/live"), 200}};
    jz_server *server = start("/health");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(test_client_connect(&clients[i], jz_server_port(server), 0));
        assert_int_equal(asking(&clients[i], PAGE_REQUEST("/health/live")), 200);
        asking_expect_body(&clients[i], RUNNING);
    }
    jz_server_drain(server, JZ_NEVER);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(asking(&clients[i], rows[i].request), rows[i].status);
        asking_expect_body(&clients[i], DRAINING);
        test_client_close(&clients[i]);
    }
    test_client_close(&client);
    jz_server_destroy(server);
}

static void a_path_that_leads_nowhere_is_refused(void **state)
{
    (void)state;
    jz_server *server = jz_server_create(NULL, NULL);
    jz_error error;
    assert_int_equal(jz_server_route_health(server, "health", &error), JZ_STATUS_INVALID_ROUTE);
    assert_int_equal(jz_server_route_health(server, NULL, &error), JZ_STATUS_INVALID_ROUTE);
    assert_int_equal(jz_server_route_metrics(server, NULL, &error), JZ_STATUS_INVALID_ROUTE);
    assert_int_equal(jz_server_route_metrics(server, "/metrics", &error), JZ_OK);
    assert_int_equal(jz_server_route_metrics(server, "/metrics", &error), JZ_STATUS_INVALID_ROUTE);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_and_ready_are_told_apart),
        cmocka_unit_test(a_server_that_runs_is_live_and_ready),
        cmocka_unit_test(the_path_may_end_with_a_slash),
        cmocka_unit_test(a_server_that_drains_is_live_and_not_ready),
        cmocka_unit_test(a_path_that_leads_nowhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
