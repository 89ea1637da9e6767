/* Large files: what they cost, and what becomes of them when clients are slow or the server ends. */
#define _DEFAULT_SOURCE

#include "jazzy.h"
#include "support/asking.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/site.h"
#include "support/testing.h"
#include "session/memory.h"
#include "support/allocation.h"

static void a_large_file_comes_whole_and_in_order_with_what_was_asked_for_behind_it(void **state)
{
    (void)state;
    jz_server *server = site_start();
    static const char requests[] = PAGE_REQUEST("/fixed") PAGE_REQUEST("/files/large.bin") PAGE_REQUEST("/files/a.txt")
        PAGE_REQUEST_WITH("HEAD", "/files/large.bin", "")
            PAGE_REQUEST_WITH("GET", "/files/large.bin", "Range: bytes=100001-300001\r\n") PAGE_REQUEST("/fixed")
                UPGRADE_REQUEST("/socket");
    assert_true(test_client_send(&client, requests, strlen(requests)));
    asking_expect(&client, 200, "fixed");
    assert_int_equal(asking_take_head(&client), 200);
    site_expect_large(&client, 0, LARGE);
    asking_expect(&client, 200, "0123456789");
    asking_expect(&client, 200, "");
    assert_true(asking_has_line(&client, "Content-Length: 8388608"));
    assert_int_equal(asking_take_head(&client), 206);
    site_expect_large(&client, 100001, 200001);
    asking_expect(&client, 200, "fixed");
    assert_int_equal(asking_take_head(&client), 101);
    site_finish(server);
}

static void who_reads_a_large_file_slowly_costs_little_memory(void **state)
{
    (void)state;
    enum { READERS = 8, KIB = 1024 };
    /* Of mapped pieces all counts, though only pages that were written to take memory. */
    size_t cost = jz_memory_is_mapped(64 * KIB) ? 256 * KIB : 200 * KIB;
    static test_client readers[READERS];
    jz_server *server = site_start();
    size_t before = test_live_bytes();
    for (size_t i = 0; i < READERS; i++) {
        assert_true(test_client_connect(&readers[i], jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&readers[i], site_large_request, strlen(site_large_request)));
        assert_int_equal(test_client_take_head(&readers[i]), 200);
    }
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    (void)test_most_live_bytes();
    for (size_t i = 0; i < READERS; i++) {
        site_expect_large(&readers[i], 0, LARGE);
        test_client_close(&readers[i]);
    }
    assert_in_range(test_most_live_bytes(), 0, before + READERS * cost);
    site_finish(server);
}

static void who_does_not_take_a_file_is_let_go(void **state)
{
    (void)state;
    jz_server *server = site_start();
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    size_t idle = serving_descriptors();
    assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
    assert_true(test_client_send(&other, site_large_request, strlen(site_large_request)));
    assert_int_equal(test_client_take_head(&other), 200);
    assert_int_equal(serving_descriptors(), idle + 3);
    test_client_close(&client);
    assert_eventually((serving_let_pass(server, LONG_MS), serving_descriptors() == idle - 1)); /* the other's own */
    test_client_close(&other);
    site_finish(server);
    test_clocks_run();
}

/* As long as somebody takes something, no time-out ends the connection. */
static void who_takes_a_file_slowly_gets_all_of_it(void **state)
{
    (void)state;
    enum { TIMES = 6, PIECE = 64 * 1024 /* more than has to be taken in a time-out */ };
    jz_server *server = site_start();
    assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
    assert_true(test_client_send(&other, site_large_request, strlen(site_large_request)));
    assert_int_equal(test_client_take_head(&other), 200);
    size_t taken = 0;
    for (int i = 0; i < TIMES; i++, taken += PIECE) {
        site_expect_large(&other, taken, PIECE);
        serving_let_pass(server, LONG_MS);
    }
    site_expect_large(&other, taken, LARGE - taken);
    test_client_close(&other);
    site_finish(server);
    test_clocks_run();
}

static void who_goes_away_leaves_nothing_open(void **state)
{
    (void)state;
    jz_server *server = site_start();
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    size_t idle = serving_descriptors();
    size_t memory = test_live_allocations();
    for (size_t i = 0; i < 20; i++) {
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&other, site_large_request, strlen(site_large_request)));
        if (i % 2 == 0)
            assert_int_equal(test_client_take_head(&other), 200);
        test_client_reset(&other);
    }
    assert_eventually(serving_descriptors() == idle);
    assert_eventually(test_live_allocations() <= memory + 4); /* records that are kept for reuse */
    site_finish(server);
}

static void a_server_that_stops_sends_the_rest_of_a_file(void **state)
{
    (void)state;
    jz_server *server = site_start();
    assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
    assert_true(test_client_send(&other, site_large_request, strlen(site_large_request)));
    assert_int_equal(test_client_take_head(&other), 200);
    jz_server_stop(server);
    site_expect_large(&other, 0, LARGE);
    assert_true(test_client_sees_end(&other));
    test_client_close(&other);
    site_finish(server);
}

static bool refuses(const jz_server *server)
{
    static test_client another;
    bool is_let_in = test_client_connect(&another, jz_server_port(server), 0);
    test_client_close(&another);
    return !is_let_in;
}

/* Whoever has one gets all of it, and one answer more, to what was asked before the server drained or after. */
static void a_server_that_drains_sends_the_rest_of_a_file(void **state)
{
    (void)state;
    static const char next[] = PAGE_REQUEST("/fixed");
    for (int asks_before = 0; asks_before < 2; asks_before++) {
        jz_server *server = site_start();
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        assert_true(test_client_send(&other, site_large_request, strlen(site_large_request)));
        if (asks_before == 1)
            assert_true(test_client_send(&other, next, strlen(next)));
        assert_int_equal(test_client_take_head(&other), 200);
        jz_server_drain(server, JZ_NEVER);
        assert_eventually(refuses(server));
        site_expect_large(&other, 0, LARGE);
        if (asks_before == 0)
            assert_true(test_client_send(&other, next, strlen(next)));
        asking_expect(&other, 200, "fixed");
        assert_true(asking_has_line(&other, "Connection: close"));
        assert_true(test_client_sees_end(&other));
        test_client_close(&other);
        site_finish(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_file_comes_whole_and_in_order_with_what_was_asked_for_behind_it),
        cmocka_unit_test(who_reads_a_large_file_slowly_costs_little_memory),
        cmocka_unit_test(who_does_not_take_a_file_is_let_go),
        cmocka_unit_test(who_takes_a_file_slowly_gets_all_of_it),
        cmocka_unit_test(who_goes_away_leaves_nothing_open),
        cmocka_unit_test(a_server_that_stops_sends_the_rest_of_a_file),
        cmocka_unit_test(a_server_that_drains_sends_the_rest_of_a_file),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("large files", tests, make_site, remove_site));
}
