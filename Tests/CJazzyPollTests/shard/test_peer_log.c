/* Log lines about errors of peers: few, and without anything that they sent. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "shard/peer_log.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MOST = JZ_PEER_LOG_LINES_PER_SECOND, SECOND_MS = 1000 };

/* In everything that a peer sends, and never in a log line. */
#define SECRET "hunter2"

static jz_server *server;
static journal seen;
static log_lines lines;
static test_client client;

static void choose_wrongly(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)request;
    jz_handshake_accept(handshake, &(jz_acceptance){.subprotocol = "chosen"});
}

static void start(uint32_t threads)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    jz_options options = serving_options(threads);
    options.max_message_size = 1000;
    log_lines_begin(&lines, &options);
    jz_route_options wrong = jz_route_options_default();
    wrong.upgrade = choose_wrongly;
    const serving_route routes[] = {{"/", journal_handle, &seen, NULL}, {"/wrong", journal_handle, &seen, &wrong}};
    server = serving_start(&options, routes, COUNT_OF(routes));
}

static void finish(void)
{
    jz_server_destroy(server);
    pthread_mutex_destroy(&seen.lock);
}

/* "ADDRESS: TEXT" with the client's address. */
static void expect_line(size_t number, const char *what, const char *why)
{
    char address[32];
    char text[LOG_LINE_SIZE];
    test_client_address(&client, address);
    snprintf(text, sizeof text, "%s: %s: %s", address, what, why);
    log_lines_expect(&lines, number, JZ_LOG_INFO, text);
}

static const struct {
    test_frame frame;
    jz_failure failure;
} broken[] = {
    {{.fin = true, .reserved = JZ_RSV2, .opcode = JZ_OPCODE_TEXT, .payload = BYTES(SECRET)}, JZ_FAILURE_RESERVED_BITS},
    {{.fin = true, .opcode = 3, .payload = BYTES(SECRET)}, JZ_FAILURE_RESERVED_OPCODE},
    {RAW("\x81\x07" SECRET), JZ_FAILURE_NOT_MASKED},
    {LAST(SECRET), JZ_FAILURE_UNEXPECTED_CONTINUATION},
    {TEXT(SECRET "\xFF"), JZ_FAILURE_INVALID_UTF8},
    {CLOSE(1006, SECRET), JZ_FAILURE_INVALID_CLOSE_CODE},
    {CLOSE(1000, SECRET "\xFF"), JZ_FAILURE_INVALID_UTF8},
    {BINARY_OF(REPEATED(SECRET, 1001)), JZ_FAILURE_MESSAGE_TOO_BIG},
};

static void a_broken_rule_is_one_line_without_any_of_the_payload(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        start(1);
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
        test_client_send_frame(&client, &(test_frame)TEXT(SECRET));
        test_client_send_frame(&client, &broken[i].frame);
        expect_line(0, "failed", jz_failure_text(broken[i].failure));
        assert_eventually(seen.closes == 1);
        test_client_close(&client);
        finish();
        assert_int_equal(lines.count, 1);
        assert_false(log_lines_have(&lines, SECRET));
    }
}

static const char *const secret_requests[] = {
    UPGRADE_REQUEST("/" SECRET "?" SECRET "=" SECRET),
    UPGRADE_REQUEST_WITH("/", "Cookie: " SECRET "=" SECRET "\r\nSec-WebSocket-Protocol: " SECRET ", " SECRET "\r\n"),
    "GET /" SECRET " HTTP/1.1\r\nHost: " SECRET "\r\n" SECRET "\r\n\r\n",
};

static void a_refused_handshake_is_one_line_without_any_of_the_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(secret_requests); i++) {
        start(1);
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        assert_true(test_client_send(&client, secret_requests[i], strlen(secret_requests[i])));
        assert_true(test_client_take_head(&client) >= 400);
        assert_eventually(lines.count == 1);
        test_client_close(&client);
        finish();
        assert_int_equal(lines.count, 1);
        assert_int_equal(lines.count_of_level[JZ_LOG_INFO], 1);
        assert_false(log_lines_have(&lines, SECRET));
    }
}

static void a_peer_that_is_lost_is_no_line(void **state)
{
    (void)state;
    start(1);
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
    test_client_reset(&client);
    assert_eventually(seen.closes == 1);
    finish();
    assert_int_equal(lines.count, 0);
}

static void be_refused(size_t count, const char *request, int status)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        assert_true(test_client_send(&client, request, strlen(request)));
        assert_int_equal(test_client_take_head(&client), status);
        test_client_close(&client);
    }
}

static void be_refused_often(size_t count)
{
    be_refused(count, UPGRADE_REQUEST("/nowhere"), 404);
}

