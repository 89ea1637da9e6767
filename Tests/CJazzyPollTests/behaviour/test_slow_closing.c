/* All output arrives before the end, if the peer reads continuously, however slowly, and whichever side closes. */
#define _POSIX_C_SOURCE 200809L

#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/slow_reader.h"
#include "support/testing.h"

enum {
    MUCH = 4 * 1024 * 1024, /* bytes: more than the kernel takes at once */
    PIECE = 64 * 1024,      /* bytes: more than a peer has to take in a time-out */
    TIMES = 4,              /* that time-outs pass while it reads */
    TIMEOUT_MS = 20000,     /* by a clock that jumps: nobody is cut off because this machine stands still */
    SHORT_MS = 300,
    LONG_MS = 3600000,
    HEADER = 10
};

static jz_server *server;
static journal seen;
static test_client client;

static jz_options options(void)
{
    jz_options options = serving_options(1);
    options.backpressure_limit = 8UL * MUCH;
    options.mailbox_limit = 8UL * MUCH;
    options.close_timeout_ms = TIMEOUT_MS;
    options.idle_timeout_ms = JZ_NEVER;
    return options;
}

static jz_ws connection(void)
{
    return journal_handle_of(&seen, 0);
}

/* Much waits for the client, which has read nothing of it. */
static void start(const jz_options *options)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    const serving_route routes[] = {{"/", journal_handle, &seen, NULL}};
    server = serving_start(options, routes, COUNT_OF(routes));
    assert_true(test_client_connect(&client, jz_server_port(server), SLOW_READER_BUFFER));
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
    uint8_t *message = slow_reader_message(MUCH);
    assert_non_null(message);
    assert_int_equal(jz_ws_send(connection(), JZ_MESSAGE_BINARY, message, MUCH), JZ_SEND_QUEUED);
    free(message);
    assert_eventually(jz_ws_buffered_amount(connection()) > 0);
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(server);
    test_clocks_run();
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

static void close_it(void)
{
    assert_int_equal(jz_ws_close(connection(), 1000, "", 0), JZ_SEND_QUEUED);
}

static void stop_it(void)
{
    jz_server_stop(server);
}

static void client_closes(void)
{
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
}

static void client_ends(void)
{
    test_client_stop_sending(&client);
}

static void client_breaks_a_rule(void)
{
    test_client_send_frame(&client, &(test_frame)RAW("\x83\x80\x00\x00\x00\x00"));
}

static const struct {
    const char *name;
    void (*begin)(void);
    uint16_t code; /* of the close frame behind the message; 0: there is none */
    bool answers;  /* the client answers it */
    const char *journal;
} ways[] = {
    {"our side closes", close_it, 1000, true, "open close(1000 clean)"},
    {"the server stops", stop_it, 1001, true, "open close(1001 clean)"},
    {"the peer closes", client_closes, 1000, false, "open close(1000 clean)"},
    {"the peer sends no more", client_ends, 0, false, "open close(1006 unclean)"},
    {"the peer breaks a rule", client_breaks_a_rule, 1002, false,
     "open error(the opcode is reserved) close(1002 unclean)"},
};

static void expect_close(uint16_t code)
{
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], code);
}

/* Reads all, of which some pieces take a time-out each. */
static bool take_slowly(void)
{
    bool is_taken = slow_reader_skip(&client, HEADER);
    size_t taken = 0;
    for (int i = 0; i < TIMES && is_taken; i++, taken += PIECE) {
        is_taken = slow_reader_take(&client, taken, PIECE);
        serving_let_pass(server, TIMEOUT_MS);
    }
    return is_taken && slow_reader_take(&client, taken, MUCH - taken);
}

static void who_reads_all_the_time_gets_all_and_then_the_close_frame(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        const jz_options chosen = options();
        start(&chosen);
        ways[i].begin();
        assert_that(take_slowly(), "%s: cut off", ways[i].name);
        if (ways[i].code != 0)
            expect_close(ways[i].code);
        if (ways[i].answers)
            test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
        assert_that(test_client_sees_end(&client), "%s: no end", ways[i].name);
        assert_eventually(seen.closes == 1);
        finish();
    }
}

