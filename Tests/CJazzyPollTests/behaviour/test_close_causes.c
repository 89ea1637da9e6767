/* The causes for which connections end, in close events and statistics: with handlers on the loop and on workers. */
#define _POSIX_C_SOURCE 200809L

#include "support/client.h"
#include "support/eventually.h"
#include "support/served.h"
#include "support/testing.h"

static served server;
static test_client client;

static struct {
    atomic_int cause; /* of the last close event */
    atomic_int failure;
    atomic_int code;
} last;

/* A text asks the handler for one of these. */
static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static char much[128 * 1024];
    (void)journal;
    if (event->type == JZ_EVENT_CLOSE) {
        last.cause = (int)event->cause;
        last.failure = (int)event->failure;
        last.code = event->close_code;
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT) {
        if (message->bytes[0] == 'c')
            jz_ws_close(ws, 4000, "", 0);
        if (message->bytes[0] == 't')
            jz_ws_terminate(ws);
        /* From another thread all of it is QUEUED. */
        jz_send_status status = JZ_SEND_SENT;
        while (message->bytes[0] == 's' && status != JZ_SEND_CLOSED && jz_ws_is_open(ws))
            status = jz_ws_send(ws, JZ_MESSAGE_BINARY, much, sizeof much);
    }
}

typedef enum then { LEAVES, RESETS, NOTHING, STOPS, ANSWERS, BREAKS_A_RULE } then;

static const struct cause_row {
    const char *name;
    test_frame frame; /* of the client */
    then then;
    uint32_t idle_timeout_ms;
    uint32_t max_lifetime_ms;
    jz_close_cause cause;
    jz_failure failure;
    int code;
} rows[] = {
    {"a close frame of the peer", CLOSE(1000, ""), NOTHING, .cause = JZ_CAUSE_PEER, .code = 1000},
    {"a peer that leaves without one", BINARY(""), LEAVES, .cause = JZ_CAUSE_PEER, .code = 1006},
    {"a reset", BINARY(""), RESETS, .cause = JZ_CAUSE_FAILURE, .failure = JZ_FAILURE_TRANSPORT, .code = 1006},
    {"a rule that was broken",
     {.fin = true, .opcode = 3},
     NOTHING,
     .cause = JZ_CAUSE_FAILURE,
     .failure = JZ_FAILURE_RESERVED_OPCODE,
     .code = 1002},
    {"the handler closes", TEXT("close"), ANSWERS, .cause = JZ_CAUSE_APPLICATION, .code = 4000},
    {"the handler closes, and the peer leaves", TEXT("close"), LEAVES, .cause = JZ_CAUSE_APPLICATION, .code = 1006},
    {"the handler closes, and the peer breaks a rule instead of answering", TEXT("close"), BREAKS_A_RULE,
     .cause = JZ_CAUSE_APPLICATION, .failure = JZ_FAILURE_RESERVED_OPCODE, .code = 1002},
    {"the handler terminates", TEXT("terminate"), NOTHING, .cause = JZ_CAUSE_APPLICATION, .code = 1006},
    {"too much output waits", TEXT("send"), LEAVES, .cause = JZ_CAUSE_BACKPRESSURE, .code = 1006},
    {"nothing comes", BINARY(""), NOTHING, .idle_timeout_ms = 200, .cause = JZ_CAUSE_IDLE,
     .failure = JZ_FAILURE_IDLE_TIMEOUT, .code = 1001},
    {"it is old", BINARY(""), ANSWERS, .max_lifetime_ms = 200, .cause = JZ_CAUSE_LIFETIME, .code = 4000},
    {"the server stops", BINARY(""), STOPS, .cause = JZ_CAUSE_STOPPING, .code = 4000},
};

static void start(const struct cause_row *row, jz_execution execution)
{
    server = (served){.journal = {.act = act}};
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    route.backpressure_policy = JZ_BACKPRESSURE_CLOSE;
    route.backpressure_limit = 64 * 1024;
    if (row->idle_timeout_ms != 0)
        route.idle_timeout_ms = row->idle_timeout_ms;
    if (row->max_lifetime_ms != 0)
        route.max_lifetime_ms = row->max_lifetime_ms;
    jz_options options = served_options();
    if (row->then != LEAVES) /* an answer may take its time; who leaves with output unread is cut off in the end */
        options.close_timeout_ms = 60000;
    served_start(&server, &options, &route);
    assert_true(test_client_connect(&client, server.port, 4096));
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    assert_eventually(server.journal.opens == 1);
}

/* Waits for the server's close frame. */
static void take_close(void)
{
    test_received frame;
    do
        assert_true(test_client_take_frame(&client, &frame));
    while (frame.opcode != JZ_OPCODE_CLOSE);
}

static void wait_until_closing(const char *what)
{
    uint64_t deadline = test_deadline();
    while (jz_ws_is_open(journal_handle_of(&server.journal, 0)))
        assert_that(test_pause_before(deadline), "in vain: %s", what);
}

static void go_on(const struct cause_row *row)
{
    static const test_frame reserved = {.fin = true, .opcode = 3};
    switch (row->then) {
    case LEAVES:
        /* The first of these is the cause. */
        if (row->cause != JZ_CAUSE_PEER)
            wait_until_closing(row->name);
        test_client_stop_sending(&client);
        break;
    case RESETS:
        assert_eventually(server.journal.messages == 1);
        test_client_reset(&client);
        break;
    case STOPS:
        jz_server_stop(server.server);
        take_close();
        test_client_send_frame(&client, &(test_frame)CLOSE(4000, ""));
        break;
    case ANSWERS:
        take_close();
        test_client_send_frame(&client, &(test_frame)CLOSE(4000, ""));
        break;
    case BREAKS_A_RULE:
        take_close();
        test_client_send_frame(&client, &reserved);
        break;
    case NOTHING:
        break;
    }
}

static void each_end_has_its_cause_which_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        const struct cause_row *row = &rows[i / 2];
        start(row, i % 2 == 0 ? JZ_EXECUTION_LOOP : JZ_EXECUTION_WORKERS);
        test_client_send_frame(&client, &row->frame);
        go_on(row);
        assert_eventually(server.journal.closes == 1);
        assert_that(last.cause == (int)row->cause, "%s: %s", row->name,
                    jz_close_cause_text((jz_close_cause)last.cause));
        assert_that(last.failure == (int)row->failure, "%s: %s", row->name, jz_failure_text((jz_failure)last.failure));
        assert_that(last.code == row->code, "%s: %d", row->name, last.code);
        jz_statistics statistics;
        jz_server_statistics(server.server, &statistics);
        for (int cause = 0; cause < JZ_CAUSE_COUNT; cause++)
            assert_int_equal(statistics.causes[cause], cause == (int)row->cause ? 1 : 0);
        test_client_close(&client);
        served_finish(&server);
    }
}

static void every_cause_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < JZ_CAUSE_COUNT; i++) {
        for (int other = 0; other < i; other++)
            assert_string_not_equal(jz_close_cause_text((jz_close_cause)i), jz_close_cause_text((jz_close_cause)other));
    }
    static const int none[] = {-1, JZ_CAUSE_COUNT, 255};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        jz_close_cause cause;
        memcpy(&cause, &none[i], sizeof cause); /* a value that a caller in another language may pass */
        assert_string_equal(jz_close_cause_text(cause), "it is not known why");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_has_its_cause_which_is_counted),
        cmocka_unit_test(every_cause_has_a_text_of_its_own),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("close causes", tests, NULL, NULL));
}
