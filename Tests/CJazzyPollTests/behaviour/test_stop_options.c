/* Servers that stop with a given code and reason, and spread the close frames over a time. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "support/client.h"
#include "support/clock.h"
#include "support/ended_server.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { CLIENTS = 6 };

static jz_server *server;
static journal seen;
static test_client clients[CLIENTS];
static const char restart[] = "service restart";
static atomic_size_t stoppings; /* close events with that cause */

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, "all", 3);
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
    if (event->type == JZ_EVENT_CLOSE && event->cause == JZ_CAUSE_STOPPING)
        stoppings++;
}

static void start_with(uint32_t threads, size_t count, jz_execution execution, journal_act does)
{
    const jz_options options = serving_options(threads);
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    stoppings = 0;
    server = ended_server_start(&seen, &options, &route, does, clients, count);
    assert_eventually(jz_server_subscriber_count(server, "all", 3) == (does == act ? count : 0));
}

static void start(uint32_t threads, size_t count)
{
    start_with(threads, count, JZ_EXECUTION_LOOP, act);
}

static jz_stop_options restarting(uint32_t grace_ms, uint32_t spread_ms)
{
    jz_stop_options options = jz_stop_options_default();
    options.grace_ms = grace_ms;
    options.close_code = JZ_CLOSE_SERVICE_RESTART;
    options.reason = restart;
    options.reason_length = sizeof restart - 1;
    options.spread_ms = spread_ms;
    return options;
}

static void stop_with(jz_stop_options options)
{
    assert_int_equal(jz_server_stop_with(server, &options, NULL), JZ_OK);
}

static void expect_restart(test_client *client)
{
    test_client_expect(client, JZ_OPCODE_CLOSE, "\x03\xF4service restart", 17);
}

static void answer(test_client *client)
{
    test_client_send_frame(client, &(test_frame)CLOSE(1012, ""));
    assert_true(test_client_sees_end(client));
}

static void finish(size_t count)
{
    ended_server_finish(server, &seen, clients, count);
}

static void code_and_reason_reach_every_client(void **state)
{
    (void)state;
    for (int execution = JZ_EXECUTION_LOOP; execution <= JZ_EXECUTION_WORKERS; execution++) {
        start_with(2, 4, (jz_execution)execution, act);
        stop_with(restarting(LONG_MS, 0));
        for (size_t i = 0; i < 4; i++) {
            expect_restart(&clients[i]);
            answer(&clients[i]);
        }
        assert_true(ended_server_wait(server) < SOON_MS);
        assert_int_equal(jz_server_ending(server).clean, 4);
        assert_int_equal(stoppings, 4);
        finish(4);
    }
}

#define LONG_REASON                                                                                                    \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "01234567890123456789012"

static const struct {
    const char *name;
    uint16_t code;
    const char *reason;
    const char *payload;
    size_t length;
} frames[] = {
    {"nothing is said", 1001, "", "\x03\xE9", 2},
    {"a code for applications", 4711, "\xC3\xA9", "\x12\x67\xC3\xA9", 4},
    {"no code", 1005, "left out", "", 0},
    {"what is only reported", 1006, "as 1001",
     "\x03\xE9"
     "as 1001",
     9},
    {"the longest reason", 1012, LONG_REASON, "\x03\xF4" LONG_REASON, 125},
    {"a longer one", 1012, LONG_REASON "3", "\x03\xF4" LONG_REASON, 125},
    {"one that is cut at a character's end", 1012, LONG_REASON "\xC3\xA9", "\x03\xF4" LONG_REASON, 125},
};

static void they_are_what_a_close_would_send(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        start(1, 1);
        jz_stop_options options = jz_stop_options_default();
        char reason[256];
        options.close_code = frames[i].code;
        options.reason_length = strlen(frames[i].reason);
        memcpy(reason, frames[i].reason, options.reason_length);
        options.reason = reason;
        stop_with(options);
        memset(reason, 0, sizeof reason); /* it was copied */
        test_client_expect(&clients[0], JZ_OPCODE_CLOSE, frames[i].payload, frames[i].length);
        finish(1);
    }
}

static void the_defaults_are_those_of_stopping(void **state)
{
    (void)state;
    start(1, 1);
    const jz_stop_options options = jz_stop_options_default();
    assert_int_equal(options.grace_ms, JZ_GRACE_AS_NEEDED);
    assert_int_equal(options.spread_ms, 0);
    stop_with(options);
    test_client_expect(&clients[0], JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
    finish(1);
}

static void what_cannot_be_sent_is_refused_and_the_server_goes_on(void **state)
{
    (void)state;
    static const uint16_t codes[] = {0, 999, 1004, 1016, 2999, 5000, 65535};
    start(1, 1);
    jz_error error;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        jz_stop_options options = restarting(0, 0);
        options.close_code = codes[i];
        assert_int_equal(jz_stop_options_check(&options, NULL), JZ_STATUS_INVALID_OPTION);
        assert_int_equal(jz_server_stop_with(server, &options, &error), JZ_STATUS_INVALID_OPTION);
        char what[64];
        snprintf(what, sizeof what, "close_code %u may not be sent; use 1000-1003", codes[i]);
        assert_non_null(strstr(error.message, what));
    }
    jz_stop_options options = restarting(0, 0);
    options.reason = "\xFF";
    options.reason_length = 1;
    assert_int_equal(jz_server_stop_with(server, &options, &error), JZ_STATUS_INVALID_OPTION);
    assert_non_null(strstr(error.message, "the reason is not UTF-8"));
    ended_server_expect_service(&clients[0]);
    assert_false(ended_server_refuses(server));
    finish(1);
}

