/* Stopping servers: how long they wait, for which connections, and how these ended. */
#define _POSIX_C_SOURCE 200809L

#include "support/client.h"
#include "support/clock.h"
#include "support/ended_server.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MUCH = 24 * 1024 * 1024 };

static jz_server *server;
static journal seen;
static test_client clients[6];

static void start_with(const jz_options *options, size_t count, journal_act act)
{
    server = ended_server_start(&seen, options, NULL, act, clients, count);
}

static void start(size_t count)
{
    const jz_options options = serving_options(2);
    start_with(&options, count, NULL);
}

static void expect_close(test_client *client)
{
    test_client_expect(client, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
}

static void answer(test_client *client)
{
    test_client_send_frame(client, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(client));
}

static void expect_ending(uint64_t clean, uint64_t unclean, uint64_t cut_off, uint64_t others)
{
    jz_ending ending = jz_server_ending(server);
    assert_int_equal(ending.clean, clean);
    assert_int_equal(ending.unclean, unclean);
    assert_int_equal(ending.cut_off, cut_off);
    assert_int_equal(ending.others, others);
}

/* Ends the grace of who is left when all others have gone, however long they took. */
static void end_grace_of_the_last(void)
{
    jz_statistics statistics;
    assert_eventually((jz_server_statistics(server, &statistics), statistics.connections == 1));
    jz_server_stop_within(server, 0);
}

static void finish(size_t count)
{
    ended_server_finish(server, &seen, clients, count);
}

static void each_connection_is_counted_as_it_ended(void **state)
{
    (void)state;
    start(5);
    static test_client silent;
    assert_true(test_client_connect(&silent, jz_server_port(server), 0));
    assert_true(test_client_connect(&clients[5], jz_server_port(server), 0));
    assert_true(test_client_send(&clients[5], "GET / HT", 8));
    /* Clients that have left before do not count. */
    test_client_send_frame(&clients[4], &(test_frame)CLOSE(1000, ""));
    assert_true(test_client_sees_end(&clients[4]));
    jz_statistics statistics;
    do
        jz_server_statistics(server, &statistics);
    while (statistics.handshakes != 2 || statistics.connections != 6);
    expect_ending(0, 0, 0, 0);

    jz_server_stop_within(server, LONG_MS);
    for (size_t i = 0; i < 4; i++)
        expect_close(&clients[i]);
    answer(&clients[0]);
    answer(&clients[1]);
    test_client_close(&clients[2]); /* without an answer; and clients[3] does nothing */
    end_grace_of_the_last();
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(2, 1, 1, 2);
    assert_true(test_client_sees_end(&clients[3]));
    assert_true(test_client_sees_end(&silent));
    test_client_close(&silent);
    finish(6);
}

static void a_server_whose_clients_answer_does_not_wait_longer(void **state)
{
    (void)state;
    start(3);
    jz_server_stop_within(server, LONG_MS);
    for (size_t i = 0; i < 3; i++) {
        expect_close(&clients[i]);
        answer(&clients[i]);
    }
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(3, 0, 0, 0);
    finish(3);
}

static void a_server_without_clients_stops_at_once(void **state)
{
    (void)state;
    static const uint32_t graces[] = {0, SHORT_MS, LONG_MS, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(graces); i++) {
        start(0);
        jz_server_stop_within(server, graces[i]);
        assert_true(ended_server_wait(server) < SOON_MS);
        expect_ending(0, 0, 0, 0);
        finish(0);
    }
}

static void silent_clients_are_cut_off_when_the_grace_is_over_and_not_before(void **state)
{
    (void)state;
    start(2);
    uint64_t began = test_real_clock_ms();
    jz_server_stop_within(server, SHORT_MS);
    expect_close(&clients[0]);
    expect_close(&clients[1]);
    ended_server_wait(server);
    uint64_t lasted = test_real_clock_ms() - began;
    assert_true(lasted >= SHORT_MS && lasted < SOON_MS);
    expect_ending(0, 0, 2, 0);
    journal_expect(&seen, 2, "open open close(1006 unclean) close(1006 unclean)");
    finish(2);
}

static void a_loop_that_comes_late_cuts_off_who_is_silent_all_the_same(void **state)
{
    (void)state;
    const jz_options options = serving_options(1);
    test_clock_stop(test_real_clock_ms());
    start_with(&options, 2, NULL);
    jz_server_stop_within(server, SHORT_MS);
    expect_close(&clients[0]);
    expect_close(&clients[1]);
    test_clock_advance(10 * SHORT_MS); /* beyond the grace, and beyond each connection's own time-out */
    assert_true(ended_server_wait(server) < SOON_MS);
    test_clocks_run();
    expect_ending(0, 0, 2, 0);
    finish(2);
}

static void stopping_without_a_grace_takes_the_close_time_out(void **state)
{
    (void)state;
    jz_options options = serving_options(2);
    options.close_timeout_ms = SHORT_MS;
    start_with(&options, 1, NULL);
    uint64_t began = test_real_clock_ms();
    jz_server_stop(server);
    expect_close(&clients[0]);
    ended_server_wait(server);
    uint64_t lasted = test_real_clock_ms() - began;
    assert_true(lasted >= SHORT_MS && lasted < SOON_MS);
    expect_ending(0, 0, 1, 0);
    finish(1);
}

static void no_grace_at_all_ends_everybody_at_once(void **state)
{
    (void)state;
    start(3);
    jz_server_stop_within(server, 0);
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(0, 0, 3, 0);
    for (size_t i = 0; i < 3; i++)
        expect_close(&clients[i]);
    finish(3);
}

static void of_two_calls_the_one_that_is_over_first_counts(void **state)
{
    (void)state;
    static const uint32_t graces[][2] = {{LONG_MS, SHORT_MS}, {SHORT_MS, LONG_MS}, {LONG_MS, 0}, {0, LONG_MS}};
    for (size_t i = 0; i < COUNT_OF(graces); i++) {
        start(2);
        jz_server_stop_within(server, graces[i][0]);
        expect_close(&clients[0]);
        expect_close(&clients[1]);
        jz_server_stop_within(server, graces[i][1]);
        assert_true(ended_server_wait(server) < SOON_MS);
        expect_ending(0, 0, 2, 0);
        finish(2);
    }
}

static void send_much(void)
{
    void *message = calloc(1, MUCH);
    assert_non_null(message);
    jz_ws ws = journal_handle_of(&seen, 0);
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_BINARY, message, MUCH), JZ_SEND_QUEUED);
    free(message);
    assert_eventually(jz_ws_buffered_amount(ws) > 0);
}

