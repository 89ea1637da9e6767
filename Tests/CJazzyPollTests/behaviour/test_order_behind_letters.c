/*
 * A handler's calls take effect after earlier calls of other threads, even if those are more than one iteration takes:
 * then the handler's are posted behind them, and where there is no room, only as many are taken as make it.
 */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { BEFORE = 20000 };

static const char topic[] = "topic";

static struct {
    jz_server *server;
    _Atomic uint64_t ws;
    atomic_bool holds; /* the handler has the loop, until it is let go */
    atomic_bool is_let_go;
    atomic_int answer;
} loop;

static jz_send_status send_last(jz_ws ws)
{
    return jz_ws_send(ws, JZ_MESSAGE_TEXT, "last", 4);
}

static jz_send_status publish_last(jz_ws ws)
{
    (void)ws;
    return jz_server_publish(loop.server, topic, strlen(topic), JZ_MESSAGE_TEXT, "last", 4);
}

static jz_send_status publish_last_as_nobody_there(jz_ws ws)
{
    /* The subscriber itself is left out, so it says it a second time by a send. */
    jz_send_status status = jz_ws_publish(ws, topic, strlen(topic), JZ_MESSAGE_TEXT, "not for me", 10);
    return send_last(ws) == JZ_SEND_QUEUED ? status : JZ_SEND_DROPPED;
}

static jz_send_status (*say_last)(jz_ws ws);

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, topic, strlen(topic));
        loop.ws = ws.value;
    } else if (event->type == JZ_EVENT_MESSAGE) {
        loop.holds = true;
        test_hold_while(!loop.is_let_go);
        loop.answer = (int)say_last(ws);
    }
}

static test_client client;

/*
 * A server with a client whose handler holds the loop, and will say `say` when it is let go; much was sent before.
 * Comes with the client's message: `behind_it`, unless it is NULL.
 */
static void start_with(jz_send_status (*say)(jz_ws ws), const test_frame *behind_it)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    jz_buffer said = {0};
    say_last = say;
    loop.ws = 0;
    loop.holds = loop.is_let_go = false;
    jz_options options = serving_options(1);
    const serving_route routes[] = {{"/", handle, NULL, NULL}};
    loop.server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&client, jz_server_port(loop.server), UPGRADE_REQUEST("/")));
    assert_eventually(loop.ws != 0);
    test_frame_append(&said, &(test_frame)TEXT("hold"), key);
    if (behind_it != NULL)
        test_frame_append(&said, behind_it, key);
    test_client_send(&client, said.bytes, said.length);
    jz_buffer_free(&said);
    assert_eventually(loop.holds);
    for (int i = 0; i < BEFORE; i++)
        assert_int_equal(jz_ws_send((jz_ws){loop.ws}, JZ_MESSAGE_TEXT, "before", 6), JZ_SEND_QUEUED);
}

static void start_and_send_before(jz_send_status (*say)(jz_ws ws))
{
    start_with(say, NULL);
}

static void expect_last_after_all_before(void)
{
    loop.is_let_go = true;
    for (int i = 0; i < BEFORE; i++)
        test_client_expect(&client, JZ_OPCODE_TEXT, "before", 6);
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(loop.server);
}

static void what_a_handler_says_comes_after_all_that_was_asked_before(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {send_last, publish_last, publish_last_as_nobody_there};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        start_and_send_before(ways[i]);
        expect_last_after_all_before();
        assert_true(loop.answer == JZ_SEND_QUEUED || loop.answer == JZ_SEND_SENT);
        finish();
    }
}

static void what_was_sent_before_a_stop_goes_out_before_the_close(void **state)
{
    (void)state;
    start_and_send_before(send_last);
    jz_server_stop(loop.server);
    expect_last_after_all_before();
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    finish();
}

/* Answered at once, the close would be sent before it, and it never (RFC 6455 section 5.5.1). */
static void what_a_handler_says_comes_before_the_answer_to_a_close_behind_its_message(void **state)
{
    (void)state;
    start_with(send_last, &(test_frame)CLOSE(1000, ""));
    expect_last_after_all_before();
    assert_int_equal(loop.answer, JZ_SEND_QUEUED);
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    finish();
}

static void what_comes_behind_a_message_whose_answer_waits_is_delivered_after_it(void **state)
{
    (void)state;
    start_with(send_last, &(test_frame)TEXT("again"));
    expect_last_after_all_before();
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
    finish();
}