/* The clock is stopped, and advanced by the test. */
static void more_lines_than_an_eye_can_bear_are_counted(void **state)
{
    (void)state;
    test_clock_stop(test_real_clock_ms() / SECOND_MS * SECOND_MS);
    start(1);
    be_refused_often(MOST);
    assert_int_equal(lines.count, MOST);
    be_refused_often(15);
    assert_int_equal(lines.count, MOST);
    test_clock_advance(SECOND_MS - 1);
    be_refused_often(2);
    assert_int_equal(lines.count, MOST);
    test_clock_advance(1);
    be_refused_often(1);
    log_lines_expect(&lines, MOST, JZ_LOG_INFO, "17 more lines about peers were left out");
    assert_true(log_lines_have(&lines, "refused"));
    assert_int_equal(lines.count, MOST + 2);
    /* Each second has its own; the line that counts is none of them. */
    be_refused_often(MOST);
    assert_int_equal(lines.count, MOST + 1 + MOST);
    test_clock_advance(10 * SECOND_MS);
    be_refused_often(1);
    log_lines_expect(&lines, MOST + 1 + MOST, JZ_LOG_INFO, "1 more lines about peers were left out");
    assert_int_equal(lines.count, MOST + 1 + MOST + 2);
    test_clock_advance(10 * SECOND_MS);
    be_refused_often(1);
    assert_int_equal(lines.count, MOST + 1 + MOST + 3);
    finish();
    test_clocks_run();
}

static void each_loop_has_its_own_limit(void **state)
{
    (void)state;
    test_clock_stop(test_real_clock_ms() / SECOND_MS * SECOND_MS);
    start(2);
    be_refused_often(4 * MOST);
    assert_int_equal(lines.count, 2 * MOST);
    finish();
    test_clocks_run();
}

/* Many lines of one level hide none of another level. */
static void each_level_has_its_own_limit(void **state)
{
    (void)state;
    enum { MANY = 3 * MOST };
    static const char request[] = UPGRADE_REQUEST_WITH("/wrong", "Sec-WebSocket-Protocol: other\r\n");
    test_clock_stop(test_real_clock_ms() / SECOND_MS * SECOND_MS);
    start(1);
    be_refused_often(MANY);
    be_refused(MANY, request, 500);
    assert_int_equal(lines.count_of_level[JZ_LOG_INFO], MOST);
    assert_int_equal(lines.count_of_level[JZ_LOG_ERROR], MOST);
    finish();
    test_clocks_run();
}

/* Whether anything comes afterwards or not. */
static void what_was_left_out_is_counted_by_itself(void **state)
{
    (void)state;
    test_clock_stop(test_real_clock_ms() / SECOND_MS * SECOND_MS);
    start(1);
    be_refused_often(MOST + 7);
    assert_int_equal(lines.count, MOST);
    test_clocks_run();
    log_lines_expect(&lines, MOST, JZ_LOG_INFO, "7 more lines about peers were left out");
    finish();
    assert_int_equal(lines.count, MOST + 1);
}

static void what_was_left_out_is_counted_when_the_server_has_stopped(void **state)
{
    (void)state;
    test_clock_stop(test_real_clock_ms() / SECOND_MS * SECOND_MS);
    start(1);
    be_refused_often(MOST + 7);
    jz_server_stop(server);
    jz_server_wait(server);
    log_lines_expect(&lines, MOST, JZ_LOG_INFO, "7 more lines about peers were left out");
    finish();
    assert_int_equal(lines.count, MOST + 1);
    test_clocks_run();
}

/* The effect of each of these on a terminal, a log or a reader. */
#define HOSTILE                                                                                                        \
    "a\r\nerror: forged\t\x1B[2J\x7F\xC2\x9B"                                                                          \
    "31m\xE2\x80\xAE\xE2\x80\xA8\xE2\x81\xA6\xFF\\"
#define SHOWN "a\\r\\nerror: forged\\t\\u{1B}[2J\\u{7F}\\u{9B}31m\\u{202E}\\u{2028}\\u{2066}\\xFF\\\\"

static void tell(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    const jz_log_level *level = journal->context;
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_log(ws, *level, (const char *)message->bytes, message->length);
}

static void start_telling(jz_execution execution, jz_log_level level, jz_log_level least)
{
    static jz_log_level told_level;
    told_level = level;
    memset(&seen, 0, sizeof seen);
    seen.act = tell;
    seen.context = &told_level;
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    jz_options options = serving_options(1);
    options.log_level = least;
    log_lines_begin(&lines, &options);
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    const serving_route routes[] = {{"/", journal_handle, &seen, &route}};
    server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
}

