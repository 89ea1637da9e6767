/* Draining servers stop listening, and serve their clients until the last has left. */
#define _POSIX_C_SOURCE 200809L

#include "shard/errand.h"
#include "shard/server.h"
#include "shard/stop_request.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/ended_server.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { CLIENTS = 12 };

static jz_server *server;
static journal seen;
static test_client clients[CLIENTS];
static test_client late;

/* Echoes, and drains and waits as the test says. */
static struct {
    atomic_bool is_held;
    atomic_bool holds;
} loop;

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, "all", 3);
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (message->length == 5 && memcmp(message->bytes, "drain", 5) == 0)
        jz_server_drain(journal->context, JZ_NEVER);
    loop.holds = loop.is_held;
    test_hold_while(loop.is_held);
    jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void start_with(const jz_options *options, size_t count)
{
    server = ended_server_start(&seen, options, NULL, act, clients, count);
}

static void start(uint32_t threads, size_t count)
{
    const jz_options options = serving_options(threads);
    start_with(&options, count);
}

static void finish(size_t count)
{
    ended_server_finish(server, &seen, clients, count);
}

static void expect_end_soon(void)
{
    assert_true(ended_server_wait(server) < SOON_MS);
}

static void expect_clean_ending(uint64_t clean)
{
    jz_ending ending = jz_server_ending(server);
    assert_int_equal(ending.clean, clean);
    /* There may be other connections: probes that check whether it still listens. */
    assert_int_equal(ending.unclean + ending.cut_off, 0);
}

static bool is_running(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.connections > 0;
}

static void it_serves_until_the_last_client_has_left(void **state)
{
    (void)state;
    static const uint32_t threads[] = {1, 4};
    static const jz_accepting ways[] = {JZ_ACCEPTING_SHARED_PORT, JZ_ACCEPTING_HAND_OVER};
    static const uint32_t deadlines[] = {JZ_NEVER, LONG_MS};
    for (size_t i = 0; i < 8; i++) {
        jz_options options = serving_options(threads[i & 1]);
        options.accepting = ways[i >> 1 & 1];
        start_with(&options, CLIENTS);
        jz_server_drain(server, deadlines[i >> 2]);
        assert_eventually(ended_server_refuses(server));
        for (size_t k = 0; k < CLIENTS; k++) {
            for (size_t n = k; n < CLIENTS; n++)
                ended_server_expect_service(&clients[n]);
            assert_true(is_running());
            ended_server_leave(&clients[k]);
        }
        expect_end_soon();
        expect_clean_ending(0); /* no connection was left when it stopped */
        finish(CLIENTS);
    }
}

/* Publications are posted to every loop: a loop without clients must take them, too, until all loops end together. */
static void a_loop_without_clients_does_not_keep_the_others_from_publishing(void **state)
{
    (void)state;
    enum { LOOPS = 3, SIZE = 1024, TIMES = 200 };
    static const uint8_t message[SIZE] = {1};
    jz_options options = serving_options(LOOPS);
    options.mailbox_limit = 64 * 1024; /* less than all of them together */
    for (size_t first = 0; first < LOOPS; first++) {
        start_with(&options, LOOPS);
        jz_server_drain(server, JZ_NEVER);
        assert_eventually(ended_server_refuses(server));
        ended_server_leave(&clients[first]);
        for (size_t i = 0; i < TIMES; i++) {
            assert_eventually(jz_server_publish(server, "all", 3, JZ_MESSAGE_BINARY, message, SIZE) == JZ_SEND_SENT);
            for (size_t k = 0; k < LOOPS; k++) {
                if (k != first)
                    test_client_expect(&clients[k], JZ_OPCODE_BINARY, message, SIZE);
            }
        }
        for (size_t k = 0; k < LOOPS; k++) {
            if (k != first)
                ended_server_leave(&clients[k]);
        }
        expect_end_soon();
        finish(LOOPS);
    }
}

static void without_clients_it_stops_at_once(void **state)
{
    (void)state;
    static const uint32_t deadlines[] = {0, SHORT_MS, LONG_MS, JZ_NEVER};
    for (size_t i = 0; i < COUNT_OF(deadlines); i++) {
        start(i % 2 == 0 ? 4 : 1, 0);
        jz_server_drain(server, deadlines[i]);
        expect_end_soon();
        finish(0);
    }
}

static void expect_going_away(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_client_expect(&clients[i], JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
        test_client_send_frame(&clients[i], &(test_frame)CLOSE(1001, ""));
        assert_true(test_client_sees_end(&clients[i]));
    }
    expect_end_soon();
    expect_clean_ending(count);
}

