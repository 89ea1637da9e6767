/* A running server, by way of its public functions and of clients over loopback. */
#define _POSIX_C_SOURCE 200809L

#include "jazzy.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/served.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LONG_MS = 20000 }; /* a client that stands still answers, or asks, in that time */

static test_client client;
static test_client other;

static void open_client(test_client *opened, const served *served)
{
    assert_true(test_client_open(opened, served->port, UPGRADE_REQUEST("/")));
}

static void echo(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void messages_come_back_as_they_went(void **state)
{
    (void)state;
    static served served = {.journal = {.act = echo}};
    served_start(&served, NULL, NULL);
    open_client(&client, &served);
    test_client_send_frame(&client, &(test_frame)TEXT("text"));
    test_client_expect(&client, JZ_OPCODE_TEXT, "text", 4);
    test_client_send_frame(&client, &(test_frame)BINARY("bi\0nary"));
    test_client_expect(&client, JZ_OPCODE_BINARY, "bi\0nary", 7);
    test_client_send_frame(&client, &(test_frame)TEXT_START("in "));
    test_client_send_frame(&client, &(test_frame)PING("ping"));
    test_client_send_frame(&client, &(test_frame)LAST("fragments"));
    test_client_expect(&client, JZ_OPCODE_PONG, "ping", 4);
    test_client_expect(&client, JZ_OPCODE_TEXT, "in fragments", 12);
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, "bye"));
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    assert_true(test_client_sees_end(&client));
    journal_expect(&served.journal, 1,
                   "open text(text) binary(bi) ping(ping) text(in fragments) close(1000 clean bye)");
    test_client_close(&client);
    served_finish(&served);
}

typedef enum ending { ENDS_TCP, RESETS_TCP, ENDS_WITH_A_FRAME } ending;

static const struct {
    const char *name;
    ending ending;
    test_frame frame;
    const char *journal;
} endings[] = {
    {"a close frame", ENDS_WITH_A_FRAME, CLOSE(1001, "gone"), "open close(1001 clean gone)"},
    {"a close frame without a code", ENDS_WITH_A_FRAME, CLOSE_WITHOUT_CODE, "open close(1005 clean)"},
    {"the end of the stream", ENDS_TCP, TEXT(""), "open close(1006 unclean)"},
    {"a reset", RESETS_TCP, TEXT(""), "open error(the connection was lost) close(1006 unclean)"},
    {"a frame that is not masked",
     ENDS_WITH_A_FRAME,
     {.fin = true, .opcode = JZ_OPCODE_TEXT, .masking = NEVER_MASKED, .payload = BYTES("x")},
     "open error(the frame is not masked) close(1002 unclean)"},
    {"text that is no text", ENDS_WITH_A_FRAME, TEXT("\xFF"), "open error(the text is not UTF-8) close(1007 unclean)"},
    {"a message that is too big", ENDS_WITH_A_FRAME, TEXT_OF(REPEATED("x", 1001)),
     "open error(the message is larger than this route allows) close(1009 unclean)"},
};

static void every_connection_ends_with_one_close_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        static served served;
        served = (struct served){0};
        jz_route_options route = jz_route_options_default();
        route.max_message_size = 1000;
        served_start(&served, NULL, &route);
        open_client(&client, &served);
        assert_eventually(served.journal.opens == 1);
        if (endings[i].ending == ENDS_WITH_A_FRAME) {
            test_client_send_frame(&client, &endings[i].frame);
            assert_true(test_client_sees_end(&client));
        }
        if (endings[i].ending == RESETS_TCP)
            test_client_reset(&client);
        else
            test_client_close(&client);
        journal_expect(&served.journal, 1, endings[i].journal);
        served_finish(&served);
    }
}