static void it_is_told_how_it_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        const jz_options chosen = options();
        start(&chosen);
        ways[i].begin();
        assert_true(slow_reader_skip(&client, HEADER) && slow_reader_take(&client, 0, MUCH));
        if (ways[i].code != 0)
            expect_close(ways[i].code);
        if (ways[i].answers)
            test_client_send_frame(&client, &(test_frame)CLOSE(ways[i].code, ""));
        journal_expect(&seen, 1, ways[i].journal);
        finish();
    }
}

/* The descriptor of the server's side. */
static bool is_let_go(size_t descriptors)
{
    return serving_descriptors() < descriptors;
}

static void who_reads_nothing_is_let_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        const jz_options chosen = options();
        start(&chosen);
        size_t descriptors = serving_descriptors();
        ways[i].begin();
        assert_eventually((serving_let_pass(server, TIMEOUT_MS), is_let_go(descriptors)));
        finish();
    }
}

/* As one that takes a byte an hour. */
static void who_reads_less_than_the_smallest_rate_is_let_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        jz_options chosen = options();
        chosen.min_send_rate = 1024 * 1024 * 1024;
        start(&chosen);
        size_t descriptors = serving_descriptors();
        ways[i].begin();
        assert_true(slow_reader_skip(&client, HEADER));
        uint64_t deadline = test_deadline();
        for (size_t taken = 0; !is_let_go(descriptors) && test_pause_before(deadline); taken += 64) {
            assert_true(slow_reader_take(&client, taken, 64));
            serving_let_pass(server, TIMEOUT_MS);
        }
        assert_that(is_let_go(descriptors), "%s", ways[i].name);
        finish();
    }
}

static void stopping_ends_also_who_reads_when_its_time_is_over(void **state)
{
    (void)state;
    for (int by_grace = 0; by_grace < 2; by_grace++) {
        jz_options chosen = options();
        chosen.close_timeout_ms = SHORT_MS;
        chosen.stop_timeout_ms = by_grace ? LONG_MS : 2 * SHORT_MS;
        start(&chosen);
        if (by_grace)
            jz_server_stop_within(server, 2 * SHORT_MS);
        else
            jz_server_stop(server);
        assert_true(slow_reader_skip(&client, HEADER));
        uint64_t deadline = test_deadline();
        for (size_t taken = 0; seen.closes == 0 && test_pause_before(deadline); taken += 64)
            assert_true(slow_reader_take(&client, taken, 64));
        jz_server_wait(server);
        assert_int_equal(jz_server_ending(server).cut_off, 1);
        finish();
    }
}

static void of_a_stop_and_a_grace_the_one_that_is_over_first_counts(void **state)
{
    (void)state;
    for (int stops_first = 0; stops_first < 2; stops_first++) {
        for (int grace_is_short = 0; grace_is_short < 2; grace_is_short++) {
            jz_options chosen = options();
            chosen.close_timeout_ms = grace_is_short ? LONG_MS : SHORT_MS;
            start(&chosen);
            if (stops_first)
                jz_server_stop(server);
            jz_server_stop_within(server, grace_is_short ? SHORT_MS : LONG_MS);
            if (!stops_first)
                jz_server_stop(server);
            jz_server_wait(server);
            assert_int_equal(jz_server_ending(server).cut_off, 1);
            finish();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_reads_all_the_time_gets_all_and_then_the_close_frame),
        cmocka_unit_test(it_is_told_how_it_ended),
        cmocka_unit_test(who_reads_nothing_is_let_go),
        cmocka_unit_test(who_reads_less_than_the_smallest_rate_is_let_go),
        cmocka_unit_test(stopping_ends_also_who_reads_when_its_time_is_over),
        cmocka_unit_test(of_a_stop_and_a_grace_the_one_that_is_over_first_counts),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("slow closing", tests, NULL, NULL));
}