/* Close frames at even intervals, never early, by the loops in turn. */
static void the_close_frames_are_spread_over_the_time(void **state)
{
    (void)state;
    enum { SPREAD_MS = 600 };
    for (uint32_t threads = 1; threads <= 2; threads++) {
        start(threads, CLIENTS);
        uint64_t began = test_real_clock_ms();
        stop_with(restarting(LONG_MS, SPREAD_MS));
        bool is_told[CLIENTS] = {false};
        for (size_t told = 0; told < CLIENTS;) {
            for (size_t i = 0; i < CLIENTS; i++) {
                if (is_told[i] || test_client_hears_nothing(&clients[i]))
                    continue;
                uint64_t after = test_real_clock_ms() - began;
                assert_that(after + 1 >= SPREAD_MS * told / CLIENTS, "number %zu after %u ms", told, (unsigned)after);
                expect_restart(&clients[i]);
                is_told[i] = true;
                told++;
            }
            assert_true(test_pause_before(UINT64_MAX));
        }
        for (size_t i = 0; i < CLIENTS; i++)
            answer(&clients[i]);
        assert_true(ended_server_wait(server) < SOON_MS);
        assert_int_equal(jz_server_ending(server).clean, CLIENTS);
        finish(CLIENTS);
    }
}

static uint64_t handshakes(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.handshakes;
}

/* Of two connections, the first is told at once, the second after half of the time, which never comes. */
static void who_is_not_told_yet_is_served_and_nobody_new_is_let_in(void **state)
{
    (void)state;
    for (int execution = JZ_EXECUTION_LOOP; execution <= JZ_EXECUTION_WORKERS; execution++) {
        start_with(1, 2, (jz_execution)execution, act);
        static test_client asking;
        assert_true(test_client_connect(&asking, jz_server_port(server), 0));
        assert_true(test_client_send(&asking, "GET / HT", 8));
        assert_eventually(handshakes() == 1);
        stop_with(restarting(LONG_MS, LONG_MS));
        size_t told = 2;
        assert_eventually(
            (told = test_client_hears_nothing(&clients[0]) ? 1 : 0, !test_client_hears_nothing(&clients[told])));
        test_client *other = &clients[1 - told];
        expect_restart(&clients[told]);
        assert_eventually(ended_server_refuses(server));
        assert_true(test_client_sees_end(&asking));
        test_client_close(&asking);
        ended_server_expect_service(other);
        assert_int_equal(jz_server_publish(server, "all", 3, JZ_MESSAGE_TEXT, "news", 4), JZ_SEND_SENT);
        test_client_expect(other, JZ_OPCODE_TEXT, "news", 4);
        answer(&clients[told]);
        ended_server_expect_service(other);

        /* Another call without a spread. The first call decides code and reason. */
        jz_server_stop_within(server, LONG_MS);
        expect_restart(other);
        assert_int_equal(jz_server_publish(server, "all", 3, JZ_MESSAGE_TEXT, "news", 4), JZ_SEND_CLOSED);
        answer(other);
        assert_true(ended_server_wait(server) < SOON_MS);
        assert_int_equal(jz_server_ending(server).clean, 2);
        finish(2);
    }
}

static void who_leaves_meanwhile_is_not_waited_for(void **state)
{
    (void)state;
    start(2, 4);
    stop_with(restarting(LONG_MS, LONG_MS));
    for (size_t i = 0; i < 4; i++)
        ended_server_leave(&clients[i]);
    assert_true(ended_server_wait(server) < SOON_MS);
    finish(4);

    /* The grace does not wait until they would have been told either. */
    start(1, 2);
    stop_with(restarting(SHORT_MS, LONG_MS));
    size_t told = 2;
    assert_eventually(
        (told = test_client_hears_nothing(&clients[0]) ? 1 : 0, !test_client_hears_nothing(&clients[told])));
    ended_server_leave(&clients[1 - told]);
    assert_true(ended_server_wait(server) < SOON_MS);
    assert_int_equal(jz_server_ending(server).cut_off, 1);
    finish(2);
}

static void the_grace_counts_from_the_last_close_frame(void **state)
{
    (void)state;
    start(1, 3);
    uint64_t began = test_real_clock_ms();
    stop_with(restarting(SHORT_MS, 3 * SHORT_MS));
    for (size_t i = 0; i < 3; i++)
        expect_restart(&clients[i]);
    ended_server_wait(server);
    uint64_t lasted = test_real_clock_ms() - began;
    assert_true(lasted + 1 >= 3 * SHORT_MS && lasted < SOON_MS); /* the last of three was told after two thirds */
    assert_int_equal(jz_server_ending(server).cut_off, 3);
    assert_int_equal(stoppings, 3);
    finish(3);
}