static void two_servers_run_side_by_side(void **state)
{
    (void)state;
    static served first = {.journal = {.act = echo}};
    static served second;
    served_start(&first, NULL, NULL);
    served_start(&second, NULL, NULL);
    assert_int_not_equal(first.port, second.port);
    open_client(&client, &first);
    open_client(&other, &second);
    assert_eventually(second.journal.opens == 1);
    assert_true(journal_handle_of(&first.journal, 0).value != journal_handle_of(&second.journal, 0).value);
    test_client_send_frame(&client, &(test_frame)TEXT("to the first"));
    test_client_expect(&client, JZ_OPCODE_TEXT, "to the first", 12);
    test_client_send_frame(&other, &(test_frame)TEXT("to the second"));
    assert_eventually(second.journal.messages == 1);

    jz_ws of_first = journal_handle_of(&first.journal, 0);
    test_client_close(&client);
    journal_expect(&first.journal, 1, "open text(to the first) close(1006 unclean)");
    served_finish(&first);
    assert_int_equal(jz_ws_send(of_first, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    jz_ws of_second = journal_handle_of(&second.journal, 0);
    assert_int_equal(jz_ws_send(of_second, JZ_MESSAGE_TEXT, "still here", 10), JZ_SEND_QUEUED);
    test_client_expect(&other, JZ_OPCODE_TEXT, "still here", 10);
    test_client_close(&other);
    journal_expect(&second.journal, 1, "open text(to the second) close(1006 unclean)");
    served_finish(&second);
}

static void tell_address(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    char address[JZ_REMOTE_ADDRESS_SIZE];
    size_t length = jz_ws_remote_address(ws, address);
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_send(ws, JZ_MESSAGE_TEXT, address, length);
}

static void the_remote_address_is_the_clients(void **state)
{
    (void)state;
    static served served = {.journal = {.act = tell_address}};
    char expected[32];
    char told[JZ_REMOTE_ADDRESS_SIZE];
    served_start(&served, NULL, NULL);
    open_client(&client, &served);
    test_client_address(&client, expected);
    test_client_expect(&client, JZ_OPCODE_TEXT, expected, strlen(expected)); /* in the handler, */
    jz_ws ws = journal_handle_of(&served.journal, 0);
    assert_int_equal(jz_ws_remote_address(ws, told), strlen(expected)); /* and on another thread */
    assert_string_equal(told, expected);
    test_client_close(&client);
    assert_eventually(served.journal.closes == 1);
    assert_eventually(jz_ws_remote_address(ws, told) == 0);
    assert_string_equal(told, "");
    served_finish(&served);
}

/* What the next test's handler saw; read after the connection is closed. */
static struct {
    jz_send_status statuses[4];
    size_t accepted;
    size_t buffered_when_full;
    size_t buffered_first;
} filling;

static void fill_output(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const uint8_t much[16384];
    (void)journal;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    jz_send_status status = jz_ws_send(ws, JZ_MESSAGE_BINARY, much, sizeof much);
    filling.buffered_first = jz_ws_buffered_amount(ws);
    while (status != JZ_SEND_DROPPED && status != JZ_SEND_CLOSED) {
        filling.statuses[status]++;
        filling.accepted += sizeof much;
        status = jz_ws_send(ws, JZ_MESSAGE_BINARY, much, sizeof much);
    }
    filling.statuses[status]++;
    filling.buffered_when_full = jz_ws_buffered_amount(ws);
}

static void a_client_that_does_not_read_is_sent_no_more_than_the_limit(void **state)
{
    (void)state;
    enum { LIMIT = 100000, FRAME = 16384 + 4 };
    static served served = {.journal = {.act = fill_output}};
    jz_options options = served_options();
    options.backpressure_limit = LIMIT;
    served_start(&served, &options, NULL);
    assert_true(test_client_connect(&client, served.port, 4096));
    assert_true(test_client_send(&client, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))));
    assert_int_equal(test_client_take_head(&client), 101);
    test_client_send_frame(&client, &(test_frame)TEXT("fill"));
    jz_ws ws;
    assert_eventually(served.journal.messages == 1 && served.journal.calls_under_way == 0);
    ws = journal_handle_of(&served.journal, 0);
    assert_int_equal(filling.buffered_first, 0); /* the kernel has it */
    assert_int_not_equal(filling.statuses[JZ_SEND_SENT], 0);
    assert_int_not_equal(filling.statuses[JZ_SEND_QUEUED], 0);
    assert_int_equal(filling.statuses[JZ_SEND_DROPPED], 1);
    assert_int_equal(filling.statuses[JZ_SEND_CLOSED], 0);
    assert_in_range(filling.buffered_when_full, LIMIT, LIMIT + FRAME);
    assert_in_range(jz_ws_buffered_amount(ws), 1, LIMIT + FRAME); /* the handler runs on another thread */

    for (size_t taken = 0; taken < filling.accepted; taken += 16384) {
        test_received frame;
        assert_true(test_client_take_frame(&client, &frame));
        assert_int_equal(frame.length, 16384);
    }
    assert_eventually(jz_ws_buffered_amount(ws) == 0);
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_TEXT, "again", 5), JZ_SEND_QUEUED);
    test_client_expect(&client, JZ_OPCODE_TEXT, "again", 5);
    test_client_close(&client);
    served_finish(&served);
}

