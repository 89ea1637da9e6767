/* Closing all subscribers of a topic where a mailbox is full, or memory is short: all are closed, or none. */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/hall.h"
#include "support/testing.h"

enum { LOOPS = 4, MANY = 600 };

#define ENOUGH "enough", 6

static hall room;
static atomic_bool holds; /* the speaker's handler has its loop, until it may go on */
static atomic_bool may_go_on;

static void hold_the_loop(struct hall *here)
{
    (void)here;
    holds = true;
    test_hold_while(!may_go_on);
}

static jz_send_status close_room(void)
{
    return jz_server_close_topic(room.server, HALL_ROOM, 4001, ENOUGH);
}

/* Publishes, and waits until every member was told as often as that. */
static void expect_all_to_be_told(size_t times)
{
    uint64_t deadline = test_deadline();
    while (jz_server_publish(room.server, HALL_ROOM, JZ_MESSAGE_TEXT, "still here", 10) == JZ_SEND_DROPPED)
        assert_true(test_pause_before(deadline));
    for (size_t i = 0; i < room.size; i++)
        assert_turning(&room.fleet, room.texts[i] == times);
}

/* Each has a close frame or, where there was no memory for it, has ended without one. */
static void expect_all_to_be_closed(void)
{
    for (size_t i = 0; i < room.size; i++)
        assert_turning(&room.fleet, room.fleet.clients[i].has_ended || room.codes[i] == 4001);
}

static void where_one_mailbox_is_full_nobody_is_closed(void **state)
{
    (void)state;
    enum { MEMBERS = 2 * LOOPS };
    hall_open(&room, LOOPS, MEMBERS, hold_the_loop);
    assert_true(fleet_send(&room.fleet, MEMBERS, JZ_OPCODE_TEXT, "go", 2));
    assert_turning(&room.fleet, holds);
    while (jz_ws_unsubscribe(room.speaker, "none", 4) == JZ_SEND_QUEUED)
        continue;
    uint64_t dropped = jz_server_dropped_count(room.server);
    assert_int_equal(close_room(), JZ_SEND_DROPPED);
    assert_int_equal(jz_server_dropped_count(room.server), dropped);                   /* it was no message */
    assert_int_equal(jz_server_subscribers(room.server, HALL_ROOM, NULL, 0), MEMBERS); /* nobody waits for the loop */
    may_go_on = true;
    assert_turning(&room.fleet, room.has_spoken);
    expect_all_to_be_told(1);
    assert_int_equal(room.closed, 0);
    assert_int_equal(close_room(), JZ_SEND_SENT);
    assert_turning(&room.fleet, room.closed == MEMBERS);
    hall_leave(&room);
    hall_finish(&room);
}

/* No loop has anything to do during the call, so the allocations are its own. */
static void without_memory_nobody_is_closed(void **state)
{
    (void)state;
    enum { MEMBERS = LOOPS };
    size_t live = test_live_allocations();
    hall_open(&room, LOOPS, MEMBERS, hold_the_loop);
    expect_all_to_be_told(1);
    size_t failures = 0;
    jz_send_status status = JZ_SEND_DROPPED;
    while (status == JZ_SEND_DROPPED) {
        test_allocation_fails_once_after(failures);
        status = close_room();
        test_allocations_succeed();
        if (status == JZ_SEND_DROPPED)
            expect_all_to_be_told(++failures + 1);
    }
    assert_int_equal(failures, LOOPS); /* one errand for each loop */
    /* At last it may be a loop that had no memory for a close frame. */
    expect_all_to_be_closed();
    assert_int_equal(room.disorders, 0);
    hall_leave(&room);
    hall_finish(&room);
    assert_int_equal(test_live_allocations(), live);
}

static jz_send_status last_status;

static void close_and_use_up_memory(struct hall *here)
{
    (void)here;
    last_status = close_room();
    test_allocations_fail_after(0);
}

/* The caller was told that they are closed: without memory for a close frame they end without one. */
static void who_is_to_be_closed_ends_even_without_memory(void **state)
{
    (void)state;
    hall_open(&room, 1, MANY, close_and_use_up_memory);
    assert_true(fleet_send(&room.fleet, MANY, JZ_OPCODE_TEXT, "go", 2));
    expect_all_to_be_closed();
    test_allocations_succeed();
    assert_int_equal(last_status, JZ_SEND_SENT);
    assert_true(room.closed < MANY);
    assert_int_equal(hall_open_members(&room), 0);
    hall_leave(&room);
    hall_finish(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_one_mailbox_is_full_nobody_is_closed),
        cmocka_unit_test(without_memory_nobody_is_closed),
        cmocka_unit_test(who_is_to_be_closed_ends_even_without_memory),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("limits of closing topics", tests, NULL, NULL));
}
