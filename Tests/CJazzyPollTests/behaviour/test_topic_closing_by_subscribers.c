/*
 * A handler on the loop that closes the topic of its own connection gets no more messages, as after jz_ws_close: though
 * many others are closed before, in later iterations, and though its call waits behind those of other threads.
 */
#define _POSIX_C_SOURCE 200809L

#include "codec/frame_header.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/fleet.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

enum { OTHERS = 600, /* more than one iteration closes */ CALLS = 20000 /* more than one iteration takes */ };

#define ROOM "room", 4

static jz_server *server;
static journal seen;
static test_client peer;
static fleet others;
static size_t closed; /* of the others */
static atomic_bool is_held;
static atomic_bool holds;
static atomic_int answer;

static void subscribe(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, ROOM);
}

static void subscribe_and_close_topic(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    subscribe(journal, ws, event, message);
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    holds = true;
    test_hold_while(is_held);
    answer = (int)jz_server_close_topic(server, ROOM, 4001, "enough", 6);
}

static void take(void *context, size_t number, uint8_t opcode, const uint8_t *begin, size_t length)
{
    (void)context;
    (void)number;
    (void)begin;
    closed += opcode == JZ_OPCODE_CLOSE && length == 8 ? 1 : 0;
}

/* The peer is the first subscriber, which is closed last. */
static void start(size_t count)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = subscribe_and_close_topic;
    is_held = count == 0;
    holds = false;
    closed = 0;
    jz_options options = serving_options(1);
    options.close_timeout_ms = 3 * TEST_DEADLINE_MS;
    const serving_route routes[] = {{"/", journal_handle, &seen, NULL}, {"/other", subscribe, NULL, NULL}};
    server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(jz_server_subscribers(server, ROOM, NULL, 0) == 1);
    assert_true(fleet_start(&others, count, take, NULL));
    for (size_t i = 0; i < count; i++)
        assert_true(fleet_open(&others, i, jz_server_port(server), "/other", 0));
    assert_turning(&others, jz_server_subscribers(server, ROOM, NULL, 0) == count + 1);
}

/* Three messages together, masked with zero. */
static void send_messages(void)
{
    static const char frames[] = "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c";
    assert_true(test_client_send(&peer, frames, sizeof frames - 1));
}

static void expect_one_message_and_the_close(void)
{
    test_client_expect(&peer, JZ_OPCODE_CLOSE,
                       "\x0F\xA1"
                       "enough",
                       8);
    test_client_send_frame(&peer, &(test_frame)CLOSE(4001, "enough"));
    journal_expect(&seen, 1, "open text(a) close(4001 clean enough)");
    assert_int_equal(answer, JZ_SEND_SENT);
    assert_false(seen.was_reentered);
    test_client_close(&peer);
    fleet_finish(&others);
    jz_server_destroy(server);
}

static void who_closes_a_large_topic_gets_no_more(void **state)
{
    (void)state;
    start(OTHERS);
    send_messages();
    assert_turning(&others, closed == OTHERS);
    expect_one_message_and_the_close();
}

static void who_closes_its_topic_behind_many_calls_gets_no_more(void **state)
{
    (void)state;
    start(0);
    send_messages();
    assert_eventually(holds);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(jz_ws_unsubscribe(journal_handle_of(&seen, 0), "none", 4), JZ_SEND_QUEUED);
    is_held = false;
    expect_one_message_and_the_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_closes_a_large_topic_gets_no_more),
        cmocka_unit_test(who_closes_its_topic_behind_many_calls_gets_no_more),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("closing topics by subscribers", tests, NULL, NULL));
}