static void at_the_deadline_it_stops(void **state)
{
    (void)state;
    enum { DEADLINE_MS = 20000 }; /* by a clock that jumps, so that a machine that stands still serves in time, too */
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        start(threads, 3);
        jz_server_drain(server, DEADLINE_MS);
        for (int half = 0; half < 2; half++) {
            for (size_t i = 0; i < 3; i++)
                ended_server_expect_service(&clients[i]);
            test_clock_jump(DEADLINE_MS / 2);
            jz_server_wake_all(server);
        }
        expect_going_away(3);
        finish(3);
        test_clocks_run();
    }
}

static void of_two_deadlines_the_first_counts(void **state)
{
    (void)state;
    static const uint32_t deadlines[][2] = {{JZ_NEVER, SHORT_MS}, {LONG_MS, 0}, {SHORT_MS, JZ_NEVER}, {0, LONG_MS}};
    for (size_t i = 0; i < COUNT_OF(deadlines); i++) {
        start(2, 3);
        jz_server_drain(server, deadlines[i][0]);
        assert_eventually(ended_server_refuses(server));
        jz_server_drain(server, deadlines[i][1]);
        expect_going_away(3);
        finish(3);
    }
}

static void stopping_cuts_draining_short(void **state)
{
    (void)state;
    start(2, 3);
    jz_server_drain(server, JZ_NEVER);
    assert_eventually(ended_server_refuses(server));
    ended_server_expect_service(&clients[2]);
    jz_server_stop_within(server, LONG_MS);
    expect_going_away(3);
    finish(3);

    start(2, 3);
    jz_server_drain(server, JZ_NEVER);
    jz_server_stop_within(server, 0);
    expect_end_soon();
    assert_int_equal(jz_server_ending(server).cut_off, 3);
    finish(3);
}

static void draining_after_stopping_does_nothing(void **state)
{
    (void)state;
    start(2, 3);
    jz_server_stop_within(server, LONG_MS);
    jz_server_drain(server, JZ_NEVER);
    expect_going_away(3);
    finish(3);
}

static void a_handler_may_say_so(void **state)
{
    (void)state;
    start(2, 2);
    test_client_send_frame(&clients[0], &(test_frame)TEXT("drain"));
    test_client_expect(&clients[0], JZ_OPCODE_TEXT, "drain", 5);
    assert_eventually(ended_server_refuses(server));
    ended_server_expect_service(&clients[1]);
    ended_server_leave(&clients[0]);
    ended_server_expect_service(&clients[1]);
    ended_server_leave(&clients[1]);
    expect_end_soon();
    finish(2);
}

/* Clients that had connected before draining began must be served. */
static void who_waits_to_be_accepted_is_served(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        start(threads, 1);
        loop.holds = false;
        loop.is_held = true; /* the loop that accepts: the first connection is its own */
        test_client_send_frame(&clients[0], &(test_frame)TEXT("x"));
        assert_eventually(loop.holds);
        for (size_t i = 1; i < 6; i++) {
            assert_true(test_client_connect(&clients[i], jz_server_port(server), 0));
            assert_true(test_client_send(&clients[i], UPGRADE_REQUEST("/"), sizeof UPGRADE_REQUEST("/") - 1));
        }
        jz_server_drain(server, JZ_NEVER);
        loop.is_held = false;
        test_client_expect(&clients[0], JZ_OPCODE_TEXT, "x", 1);
        ended_server_leave(&clients[0]);
        for (size_t i = 1; i < 6; i++) {
            assert_int_equal(test_client_take_head(&clients[i]), 101);
            ended_server_expect_service(&clients[i]);
        }
        for (size_t i = 1; i < 6; i++)
            ended_server_leave(&clients[i]);
        expect_end_soon();
        finish(6);
    }
}

static void a_handshake_under_way_is_finished(void **state)
{
    (void)state;
    static const char request[] = UPGRADE_REQUEST("/");
    start(1, 0);
    assert_true(test_client_connect(&clients[0], jz_server_port(server), 0));
    assert_true(test_client_send(&clients[0], request, 30));
    assert_eventually(is_running());
    jz_server_drain(server, JZ_NEVER);
    assert_eventually(ended_server_refuses(server));
    assert_true(test_client_send(&clients[0], request + 30, sizeof request - 1 - 30));
    assert_int_equal(test_client_take_head(&clients[0]), 101);
    ended_server_expect_service(&clients[0]);
    ended_server_leave(&clients[0]);
    expect_end_soon();
    finish(1);
}