/* Closes every known connection, its own last, and records the results. */
static void close_all(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    for (size_t i = 0; i < journal->opens; i++) {
        jz_ws closed = journal_handle_of(journal, i);
        if (closed.value != ws.value)
            jz_ws_close(closed, 3000, "another", 7);
    }
    jz_send_status first = jz_ws_close(ws, 3001, "its own", 7);
    jz_send_status second = jz_ws_close(ws, 3002, "again", 5);
    jz_send_status sent = jz_ws_send(ws, JZ_MESSAGE_TEXT, "late", 4);
    journal->context = first == JZ_SEND_SENT && second == JZ_SEND_CLOSED && sent == JZ_SEND_CLOSED && !jz_ws_is_open(ws)
                           ? journal
                           : NULL;
}

static void a_handler_closes_others_and_itself_and_hears_of_it_later(void **state)
{
    (void)state;
    static served served = {.journal = {.act = close_all}};
    jz_options options = served_options();
    options.close_timeout_ms = LONG_MS;
    served_start(&served, &options, NULL);
    open_client(&client, &served);
    open_client(&other, &served);
    assert_eventually(served.journal.opens == 2);
    test_client_send_frame(&client, &(test_frame)TEXT("close"));
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x0B\xB9its own", 9);
    test_client_expect(&other, JZ_OPCODE_CLOSE,
                       "\x0B\xB8"
                       "another",
                       9);
    test_client_send_frame(&other, &(test_frame)TEXT("not shown any more"));
    test_client_send_frame(&other, &(test_frame)CLOSE(3000, ""));
    assert_true(test_client_sees_end(&other));
    test_client_send_frame(&client, &(test_frame)CLOSE(3001, ""));
    assert_true(test_client_sees_end(&client));
    journal_expect(&served.journal, 2, "open open text(close) close(3000 clean) close(3001 clean)");
    assert_ptr_equal(served.journal.context, &served.journal);
    assert_false(served.journal.was_reentered);
    test_client_close(&client);
    test_client_close(&other);
    served_finish(&served);
}

static const struct {
    const char *name;
    const char *sent;
    int status; /* of the answer; the connection ends after it */
} heads[] = {
    {"a head that does not come to its end", "GET / HTTP/1.1\r\nHost: x\r\n", 408},
    {"no head at all", "", 0},
};