static void a_handler_tells_of_its_client_in_one_line_that_forges_none(void **state)
{
    (void)state;
    for (int execution = JZ_EXECUTION_LOOP; execution <= JZ_EXECUTION_WORKERS; execution++) {
        for (int level = JZ_LOG_DEBUG; level <= JZ_LOG_ERROR; level++) {
            char address[32];
            char text[LOG_LINE_SIZE];
            start_telling((jz_execution)execution, (jz_log_level)level, JZ_LOG_DEBUG);
            test_client_send_frame(&client, &(test_frame)BINARY_OF(BYTES(HOSTILE)));
            test_client_address(&client, address);
            snprintf(text, sizeof text, "%s: %s", address, SHOWN);
            log_lines_expect(&lines, 0, (jz_log_level)level, text);
            test_client_close(&client);
            finish();
            assert_int_equal(lines.count, 1);
        }
    }
}

static void handlers_are_limited_as_peers_are(void **state)
{
    (void)state;
    enum { MANY = 2001 };
    for (int execution = JZ_EXECUTION_LOOP; execution <= JZ_EXECUTION_WORKERS; execution++) {
        test_clock_stop(test_real_clock_ms() / SECOND_MS * SECOND_MS);
        start_telling((jz_execution)execution, JZ_LOG_ERROR, JZ_LOG_INFO);
        for (size_t i = 0; i < MANY; i++)
            test_client_send_frame(&client, &(test_frame)TEXT("bad"));
        assert_eventually(seen.messages == MANY);
        assert_int_equal(lines.count, MOST);
        test_clocks_run();
        log_lines_expect(&lines, MOST, JZ_LOG_ERROR, "1991 more lines about peers were left out");
        test_client_close(&client);
        finish();
        assert_int_equal(lines.count, MOST + 1);
    }
}

static void lines_below_the_level_that_is_wanted_are_not_told_nor_counted(void **state)
{
    (void)state;
    for (int level = JZ_LOG_DEBUG; level <= JZ_LOG_ERROR; level++) {
        for (int least = JZ_LOG_DEBUG; least <= JZ_LOG_ERROR; least++) {
            start_telling(JZ_EXECUTION_LOOP, (jz_log_level)level, (jz_log_level)least);
            for (size_t i = 0; i <= MOST; i++)
                test_client_send_frame(&client, &(test_frame)TEXT("line"));
            assert_eventually(seen.messages == MOST + 1);
            test_client_close(&client);
            finish();
            assert_true((lines.count > 0) == (level >= least));
        }
    }
}

/* Its address is not known any more, and at last there is no log. */
static void who_has_left_may_be_told_of(void **state)
{
    (void)state;
    start_telling(JZ_EXECUTION_LOOP, JZ_LOG_ERROR, JZ_LOG_INFO);
    jz_ws ws = journal_handle_of(&seen, 0);
    test_client_close(&client);
    assert_eventually(seen.closes == 1);
    char address[JZ_REMOTE_ADDRESS_SIZE];
    assert_eventually(jz_ws_remote_address(ws, address) == 0);
    jz_ws_log(ws, JZ_LOG_WARNING, "too late", 8);
    jz_ws_log(ws, (jz_log_level)7, "", 0);
    log_lines_expect(&lines, 0, JZ_LOG_WARNING, "a client that has left: too late");
    log_lines_expect(&lines, 1, JZ_LOG_ERROR, "a client that has left: ");
    finish();
    jz_ws_log(ws, JZ_LOG_WARNING, "later still", 11);
    jz_ws_log((jz_ws){0}, JZ_LOG_WARNING, "nobody", 6);
    assert_int_equal(lines.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_rule_is_one_line_without_any_of_the_payload),
        cmocka_unit_test(a_refused_handshake_is_one_line_without_any_of_the_request),
        cmocka_unit_test(a_peer_that_is_lost_is_no_line),
        cmocka_unit_test(more_lines_than_an_eye_can_bear_are_counted),
        cmocka_unit_test(each_loop_has_its_own_limit),
        cmocka_unit_test(each_level_has_its_own_limit),
        cmocka_unit_test(what_was_left_out_is_counted_by_itself),
        cmocka_unit_test(what_was_left_out_is_counted_when_the_server_has_stopped),
        cmocka_unit_test(a_handler_tells_of_its_client_in_one_line_that_forges_none),
        cmocka_unit_test(handlers_are_limited_as_peers_are),
        cmocka_unit_test(lines_below_the_level_that_is_wanted_are_not_told_nor_counted),
        cmocka_unit_test(who_has_left_may_be_told_of),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("what the log tells of peers", tests, NULL, NULL));
}
