/* Watching open WebSockets: idle time-outs, lifetimes, and jumps of time. The tests advance the clock. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "loop/timer.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    IDLE_MS = 10000,
    HALF_MS = IDLE_MS / 2,
    LATE_MS = 2 * JZ_TICK_MS, /* events must have happened this much later */
    EARLY_MS = JZ_TICK_MS,    /* and not that much earlier */
    HOUR_MS = 3600 * 1000,
    HUGE = 48 * 1024 * 1024 /* bytes, more than any kernel keeps for a connection */
};

static jz_server *server;
static journal seen;
static test_client peer;

static void advance(uint64_t by_ms)
{
    test_clock_advance(by_ms);
    bystander_let_turn();
}

static jz_route_options route_options(uint32_t idle_timeout_ms)
{
    jz_route_options options = jz_route_options_default();
    options.idle_timeout_ms = idle_timeout_ms;
    return options;
}

static void start_with(const jz_options *options, const jz_route_options *route)
{
    test_clock_stop(test_real_clock_ms());
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    const serving_route routes[] = {{"/", journal_handle, &seen, route}, BYSTANDER_ROUTE};
    server = serving_start(options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    bystander_let_turn();
}

static void start(const jz_route_options *route)
{
    const jz_options options = serving_options(1);
    start_with(&options, route);
}

static jz_ws connection(void)
{
    return journal_handle_of(&seen, 0);
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

static void expect_ping(void)
{
    test_client_expect(&peer, JZ_OPCODE_PING, "", 0);
}

static void expect_idle_close(void)
{
    test_received frame;
    assert_true(test_client_take_frame(&peer, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_true(frame.length > 2);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_GOING_AWAY);
}

/* Nothing is sent until that much time has passed, and then what `expect` says. */
static void expect_after(uint64_t after_ms, void (*expect)(void))
{
    advance(after_ms - EARLY_MS);
    assert_true(test_client_hears_nothing(&peer));
    advance(EARLY_MS + LATE_MS);
    expect();
}

static void expect_journal_of_idle(void)
{
    char text[256];
    snprintf(text, sizeof text, "open error(%s) close(1001 unclean)", jz_failure_text(JZ_FAILURE_IDLE_TIMEOUT));
    journal_expect(&seen, 1, text);
}

static void silence_is_followed_by_a_ping_and_by_the_end(void **state)
{
    (void)state;
    const jz_route_options route = route_options(IDLE_MS);
    start(&route);
    expect_after(HALF_MS, expect_ping);
    assert_true(jz_ws_is_open(connection()));
    expect_after(HALF_MS, expect_idle_close);
    assert_false(jz_ws_is_open(connection()));
    expect_journal_of_idle();
    finish();
}

static const struct {
    const char *name;
    test_frame frame;
    uint8_t answer; /* an opcode; 0: there is none */
} signs_of_life[] = {
    {"the answer to the ping", PONG(""), 0},       {"another pong", PONG("x"), 0},
    {"a ping", PING("x"), JZ_OPCODE_PONG},         {"a message", TEXT("x"), 0},
    {"the first byte of a frame", RAW("\x81"), 0},
};

static void expect_signs_of_life(const jz_route_options *route)
{
    for (size_t i = 0; i < COUNT_OF(signs_of_life); i++) {
        start(route);
        expect_after(HALF_MS, expect_ping);
        advance(HALF_MS / 2);
        test_client_send_frame(&peer, &signs_of_life[i].frame);
        bystander_let_turn();
        if (signs_of_life[i].answer != 0)
            test_client_expect(&peer, signs_of_life[i].answer, "x", 1);
        advance(HALF_MS - EARLY_MS);
        assert_that(test_client_hears_nothing(&peer), "%s", signs_of_life[i].name);
        advance(EARLY_MS + LATE_MS);
        expect_ping();
        assert_true(jz_ws_is_open(connection()));
        finish();
    }
}

static void any_byte_shows_that_the_peer_is_there(void **state)
{
    (void)state;
    jz_route_options route = route_options(IDLE_MS);
    expect_signs_of_life(&route);
    /* Also if the handler does not want to see pings and pongs. */
    route.control_messages = false;
    expect_signs_of_life(&route);
}

static void who_sends_is_not_pinged(void **state)
{
    (void)state;
    const jz_route_options route = route_options(IDLE_MS);
    start(&route);
    for (int i = 0; i < 10; i++) {
        advance(HALF_MS - EARLY_MS);
        test_client_send_frame(&peer, &(test_frame)TEXT("x"));
        bystander_let_turn();
        assert_true(test_client_hears_nothing(&peer));
    }
    expect_after(HALF_MS, expect_ping);
    finish();
}

static const struct {
    uint32_t server_ms;
    uint32_t route_ms; /* 0: the server's */
    uint32_t idle_ms;  /* what counts */
} choices[] = {
    {IDLE_MS, 0, IDLE_MS},           {IDLE_MS, 2 * IDLE_MS, 2 * IDLE_MS},
    {2 * IDLE_MS, IDLE_MS, IDLE_MS}, {JZ_NEVER, IDLE_MS, IDLE_MS},
    {86400000, 0, 86400000},
};

static void the_route_s_time_out_goes_before_the_server_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        jz_options options = serving_options(1);
        options.idle_timeout_ms = choices[i].server_ms;
        const jz_route_options route = route_options(choices[i].route_ms);
        start_with(&options, &route);
        expect_after(choices[i].idle_ms / 2, expect_ping);
        expect_after(choices[i].idle_ms / 2, expect_idle_close);
        finish();
    }
}

static void a_time_out_that_never_passes_does_not(void **state)
{
    (void)state;
    jz_options options = serving_options(1);
    for (int of_route = 0; of_route < 2; of_route++) {
        options.idle_timeout_ms = of_route ? IDLE_MS : JZ_NEVER;
        const jz_route_options route = route_options(of_route ? JZ_NEVER : 0);
        start_with(&options, &route);
        for (int i = 0; i < 10; i++)
            advance(100ULL * HOUR_MS);
        assert_true(test_client_hears_nothing(&peer));
        test_client_send_frame(&peer, &(test_frame)PING("x"));
        test_client_expect(&peer, JZ_OPCODE_PONG, "x", 1);
        finish();
    }
}

static void who_is_not_read_from_is_not_idle(void **state)
{
    (void)state;
    const jz_route_options route = route_options(IDLE_MS);
    start(&route);
    /* Neither is a connection, the second time, that was pinged before. */
    for (int round = 0; round < 2; round++) {
        assert_int_equal(jz_ws_pause_reading(connection()), JZ_SEND_QUEUED);
        bystander_let_turn();
        for (int i = 0; i < 10; i++)
            advance(HALF_MS + LATE_MS);
        assert_true(test_client_hears_nothing(&peer));
        assert_int_equal(jz_ws_resume_reading(connection()), JZ_SEND_QUEUED);
        bystander_let_turn();
        expect_after(HALF_MS, expect_ping);
    }
    expect_after(HALF_MS, expect_idle_close);
    finish();
}

static void send_what_the_kernel_does_not_take(void)
{
    void *message = calloc(1, HUGE);
    assert_non_null(message);
    assert_int_equal(jz_ws_send(connection(), JZ_MESSAGE_BINARY, message, HUGE), JZ_SEND_QUEUED);
    free(message);
    bystander_let_turn();
    assert_true(jz_ws_buffered_amount(connection()) > 0);
}

static void start_with_much_output(void)
{
    jz_route_options route = route_options(IDLE_MS);
    route.backpressure_limit = 2UL * HUGE;
    jz_options options = serving_options(1);
    options.mailbox_limit = 2UL * HUGE;
    start_with(&options, &route);
    send_what_the_kernel_does_not_take();
}

/* The clock goes faster than the peer's kernel, which takes as much as it can keep. */
static void expect_idle_when_nothing_moves(void)
{
    uint64_t deadline = test_deadline();
    while (jz_ws_is_open(connection()) && test_pause_before(deadline))
        advance(HALF_MS + LATE_MS);
    assert_false(jz_ws_is_open(connection()));
}

static void a_peer_that_reads_nothing_is_idle(void **state)
{
    (void)state;
    start_with_much_output();
    advance(HALF_MS + LATE_MS);
    assert_true(jz_ws_is_open(connection()));
    expect_idle_when_nothing_moves();
    expect_journal_of_idle();
    finish();
}

/* Its kernel shows that, because the peer sends nothing. */
static void a_peer_that_reads_slowly_is_not_idle(void **state)
{
    (void)state;
    start_with_much_output();
    for (int i = 0; i < 6; i++) {
        size_t before = jz_ws_buffered_amount(connection());
        uint64_t deadline = test_deadline();
        while (jz_ws_buffered_amount(connection()) == before && test_is_before(deadline)) {
            assert_true(test_client_receive(&peer, sizeof peer.bytes / 2));
            peer.start = 0;
            peer.end = 0;
            bystander_let_turn();
        }
        assert_true(jz_ws_buffered_amount(connection()) > 0);
        advance(HALF_MS);
        assert_true(jz_ws_is_open(connection()));
    }
    expect_idle_when_nothing_moves();
    expect_journal_of_idle();
    finish();
}

static jz_route_options route_that_ends(uint32_t idle_timeout_ms)
{
    jz_route_options options = route_options(idle_timeout_ms);
    options.max_lifetime_ms = 3 * IDLE_MS;
    return options;
}

static void expect_end_of_life(void)
{
    static const char reason[] = "\x03\xE9the connection has reached its maximum lifetime";
    test_client_expect(&peer, JZ_OPCODE_CLOSE, reason, sizeof reason - 1);
}

static void a_lifetime_ends_also_of_who_is_busy(void **state)
{
    (void)state;
    static const uint32_t idle[] = {JZ_NEVER, IDLE_MS};
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        const jz_route_options route = route_that_ends(idle[i]);
        start(&route);
        for (int k = 0; k < 9; k++) {
            advance(3 * IDLE_MS / 10);
            test_client_send_frame(&peer, &(test_frame)PING("x"));
            test_client_expect(&peer, JZ_OPCODE_PONG, "x", 1);
        }
        expect_after(3 * IDLE_MS / 10, expect_end_of_life);
        test_client_send_frame(&peer, &(test_frame)CLOSE(1001, ""));
        assert_true(test_client_sees_end(&peer));
        assert_eventually(seen.closes == 1);
        assert_non_null(strstr(seen.text, "close(1001 clean)"));
        assert_null(strstr(seen.text, "error"));
        finish();
    }
}