static void start_with_much_output(void)
{
    jz_options options = serving_options(1);
    options.backpressure_limit = 2UL * MUCH;
    options.mailbox_limit = 2UL * MUCH;
    options.close_timeout_ms = 100; /* which does not count while a server stops */
    start_with(&options, 1, NULL);
    send_much();
}

static void slow_output_is_delivered_within_the_grace(void **state)
{
    (void)state;
    start_with_much_output();
    jz_server_stop_within(server, LONG_MS);
    uint64_t until = test_real_clock_ms() + SHORT_MS;
    while (test_real_clock_ms() < until)
        assert_true(test_pause_before(UINT64_MAX));
    enum { HEADER = 10 };
    for (size_t left = HEADER + MUCH; left > 0;) {
        size_t part = left < sizeof clients[0].bytes ? left : sizeof clients[0].bytes;
        assert_true(test_client_receive(&clients[0], part));
        clients[0].start += part;
        left -= part;
    }
    expect_close(&clients[0]);
    answer(&clients[0]);
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(1, 0, 0, 0);
    journal_expect(&seen, 1, "open close(1001 clean)");
    finish(1);
}

static void output_that_nobody_reads_is_cut_off(void **state)
{
    (void)state;
    start_with_much_output();
    jz_server_stop_within(server, SHORT_MS);
    /* The close frame waits behind it, so that there is nothing to answer. */
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(0, 0, 1, 0);
    finish(1);
}

static void stop_within_as_told(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    jz_server_stop_within(journal->context, message->length == 4 ? LONG_MS : SHORT_MS);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "stopping", 8);
}

static void a_handler_may_say_so(void **state)
{
    (void)state;
    const jz_options options = serving_options(2);
    start_with(&options, 2, stop_within_as_told);
    test_client_send_frame(&clients[0], &(test_frame)TEXT("long"));
    test_client_expect(&clients[0], JZ_OPCODE_TEXT, "stopping", 8);
    expect_close(&clients[0]);
    expect_close(&clients[1]);
    answer(&clients[0]);
    answer(&clients[1]);
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(2, 0, 0, 0);
    finish(2);

    start_with(&options, 2, stop_within_as_told);
    test_client_send_frame(&clients[1], &(test_frame)TEXT("short"));
    test_client_expect(&clients[1], JZ_OPCODE_TEXT, "stopping", 8);
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(0, 0, 2, 0);
    finish(2);
}

static void who_was_closing_already_is_counted_likewise(void **state)
{
    (void)state;
    const jz_options options = serving_options(1);
    start_with(&options, 3, NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(jz_ws_close(journal_handle_of(&seen, i), 4000, "", 0), JZ_SEND_QUEUED);
        test_client_expect(&clients[i], JZ_OPCODE_CLOSE, "\x0F\xA0", 2);
    }
    jz_server_stop_within(server, LONG_MS);
    expect_close(&clients[2]);
    test_client_send_frame(&clients[0], &(test_frame)CLOSE(4000, ""));
    assert_true(test_client_sees_end(&clients[0]));
    answer(&clients[2]);
    end_grace_of_the_last();
    assert_true(ended_server_wait(server) < SOON_MS);
    expect_ending(2, 0, 1, 0);
    finish(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(each_connection_is_counted_as_it_ended),
        test_without_leaks(a_server_whose_clients_answer_does_not_wait_longer),
        test_without_leaks(a_server_without_clients_stops_at_once),
        test_without_leaks(silent_clients_are_cut_off_when_the_grace_is_over_and_not_before),
        test_without_leaks(a_loop_that_comes_late_cuts_off_who_is_silent_all_the_same),
        test_without_leaks(stopping_without_a_grace_takes_the_close_time_out),
        test_without_leaks(no_grace_at_all_ends_everybody_at_once),
        test_without_leaks(of_two_calls_the_one_that_is_over_first_counts),
        test_without_leaks(slow_output_is_delivered_within_the_grace),
        test_without_leaks(output_that_nobody_reads_is_cut_off),
        test_without_leaks(a_handler_may_say_so),
        test_without_leaks(who_was_closing_already_is_counted_likewise),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("stopping", tests, NULL, NULL));
}