/* What is sent is there before the server runs: on a busy machine it could come when the time is over. */
static void who_does_not_ask_in_time_is_not_waited_for(void **state)
{
    (void)state;
    static journal none;
    jz_options options = served_options();
    options.handshake_timeout_ms = 100;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        jz_server *server = jz_server_create(&options, NULL);
        assert_non_null(server);
        assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &none, NULL), JZ_OK);
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        assert_true(test_client_send(&client, heads[i].sent, strlen(heads[i].sent)));
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        assert_int_equal(test_client_take_head(&client), heads[i].status);
        assert_true(test_client_sees_end(&client));
        test_client_close(&client);
        jz_server_destroy(server);
    }
}

static atomic_bool is_blocked;

static void block(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal, (void)ws, (void)message;
    test_hold_while(event->type == JZ_EVENT_MESSAGE && is_blocked);
}

/* Time in which the server did not look is not the peer's. */
static void who_asks_while_a_handler_blocks_its_loop_is_answered(void **state)
{
    (void)state;
    static served served = {.journal = {.act = block}};
    jz_options options = served_options();
    options.handshake_timeout_ms = LONG_MS;
    is_blocked = true;
    served_start(&served, &options, NULL);
    assert_true(test_client_connect(&other, served.port, 0)); /* has been accepted when one after it is answered */
    open_client(&client, &served);
    assert_eventually(served.journal.opens == 1 && served.journal.calls_under_way == 0);
    test_client_send_frame(&client, &(test_frame)TEXT("block"));
    assert_eventually(served.journal.calls_under_way == 1);
    assert_true(test_client_send(&other, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))));
    assert_eventually(test_client_has_delivered(&other));
    test_clock_jump(2 * LONG_MS);
    is_blocked = false;
    assert_int_equal(test_client_take_head(&other), 101);
    test_client_close(&client);
    test_client_close(&other);
    served_finish(&served);
    test_clocks_run();
}

static void who_does_not_answer_a_close_frame_is_not_waited_for(void **state)
{
    (void)state;
    static served served = {.journal = {.act = close_all}};
    jz_options options = served_options();
    options.close_timeout_ms = 100;
    served_start(&served, &options, NULL);
    open_client(&client, &served);
    test_client_send_frame(&client, &(test_frame)TEXT("close"));
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x0B\xB9its own", 9);
    assert_true(test_client_sees_end(&client));
    journal_expect(&served.journal, 1, "open text(close) close(1006 unclean)");
    test_client_close(&client);
    served_finish(&served);
}

static void a_connection_is_of_the_route_that_its_path_matches(void **state)
{
    (void)state;
    static journal of_rooms;
    static journal of_the_lobby;
    const serving_route routes[] = {{"/room/:id", journal_handle, &of_rooms, NULL},
                                    {"/room/lobby", journal_handle, &of_the_lobby, NULL}};
    jz_options options = serving_options(1);
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/room/1?a=b")));
    assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/room/lobby")));
    test_client_send_frame(&client, &(test_frame)TEXT("to a room"));
    test_client_send_frame(&other, &(test_frame)TEXT("to the lobby"));
    test_client_close(&client);
    test_client_close(&other);
    journal_expect(&of_rooms, 1, "open text(to a room) close(1006 unclean)");
    journal_expect(&of_the_lobby, 1, "open text(to the lobby) close(1006 unclean)");
    assert_false(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/room/")));
    test_client_close(&client);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_as_they_went),
        cmocka_unit_test(every_connection_ends_with_one_close_event),
        cmocka_unit_test(two_servers_run_side_by_side),
        cmocka_unit_test(a_connection_is_of_the_route_that_its_path_matches),
        cmocka_unit_test(the_remote_address_is_the_clients),
        cmocka_unit_test(a_client_that_does_not_read_is_sent_no_more_than_the_limit),
        cmocka_unit_test(a_handler_closes_others_and_itself_and_hears_of_it_later),
        cmocka_unit_test(who_does_not_ask_in_time_is_not_waited_for),
        cmocka_unit_test(who_asks_while_a_handler_blocks_its_loop_is_answered),
        cmocka_unit_test(who_does_not_answer_a_close_frame_is_not_waited_for),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("server", tests, NULL, NULL));
}
