/* Closing all subscribers of a topic: on every loop, after what was sent before, and a part of them at a time. */
#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/hall.h"
#include "support/testing.h"

enum { LOOPS = 4, AT_ONCE = 256, MANY = 3 * AT_ONCE + 17, GONE = 100 };

#define ENOUGH "enough", 6

static hall room;
static jz_send_status last_status;

static void publish_and_close(struct hall *here)
{
    jz_server_publish(here->server, HALL_ROOM, JZ_MESSAGE_TEXT, "last words", 10);
    last_status = jz_server_close_topic(here->server, HALL_ROOM, 4001, ENOUGH);
}

static void all_subscribers_on_all_loops_are_closed_after_what_was_published(void **state)
{
    (void)state;
    enum { MEMBERS = 24 };
    for (int from_handler = 0; from_handler < 2; from_handler++) {
        hall_open(&room, LOOPS, MEMBERS, publish_and_close);
        if (from_handler)
            hall_let_speak(&room);
        else
            publish_and_close(&room);
        assert_int_equal(last_status, JZ_SEND_SENT);
        assert_turning(&room.fleet, room.closed == MEMBERS);
        assert_int_equal(hall_closed_with(&room, 4001), MEMBERS);
        for (size_t i = 0; i < MEMBERS; i++)
            assert_int_equal(room.texts[i], 1);
        assert_int_equal(room.enough, MEMBERS);
        assert_int_equal(room.codes[MEMBERS], 0); /* the speaker is no subscriber */
        hall_leave(&room);
        assert_int_equal(room.closed_by_application, MEMBERS);
        assert_int_equal(room.disorders, 0);
        hall_finish(&room);
    }
}

static const struct {
    uint16_t code;
    const char *reason;
    jz_send_status status;
    size_t length; /* of the close frame */
} codes[] = {
    {999, "", JZ_SEND_DROPPED, 0},
    {1004, "", JZ_SEND_DROPPED, 0},
    {5000, "", JZ_SEND_DROPPED, 0},
    {1000, "\xFF", JZ_SEND_DROPPED, 0},
    {1005, "unseen", JZ_SEND_SENT, 0},
    {1000, "", JZ_SEND_SENT, 2},
    {4999,
     "This reason is longer than the one hundred and twenty-three bytes that fit into a close frame, so that there is "
     "no room fo\xC3\xA9",
     JZ_SEND_SENT, 124},
};

static void a_code_that_may_not_be_sent_closes_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        hall_open(&room, 1, 0, NULL);
        static test_client client;
        test_received frame;
        assert_true(test_client_open(&client, jz_server_port(room.server), UPGRADE_REQUEST("/in")));
        assert_eventually(room.count == 1);
        assert_int_equal(
            jz_server_close_topic(room.server, HALL_ROOM, codes[i].code, codes[i].reason, strlen(codes[i].reason)),
            codes[i].status);
        jz_server_publish(room.server, HALL_ROOM, JZ_MESSAGE_TEXT, "still here", 10);
        assert_true(test_client_take_frame(&client, &frame));
        bool is_closed = frame.opcode == JZ_OPCODE_CLOSE;
        assert_that(is_closed == (codes[i].status == JZ_SEND_SENT), "%d: opcode %d", codes[i].code, frame.opcode);
        assert_that(!is_closed || frame.length == codes[i].length, "%d: %zu", codes[i].code, frame.length);
        assert_int_equal(jz_server_close_topic(room.server, "nobody", 6, 1000, "", 0), JZ_SEND_SENT);
        test_client_close(&client);
        hall_finish(&room);
    }
}

static size_t left_open;
static size_t refused;

/* The first ones leave the topic, and the last ones take their places in its list. */
static void close_and_unsubscribe(struct hall *here)
{
    last_status = jz_server_close_topic(here->server, HALL_ROOM, 4001, ENOUGH);
    left_open = hall_open_members(here);
    refused = 0;
    for (size_t i = 0; i < GONE; i++)
        refused += jz_ws_unsubscribe(here->members[i], HALL_ROOM) == JZ_SEND_SENT ? 0 : 1;
}