static void a_lifetime_ends_also_of_who_is_not_read_from(void **state)
{
    (void)state;
    const jz_route_options route = route_that_ends(IDLE_MS);
    start(&route);
    assert_int_equal(jz_ws_pause_reading(connection()), JZ_SEND_QUEUED);
    bystander_let_turn();
    expect_after(3 * IDLE_MS, expect_end_of_life);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&peer));
    journal_expect(&seen, 1, "open close(1001 clean)");
    finish();
}

/* As after a suspension of the machine. */
static void a_jump_of_the_clock_ends_nobody_who_was_not_pinged(void **state)
{
    (void)state;
    const jz_route_options route = route_options(IDLE_MS);
    start(&route);
    for (int i = 0; i < 3; i++) {
        advance(HOUR_MS);
        expect_ping();
        assert_true(test_client_hears_nothing(&peer));
        test_client_send_frame(&peer, &(test_frame)PONG(""));
        bystander_let_turn();
    }
    assert_true(jz_ws_is_open(connection()));
    finish();
}

static void a_jump_of_the_clock_ends_nobody_whose_answer_is_there(void **state)
{
    (void)state;
    const jz_route_options route = route_options(IDLE_MS);
    start(&route);
    expect_after(HALF_MS, expect_ping);
    bystander_hold_loop();
    test_client_send_frame(&peer, &(test_frame)PONG(""));
    assert_eventually(test_client_has_delivered(&peer));
    test_clock_advance(HOUR_MS);
    bystander_release_loop();
    bystander_let_turn();
    assert_true(jz_ws_is_open(connection()));
    assert_true(test_client_hears_nothing(&peer));
    expect_after(HALF_MS, expect_ping);
    /* A peer that does not answer is ended. */
    advance(HOUR_MS);
    expect_idle_close();
    finish();
}

