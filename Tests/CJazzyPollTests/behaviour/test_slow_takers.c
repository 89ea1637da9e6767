/* A peer that takes its output, however slowly, is not idle. The tests advance the clock. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <unistd.h>

#include "output/output.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/slow_reader.h"
#include "support/testing.h"

enum {
    IDLE_MS = 10000,
    HALF_MS = IDLE_MS / 2,
    LATE_MS = 100,
    MUCH = 8 * 1024 *
           1024, /* bytes: most of them are in the kernel, which reports nothing until a third of them was sent */
    HEADER = 10,
    ROUNDS = 20, /* of half an idle time-out */
    STEP = 16 * 1024,
    UNIX_STEP = 128 * 1024, /* more than one step that the kernel reports */
    HOUR_MS = 3600 * 1000,
    SHORT_IDLE_MS = 2000,
    PATIENCE_MS = 8000, /* where so short a time-out meets output */
    ROOM = 128 * 1024,  /* bytes: of a client's kernel that takes more than its program can read at once */
    SOME = 512 * 1024,  /* bytes: more than there is room for, so that output waits */
    KERNEL_SEND_LIMIT = 4096
};

static jz_server *server;
static journal seen;
static test_client peer;
static char path[64];

static void advance(uint64_t by_ms)
{
    test_clock_advance(by_ms);
    bystander_let_turn();
}

static jz_ws connection(void)
{
    return journal_handle_of(&seen, 0);
}

static void start_with(uint32_t min_send_rate, bool is_unix, const jz_route_options *route, int receive_buffer)
{
    test_clock_stop(test_real_clock_ms());
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    jz_options options = serving_options(1);
    options.idle_timeout_ms = IDLE_MS;
    options.min_send_rate = min_send_rate;
    options.backpressure_limit = options.mailbox_limit = 2UL * MUCH;
    snprintf(path, sizeof path, "/tmp/jazzy-slow-takers-%d", (int)getpid());
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", route, journal_handle, &seen, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    bystander_open(jz_server_port(server));
    assert_true(is_unix ? test_client_connect_unix(&peer, path)
                        : test_client_connect(&peer, jz_server_port(server), receive_buffer));
    assert_true(test_client_upgrade(&peer, UPGRADE_REQUEST("/")));
    bystander_let_turn();
}

static void start(uint32_t min_send_rate, bool is_unix)
{
    start_with(min_send_rate, is_unix, NULL, SLOW_READER_BUFFER);
}

static void send_message(size_t length)
{
    uint8_t *message = slow_reader_message(length);
    assert_non_null(message);
    assert_int_equal(jz_ws_send(connection(), JZ_MESSAGE_BINARY, message, length), JZ_SEND_QUEUED);
    free(message);
    assert_eventually(jz_ws_buffered_amount(connection()) > 0);
    assert_true(slow_reader_skip(&peer, HEADER));
}

static void send_much(void)
{
    send_message(MUCH);
}

static void finish(void)
{
    test_client_close(&peer);
    bystander_close();
    jz_server_destroy(server);
    test_clocks_run();
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

static void who_takes_a_large_message_slowly_and_answers_the_pings_behind_it_stays(void **state)
{
    (void)state;
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        const size_t step = is_unix ? UNIX_STEP : STEP;
        start(256, is_unix);
        send_much();
        size_t taken = 0;
        for (int round = 0; round < ROUNDS; round++) {
            assert_that(slow_reader_take(&peer, taken, step), "ended in round %d", round);
            taken += step;
            advance(HALF_MS + LATE_MS);
            assert_that(jz_ws_is_open(connection()), "ended in round %d", round);
        }
        assert_true(slow_reader_take(&peer, taken, MUCH - taken));
        test_client_expect(&peer, JZ_OPCODE_PING, "", 0);
        test_client_send_frame(&peer, &(test_frame)PONG(""));
        test_client_send_frame(&peer, &(test_frame)PING("x"));
        test_received frame;
        do
            assert_true(test_client_take_frame(&peer, &frame));
        while (frame.opcode == JZ_OPCODE_PING);
        assert_int_equal(frame.opcode, JZ_OPCODE_PONG);
        assert_int_equal(seen.closes, 0);
        finish();
    }
}

/* Reads until all that waited has gone to the kernels, and nearly all the rest to its own. Returns how much it read. */
static size_t take_until_all_has_gone(void)
{
    size_t taken = 0;
    while (jz_ws_buffered_amount(connection()) > 0) {
        assert_true(slow_reader_take(&peer, taken, KERNEL_SEND_LIMIT));
        taken += KERNEL_SEND_LIMIT;
        bystander_let_turn();
    }
    assert_true(slow_reader_take(&peer, taken, STEP));
    return taken + STEP;
}