static void without_a_grace_all_are_told_before_they_are_cut_off(void **state)
{
    (void)state;
    static const uint32_t spreads[] = {0, 1, SHORT_MS};
    for (size_t i = 0; i < COUNT_OF(spreads); i++) {
        start(2, 4);
        stop_with(restarting(0, spreads[i]));
        assert_true(ended_server_wait(server) < SOON_MS);
        for (size_t k = 0; k < 4; k++)
            expect_restart(&clients[k]);
        assert_int_equal(stoppings, 4);
        finish(4);
    }
}

static void without_clients_it_stops_at_once(void **state)
{
    (void)state;
    static const uint32_t spreads[] = {0, SHORT_MS, LONG_MS, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(spreads); i++) {
        start(2, 0);
        stop_with(restarting(LONG_MS, spreads[i]));
        assert_true(ended_server_wait(server) < SOON_MS);
        finish(0);
    }
}

static void destroying_a_server_waits_for_no_spread(void **state)
{
    (void)state;
    start(2, 4);
    stop_with(restarting(LONG_MS, LONG_MS));
    uint64_t began = test_real_clock_ms();
    for (size_t i = 0; i < 4; i++)
        test_client_stop_sending(&clients[i]);
    finish(4);
    assert_true(test_real_clock_ms() - began < SOON_MS);
}

static void stop_in_handler(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    const jz_stop_options options = restarting(LONG_MS, 0);
    jz_server_stop_with(journal->context, &options, NULL);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "stopping", 8);
}

static void a_handler_may_say_so(void **state)
{
    (void)state;
    for (int execution = JZ_EXECUTION_LOOP; execution <= JZ_EXECUTION_WORKERS; execution++) {
        start_with(2, 2, (jz_execution)execution, stop_in_handler);
        test_client_send_frame(&clients[0], &(test_frame)TEXT("stop"));
        if (execution == JZ_EXECUTION_LOOP)
            test_client_expect(&clients[0], JZ_OPCODE_TEXT, "stopping", 8);
        expect_restart(&clients[1]);
        finish(2);
    }
}

static void stop_on_signal(int signal_number)
{
    (void)signal_number;
    const jz_stop_options options = restarting(LONG_MS, 0);
    jz_server_stop_with(server, &options, NULL);
}

static void so_may_a_signal_handler(void **state)
{
    (void)state;
    struct sigaction before;
    const struct sigaction action = {.sa_handler = stop_on_signal};
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    start(2, 2);
    raise(SIGUSR1);
    expect_restart(&clients[0]);
    expect_restart(&clients[1]);
    finish(2);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

enum { STOPPERS = 4 };

static atomic_size_t ready;

static void *stop_as_others_do(void *number)
{
    jz_stop_options options = jz_stop_options_default();
    char reason[100];
    options.close_code = (uint16_t)(4000 + (uintptr_t)number);
    memset(reason, 'a' + (int)(uintptr_t)number, sizeof reason);
    options.reason = reason;
    options.reason_length = sizeof reason;
    ready++;
    while (ready < STOPPERS)
        continue;
    jz_server_stop_with(server, &options, NULL);
    return NULL;
}

static void of_several_at_once_one_decides_for_all(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        start(4, 4);
        ready = 0;
        pthread_t threads[STOPPERS];
        for (uintptr_t i = 0; i < STOPPERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, stop_as_others_do, (void *)i), 0);
        for (size_t i = 0; i < STOPPERS; i++)
            pthread_join(threads[i], NULL);
        char said[102] = "";
        for (size_t i = 0; i < 4; i++) {
            test_received frame;
            assert_true(test_client_take_frame(&clients[i], &frame));
            assert_int_equal(frame.length, sizeof said);
            if (i == 0)
                memcpy(said, frame.payload, sizeof said);
            assert_memory_equal(frame.payload, said, sizeof said);
            for (size_t k = 2; k < sizeof said; k++)
                assert_int_equal(said[k], 'a' + (uint8_t)said[1] - (4000 & 0xFF));
            answer(&clients[i]);
        }
        finish(4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(code_and_reason_reach_every_client),
        test_without_leaks(they_are_what_a_close_would_send),
        test_without_leaks(the_defaults_are_those_of_stopping),
        test_without_leaks(what_cannot_be_sent_is_refused_and_the_server_goes_on),
        test_without_leaks(the_close_frames_are_spread_over_the_time),
        test_without_leaks(who_is_not_told_yet_is_served_and_nobody_new_is_let_in),
        test_without_leaks(who_leaves_meanwhile_is_not_waited_for),
        test_without_leaks(the_grace_counts_from_the_last_close_frame),
        test_without_leaks(without_a_grace_all_are_told_before_they_are_cut_off),
        test_without_leaks(without_clients_it_stops_at_once),
        test_without_leaks(destroying_a_server_waits_for_no_spread),
        test_without_leaks(a_handler_may_say_so),
        test_without_leaks(so_may_a_signal_handler),
        test_without_leaks(of_several_at_once_one_decides_for_all),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("stop options", tests, NULL, NULL));
}