static uint64_t iterations(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.iterations;
}

/* Wakes the loops until they have made that many iterations. */
static void let_turn(uint64_t count)
{
    uint64_t before = iterations();
    jz_server_wake_all(server);
    uint64_t deadline = test_deadline();
    while (iterations() < before + count && test_pause_before(deadline))
        continue;
}

static void drain_in_close_event(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)message;
    if (event->type != JZ_EVENT_CLOSE || journal->closes == 0)
        return;
    /* The loop without clients looks, sees this one, and sleeps. */
    jz_server_drain(journal->context, JZ_NEVER);
    let_turn(1);
}

static void the_last_client_may_leave_while_other_loops_go_to_sleep(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        start(2, 2);
        seen.act = drain_in_close_event;
        ended_server_leave(&clients[0]);
        assert_eventually(seen.closes == 1);
        ended_server_leave(&clients[1]);
        expect_end_soon();
        finish(2);
    }
}

/* White box: the kernel refuses to watch a descriptor that is none, as it does where its memory is used up. */
static void a_connection_that_fails_to_begin_may_be_the_last(void **state)
{
    (void)state;
    start(2, 0);
    jz_refusal why;
    assert_true(jz_admission_enter(&server->admission, &why));
    jz_server_drain(server, JZ_NEVER);
    assert_eventually(server->listening_count == 0);
    for (int i = 0; i < 5; i++)
        let_turn(2); /* both have looked, and sleep */
    const jz_arrival arrival = {.descriptor = -1};
    assert_int_equal(jz_errand_hand_over(&server->shards[1], &arrival), JZ_SEND_QUEUED);
    expect_end_soon();
    finish(0);
}

static void who_publishes_when_all_have_left_is_told_so(void **state)
{
    (void)state;
    start(3, 1);
    jz_server_drain(server, JZ_NEVER);
    assert_int_equal(jz_server_publish(server, "all", 3, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    test_client_expect(&clients[0], JZ_OPCODE_TEXT, "x", 1);
    ended_server_leave(&clients[0]);
    assert_eventually(!is_running());
    for (int i = 0; i < 200; i++)
        assert_int_equal(jz_server_publish(server, "all", 3, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    expect_end_soon();
    assert_int_equal(jz_server_publish(server, "all", 3, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    finish(1);
}

static void a_successor_listens_meanwhile(void **state)
{
    (void)state;
    start(2, 2);
    uint16_t port = jz_server_port(server);
    jz_server_drain(server, JZ_NEVER);
    assert_eventually(ended_server_refuses(server));
    static journal of_successor;
    of_successor = (journal)JOURNAL_INITIALIZER;
    jz_server *successor = jz_server_create(NULL, NULL);
    assert_non_null(successor);
    assert_int_equal(jz_server_route_ws(successor, "/", NULL, journal_handle, &of_successor, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(successor, "127.0.0.1", port, NULL), JZ_OK);
    assert_int_equal(jz_server_start(successor, NULL), JZ_OK);
    assert_true(test_client_open(&late, port, UPGRADE_REQUEST("/")));
    assert_eventually(of_successor.opens == 1);
    ended_server_expect_service(&clients[0]);
    test_client_close(&late);
    ended_server_leave(&clients[0]);
    ended_server_leave(&clients[1]);
    expect_end_soon();
    assert_int_equal(seen.opens, 2);
    jz_server_destroy(successor);
    finish(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(it_serves_until_the_last_client_has_left),
        test_without_leaks(a_loop_without_clients_does_not_keep_the_others_from_publishing),
        test_without_leaks(without_clients_it_stops_at_once),
        test_without_leaks(at_the_deadline_it_stops),
        test_without_leaks(of_two_deadlines_the_first_counts),
        test_without_leaks(stopping_cuts_draining_short),
        test_without_leaks(draining_after_stopping_does_nothing),
        test_without_leaks(a_handler_may_say_so),
        test_without_leaks(who_waits_to_be_accepted_is_served),
        test_without_leaks(a_handshake_under_way_is_finished),
        test_without_leaks(the_last_client_may_leave_while_other_loops_go_to_sleep),
        test_without_leaks(a_connection_that_fails_to_begin_may_be_the_last),
        test_without_leaks(who_publishes_when_all_have_left_is_told_so),
        test_without_leaks(a_successor_listens_meanwhile),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("draining", tests, NULL, NULL));
}