static void jumps_of_the_date_do_nothing(void **state)
{
    (void)state;
    static const int64_t dates[] = {0, 4000000000, 1, 253402300799};
    const jz_route_options route = route_options(IDLE_MS);
    start(&route);
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        test_date_stop(dates[i]);
        bystander_let_turn();
    }
    expect_after(HALF_MS, expect_ping);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_followed_by_a_ping_and_by_the_end),
        cmocka_unit_test(any_byte_shows_that_the_peer_is_there),
        cmocka_unit_test(who_sends_is_not_pinged),
        cmocka_unit_test(the_route_s_time_out_goes_before_the_server_s),
        cmocka_unit_test(a_time_out_that_never_passes_does_not),
        cmocka_unit_test(who_is_not_read_from_is_not_idle),
        cmocka_unit_test(a_peer_that_reads_nothing_is_idle),
        cmocka_unit_test(a_peer_that_reads_slowly_is_not_idle),
        cmocka_unit_test(a_lifetime_ends_also_of_who_is_busy),
        cmocka_unit_test(a_lifetime_ends_also_of_who_is_not_read_from),
        cmocka_unit_test(a_jump_of_the_clock_ends_nobody_who_was_not_pinged),
        cmocka_unit_test(a_jump_of_the_clock_ends_nobody_whose_answer_is_there),
        cmocka_unit_test(jumps_of_the_date_do_nothing),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("watching connections", tests, NULL, NULL));
}