/* A kernel acknowledges bytes that its program has not read yet, and the ping is behind them. */
static void who_has_taken_all_has_as_long_to_read_it_as_to_take_more(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.idle_timeout_ms = SHORT_IDLE_MS;
    route.kernel_send_limit = KERNEL_SEND_LIMIT;
    for (int hangs = 0; hangs < 2; hangs++) {
        start_with(256, false, &route, ROOM);
        send_message(SOME);
        size_t taken = take_until_all_has_gone();
        for (uint32_t passed = 0; passed + SHORT_IDLE_MS < PATIENCE_MS; passed += SHORT_IDLE_MS) {
            advance(SHORT_IDLE_MS / 2 + LATE_MS / 2);
            advance(SHORT_IDLE_MS / 2 - LATE_MS / 2);
            assert_that(jz_ws_is_open(connection()), "ended after %u ms", (unsigned)passed + SHORT_IDLE_MS);
        }
        if (hangs) {
            advance(2 * SHORT_IDLE_MS);
            assert_eventually(!jz_ws_is_open(connection()));
        } else {
            assert_true(slow_reader_take(&peer, taken, SOME - taken));
            test_client_expect(&peer, JZ_OPCODE_PING, "", 0);
            test_client_send_frame(&peer, &(test_frame)PONG(""));
            test_client_send_frame(&peer, &(test_frame)PING("x"));
            test_client_expect(&peer, JZ_OPCODE_PONG, "x", 1);
        }
        finish();
    }
}

/* It took what there was, which is too little for an hour. */
static void who_took_what_it_could_while_the_process_stood_still_stays(void **state)
{
    (void)state;
    start(256, false);
    send_much();
    assert_true(slow_reader_take(&peer, 0, STEP));
    advance(HALF_MS + LATE_MS); /* a ping */
    assert_true(slow_reader_take(&peer, STEP, 4UL * STEP));
    advance(HOUR_MS);
    assert_true(jz_ws_is_open(connection()));
    finish();
}

/* What it took before it hung counts as progress once. */
static void who_takes_no_more_is_idle(void **state)
{
    (void)state;
    start(256, false);
    send_much();
    for (size_t taken = 0; taken < 4UL * STEP; taken += STEP) {
        assert_true(slow_reader_take(&peer, taken, STEP));
        advance(HALF_MS + LATE_MS);
        assert_true(jz_ws_is_open(connection()));
    }
    uint64_t deadline = test_deadline();
    while (jz_ws_is_open(connection()) && test_pause_before(deadline))
        advance(HALF_MS + LATE_MS);
    assert_false(jz_ws_is_open(connection()));
    finish();
}

static void who_takes_less_than_the_smallest_rate_is_idle(void **state)
{
    (void)state;
    start(64 * STEP, false);
    send_much();
    uint64_t deadline = test_deadline();
    for (size_t taken = 0; jz_ws_is_open(connection()) && test_pause_before(deadline); taken += STEP) {
        assert_true(taken + STEP <= MUCH / 8);
        assert_true(slow_reader_take(&peer, taken, STEP));
        advance(HALF_MS + LATE_MS);
    }
    assert_false(jz_ws_is_open(connection()));
    finish();
}

/* Its kernel accepts bytes as long as it has room, even if its program hangs. */
static void messages_that_are_taken_by_the_kernel_of_who_answers_no_ping_do_not_keep_it(void **state)
{
    (void)state;
    enum { PARTS = 5, SHORT_HEADER = 4 };
    static const size_t lengths[] = {1000, JZ_SEND_PORTION + 1}; /* the longer one in two portions */
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        uint8_t *news = slow_reader_message(lengths[i]);
        assert_non_null(news);
        start(256, false);
        advance(HALF_MS + LATE_MS);
        test_client_expect(&peer, JZ_OPCODE_PING, "", 0);
        for (int part = 0; part < PARTS; part++) {
            assert_true(jz_ws_is_open(connection()));
            jz_ws_send(connection(), JZ_MESSAGE_BINARY, news, lengths[i]);
            assert_true(slow_reader_skip(&peer, lengths[i] == 1000 ? SHORT_HEADER : HEADER));
            assert_true(slow_reader_take(&peer, 0, lengths[i]));
            advance((HALF_MS + LATE_MS) / PARTS);
        }
        assert_that(!jz_ws_is_open(connection()), "messages of %zu bytes keep it", lengths[i]);
        finish();
        free(news);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_takes_a_large_message_slowly_and_answers_the_pings_behind_it_stays),
        cmocka_unit_test(who_has_taken_all_has_as_long_to_read_it_as_to_take_more),
        cmocka_unit_test(who_took_what_it_could_while_the_process_stood_still_stays),
        cmocka_unit_test(who_takes_no_more_is_idle),
        cmocka_unit_test(who_takes_less_than_the_smallest_rate_is_idle),
        cmocka_unit_test(messages_that_are_taken_by_the_kernel_of_who_answers_no_ping_do_not_keep_it),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("slow takers", tests, NULL, NULL));
}