static jz_send_status close_it(jz_ws ws)
{
    return jz_ws_close(ws, JZ_CLOSE_NORMAL, "", 0);
}

static jz_send_status publish_to_others(jz_ws ws)
{
    return jz_ws_publish(ws, topic, strlen(topic), JZ_MESSAGE_TEXT, "others", 6);
}

static jz_send_status subscribe(jz_ws ws)
{
    return jz_ws_subscribe(ws, "another", 7);
}

static jz_send_status unsubscribe(jz_ws ws)
{
    return jz_ws_unsubscribe(ws, topic, strlen(topic));
}

static const struct {
    const char *name;
    jz_send_status (*ask)(jz_ws ws);
} askings[] = {
    {"send", send_last},
    {"publish", publish_last},
    {"publish to others", publish_to_others},
    {"subscribe", subscribe},
    {"unsubscribe", unsubscribe},
    {"pause", jz_ws_pause_reading},
    {"resume", jz_ws_resume_reading},
    {"close", close_it},
    {"terminate", jz_ws_terminate},
};

static struct {
    atomic_bool holds[2]; /* before the handler takes the iteration's share of letters, and after */
    atomic_bool is_let_go[2];
    jz_send_status (*ask)(jz_ws ws);
} filled;

static void hold(size_t number)
{
    filled.holds[number] = true;
    test_hold_while(!filled.is_let_go[number]);
}

static void ask_where_no_more_may_wait(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, topic, strlen(topic));
        loop.ws = ws.value;
    } else if (event->type == JZ_EVENT_MESSAGE) {
        hold(0);
        jz_ws_unsubscribe(ws, "none", 4);
        hold(1);
        loop.answer = (int)filled.ask(ws);
    }
}

/* Asks for what costs nothing, until no more may wait. */
static void fill_the_mailbox(size_t number)
{
    assert_eventually(filled.holds[number]);
    while (jz_ws_unsubscribe((jz_ws){loop.ws}, "none", 4) == JZ_SEND_QUEUED)
        continue;
    filled.is_let_go[number] = true;
}

/* The limit is of what other threads ask. */
static void what_a_handler_asks_is_taken_where_others_may_ask_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(askings); i++) {
        memset(&filled, 0, sizeof filled);
        filled.ask = askings[i].ask;
        loop.ws = 0;
        loop.answer = -1;
        jz_options options = serving_options(1);
        options.mailbox_limit = 1024 * 1024;
        const serving_route routes[] = {{"/", ask_where_no_more_may_wait, NULL, NULL}};
        loop.server = serving_start(&options, routes, COUNT_OF(routes));
        assert_true(test_client_open(&client, jz_server_port(loop.server), UPGRADE_REQUEST("/")));
        assert_eventually(loop.ws != 0);
        test_client_send_frame(&client, &(test_frame)TEXT("hold"));
        fill_the_mailbox(0);
        fill_the_mailbox(1);
        assert_eventually(loop.answer != -1);
        assert_that(loop.answer == JZ_SEND_SENT || loop.answer == JZ_SEND_QUEUED, "%s: %d", askings[i].name,
                    loop.answer);
        finish();
    }
}

/* Letters that were taken while a handler's call made room for itself: each is a pong. */
static size_t pongs_sent(void)
{
    jz_statistics statistics;
    jz_server_statistics(loop.server, &statistics);
    return (size_t)statistics.messages_sent[JZ_MESSAGE_PONG];
}

enum { LETTER = 128 /* what a letter without content counts */, LONG = 40 * LETTER };

static struct {
    atomic_size_t taken[2];
    atomic_int answers[2];
    atomic_bool is_done;
} made_room;

static void send_where_no_more_may_wait(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const uint8_t payload[LONG];
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        loop.ws = ws.value;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    hold(0);
    jz_ws_unsubscribe(ws, "none", 4);
    hold(1);
    for (size_t i = 0; i < COUNT_OF(made_room.taken); i++) {
        size_t before = pongs_sent();
        made_room.answers[i] = (int)jz_ws_send(ws, JZ_MESSAGE_BINARY, payload, sizeof payload);
        made_room.taken[i] = pongs_sent() - before;
    }
    made_room.is_done = true;
}