static void a_large_topic_is_closed_in_parts_of_which_none_is_missed(void **state)
{
    (void)state;
    hall_open(&room, 1, MANY, close_and_unsubscribe);
    jz_statistics before;
    jz_statistics after;
    jz_server_statistics(room.server, &before);
    hall_let_speak(&room);
    assert_int_equal(left_open, MANY - AT_ONCE);
    assert_int_equal(refused, 0);
    assert_turning(&room.fleet, room.closed == MANY - GONE);
    jz_server_statistics(room.server, &after);
    /* Those before the last one, in which the last close frames went out. */
    assert_true(after.iterations - before.iterations >= (MANY - GONE - 1) / AT_ONCE);
    for (size_t i = 0; i < MANY; i++) {
        assert_that(room.codes[i] == (i < GONE ? 0 : 4001), "%zu: %d", i, room.codes[i]);
        assert_int_equal(jz_ws_is_open(room.members[i]), i < GONE);
    }
    hall_leave(&room);
    assert_int_equal(room.disorders, 0);
    hall_finish(&room);
}

static void close_large_and_small(struct hall *here)
{
    for (size_t i = 0; i < GONE; i++) {
        jz_ws_unsubscribe(here->members[i], HALL_ROOM);
        jz_ws_subscribe(here->members[i], "small", 5);
    }
    jz_server_close_topic(here->server, HALL_ROOM, 4001, ENOUGH);
    jz_server_close_topic(here->server, "small", 5, 4002, ENOUGH);
    jz_server_close_topic(here->server, HALL_ROOM, 4003, ENOUGH); /* too late for all of them */
}

static void closings_of_several_topics_all_come_to_their_end(void **state)
{
    (void)state;
    hall_open(&room, 1, MANY, close_large_and_small);
    hall_let_speak(&room);
    assert_turning(&room.fleet, room.closed == MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_that(room.codes[i] == (i < GONE ? 4002 : 4001), "%zu: %d", i, room.codes[i]);
    hall_leave(&room);
    assert_int_equal(room.disorders, 0);
    hall_finish(&room);
}

static void close_and_stop(struct hall *here)
{
    last_status = jz_server_close_topic(here->server, HALL_ROOM, 4001, ENOUGH);
    jz_server_stop(here->server);
}

static void a_stop_comes_after_what_was_closed_before(void **state)
{
    (void)state;
    hall_open(&room, 2, MANY, close_and_stop);
    hall_let_speak(&room);
    assert_turning(&room.fleet, room.closed == MANY + 1);
    assert_int_equal(hall_closed_with(&room, 4001), MANY);
    assert_int_equal(room.codes[MANY], 1001); /* of the speaker, who is not in the room */
    hall_leave(&room);
    assert_int_equal(room.closed_by_application, MANY);
    hall_finish(&room);
}

static void close_and_end_at_once(struct hall *here)
{
    last_status = jz_server_close_topic(here->server, HALL_ROOM, 4001, ENOUGH);
    jz_server_stop_within(here->server, 0);
}

static void a_server_that_ends_meanwhile_keeps_nothing_of_it(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    hall_open(&room, 2, MANY, close_and_end_at_once);
    hall_let_speak(&room);
    jz_server_wait(room.server);
    assert_int_equal(room.closes, MANY);
    assert_int_equal(jz_server_close_topic(room.server, HALL_ROOM, 4001, ENOUGH), JZ_SEND_CLOSED);
    hall_finish(&room);
    assert_int_equal(test_live_allocations(), live);
}

/* A server that never runs: the errands wait in vain. */
static void what_a_server_that_never_ran_was_asked_is_forgotten(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_server *server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_close_topic(server, HALL_ROOM, 4001, ENOUGH), JZ_SEND_SENT);
    assert_int_equal(jz_server_subscribers(server, HALL_ROOM, NULL, 0), 0);
    jz_server_destroy(server);
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_subscribers_on_all_loops_are_closed_after_what_was_published),
        cmocka_unit_test(a_code_that_may_not_be_sent_closes_nobody),
        cmocka_unit_test(a_large_topic_is_closed_in_parts_of_which_none_is_missed),
        cmocka_unit_test(closings_of_several_topics_all_come_to_their_end),
        cmocka_unit_test(a_stop_comes_after_what_was_closed_before),
        cmocka_unit_test(a_server_that_ends_meanwhile_keeps_nothing_of_it),
        cmocka_unit_test(what_a_server_that_never_ran_was_asked_is_forgotten),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("closing topics", tests, NULL, NULL));
}