/* All that waits would be some eight thousand letters, and every other connection of the loop would wait for them. */
static void a_handlers_call_takes_only_as_many_letters_as_make_room_for_it(void **state)
{
    (void)state;
    memset(&filled, 0, sizeof filled);
    made_room.is_done = false;
    loop.ws = 0;
    jz_options options = serving_options(1);
    options.mailbox_limit = 1024 * 1024;
    const serving_route routes[] = {{"/", send_where_no_more_may_wait, NULL, NULL}};
    loop.server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&client, jz_server_port(loop.server), UPGRADE_REQUEST("/")));
    assert_eventually(loop.ws != 0);
    test_client_send_frame(&client, &(test_frame)TEXT("hold"));
    for (size_t i = 0; i < COUNT_OF(filled.holds); i++) {
        assert_eventually(filled.holds[i]);
        while (jz_ws_send((jz_ws){loop.ws}, JZ_MESSAGE_PONG, "", 0) == JZ_SEND_QUEUED)
            continue;
        filled.is_let_go[i] = true;
    }
    assert_eventually(made_room.is_done);
    /* The first finds a mailbox that is just full, the second one that has the first's message, too. */
    assert_int_equal(made_room.answers[0], JZ_SEND_QUEUED);
    assert_int_equal(made_room.answers[1], JZ_SEND_QUEUED);
    assert_that(made_room.taken[0] <= 2, "%zu letters for the first", (size_t)made_room.taken[0]);
    assert_that(made_room.taken[1] <= LONG / LETTER + 2, "%zu letters for the second", (size_t)made_room.taken[1]);
    finish();
}

static struct {
    jz_send_status (*end)(jz_ws ws);
    atomic_size_t messages;
    atomic_bool was_open; /* after it was ended */
    atomic_int sent;      /* the answer to a message then */
    atomic_size_t closes;
} ended;

static void end_with_the_first(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        loop.ws = ws.value;
    ended.closes += event->type == JZ_EVENT_CLOSE;
    if (event->type != JZ_EVENT_MESSAGE || ended.messages++ > 0)
        return;
    loop.holds = true;
    test_hold_while(!loop.is_let_go);
    loop.answer = (int)ended.end(ws);
    ended.was_open = jz_ws_is_open(ws);
    ended.sent = (int)jz_ws_send(ws, JZ_MESSAGE_TEXT, "too late", 8);
}

static void a_handler_that_has_ended_its_connection_hears_of_nothing_but_the_close(void **state)
{
    (void)state;
    jz_send_status (*const ways[])(jz_ws ws) = {close_it, jz_ws_terminate};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        memset(&ended, 0, sizeof ended);
        ended.end = ways[i];
        loop.ws = 0;
        loop.holds = loop.is_let_go = false;
        jz_options options = serving_options(1);
        const serving_route routes[] = {{"/", end_with_the_first, NULL, NULL}};
        loop.server = serving_start(&options, routes, COUNT_OF(routes));
        assert_true(test_client_open(&client, jz_server_port(loop.server), UPGRADE_REQUEST("/")));
        assert_eventually(loop.ws != 0);
        /* Three messages and an answer to the close frame, masked with zero. */
        static const char frames[] = "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c\x88\x82\0\0\0\0\x03\xE8";
        assert_true(test_client_send(&client, frames, sizeof frames - 1));
        assert_eventually(loop.holds);
        for (int j = 0; j < BEFORE; j++)
            assert_int_equal(jz_ws_unsubscribe((jz_ws){loop.ws}, "none", 4), JZ_SEND_QUEUED);
        loop.is_let_go = true;
        assert_eventually(ended.closes == 1);
        assert_int_equal(loop.answer, JZ_SEND_QUEUED);
        assert_int_equal(ended.messages, 1);
        assert_false(ended.was_open);
        assert_int_equal(ended.sent, JZ_SEND_CLOSED);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_handler_says_comes_after_all_that_was_asked_before),
        cmocka_unit_test(what_was_sent_before_a_stop_goes_out_before_the_close),
        cmocka_unit_test(what_a_handler_says_comes_before_the_answer_to_a_close_behind_its_message),
        cmocka_unit_test(what_comes_behind_a_message_whose_answer_waits_is_delivered_after_it),
        cmocka_unit_test(a_handler_that_has_ended_its_connection_hears_of_nothing_but_the_close),
        cmocka_unit_test(what_a_handler_asks_is_taken_where_others_may_ask_no_more),
        cmocka_unit_test(a_handlers_call_takes_only_as_many_letters_as_make_room_for_it),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("order behind letters", tests, NULL, NULL));
}
