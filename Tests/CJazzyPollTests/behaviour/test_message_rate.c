/* Routes that limit the rate of a connection's messages: who exceeds it is closed, or what exceeds it is dropped. */
#include "support/eventually.h"
#include "support/paced.h"
#include "support/testing.h"

static void who_exceeds_the_rate_is_closed_with_1008_and_its_own_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        const jz_route_options route = paced_options(10, 3, JZ_EXCEEDING_CLOSE);
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, 3);
        paced_expect_messages(paced_manners[i].name, 3);
        paced_advance(100);
        paced_send_numbers(3, 1);
        paced_expect_messages(paced_manners[i].name, 4);
        paced_send_numbers(4, 30);
        paced_expect_close(1008, "too many messages");
        test_client_send_frame(&paced_server.peer, &(test_frame)CLOSE(1008, ""));
        assert_true(test_client_sees_end(&paced_server.peer));
        assert_eventually(paced_server.closes == 1);
        assert_int_equal(paced_server.messages, 4);
        assert_int_equal(paced_server.cause, JZ_CAUSE_MESSAGE_RATE);
        jz_statistics now = paced_statistics();
        assert_int_equal(now.causes[JZ_CAUSE_MESSAGE_RATE], 1);
        assert_int_equal(now.closes[1008 - 1000], 1);
        assert_int_equal(now.exceeded[JZ_EXCEEDING_CLOSE], 1);
        assert_int_equal(now.exceeded[JZ_EXCEEDING_PAUSE] + now.exceeded[JZ_EXCEEDING_DROP], 0);
        paced_finish();
    }
}

/* The numbers that were dropped are missing. */
static void what_exceeds_the_rate_is_dropped_and_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        const jz_route_options route = paced_options(10, 3, JZ_EXCEEDING_DROP);
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, 30);
        paced_expect_messages(paced_manners[i].name, 3);
        assert_eventually(paced_statistics().exceeded[JZ_EXCEEDING_DROP] == 27);
        paced_advance(200);
        paced_send_numbers(3, 10);
        paced_expect_messages(paced_manners[i].name, 5);
        assert_eventually(paced_statistics().exceeded[JZ_EXCEEDING_DROP] == 27 + 8);
        assert_true(jz_ws_is_open((jz_ws){paced_server.ws}));
        assert_int_equal(
            paced_statistics().exceeded[JZ_EXCEEDING_CLOSE] + paced_statistics().exceeded[JZ_EXCEEDING_PAUSE], 0);
        assert_int_equal(paced_statistics().dropped, 0); /* messages to peers */
        paced_finish();
    }
}

/* Each time, its next message finds that the rate has given one. */
static void who_keeps_to_the_rate_notices_nothing(void **state)
{
    (void)state;
    for (int exceeding = 0; exceeding < JZ_EXCEEDING_COUNT; exceeding++) {
        const jz_route_options route = paced_options(20, 1, (jz_exceeding)exceeding);
        paced_start(&paced_manners[ON_LOOP], &route);
        for (size_t i = 0; i < 50; i++) {
            paced_send_numbers(i, 1);
            paced_expect_messages("at the rate", i + 1);
            paced_advance(50);
        }
        jz_statistics now = paced_statistics();
        assert_int_equal(now.exceeded[JZ_EXCEEDING_CLOSE] + now.exceeded[JZ_EXCEEDING_DROP], 0);
        paced_finish();
    }
}

static void send_pings(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_send_frame(&paced_server.peer, &(test_frame)PING("p"));
}

static void expect_pongs(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_expect(&paced_server.peer, JZ_OPCODE_PONG, "p", 1);
}

static void pings_have_an_allowance_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        jz_route_options route = paced_options(10, 3, JZ_EXCEEDING_DROP);
        paced_start(&paced_manners[i], &route);
        send_pings(10);
        expect_pongs(10); /* also to those that are dropped */
        paced_send_numbers(0, 3);
        paced_expect_messages(paced_manners[i].name, 3);
        assert_int_equal(paced_server.pings, 3);
        assert_int_equal(paced_statistics().exceeded[JZ_EXCEEDING_DROP], 7);
        paced_finish();

        route = paced_options(10, 3, JZ_EXCEEDING_CLOSE);
        paced_start(&paced_manners[i], &route);
        send_pings(4);
        expect_pongs(4);
        paced_expect_close(1008, "too many messages");
        paced_finish();

        route = paced_options(10, 3, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[i], &route);
        send_pings(4);
        expect_pongs(3);
        paced_let_turn();
        assert_true(test_client_hears_nothing(&paced_server.peer));
        paced_advance(100 + PACED_LATE_MS);
        expect_pongs(1);
        paced_finish();
    }
}

/* The handler does not see them, but they count. */
static void pings_that_nobody_wants_to_see_are_paused_as_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        jz_route_options route = paced_options(10, 3, JZ_EXCEEDING_PAUSE);
        route.control_messages = false;
        paced_start(&paced_manners[i], &route);
        jz_buffer bytes = {0};
        for (int ping = 0; ping < 40; ping++)
            test_frame_append(&bytes, &(test_frame)PING("p"), (const uint8_t[4]){0});
        assert_true(test_client_send(&paced_server.peer, bytes.bytes, bytes.length));
        jz_buffer_free(&bytes);
        expect_pongs(3);
        paced_let_turn();
        assert_true(test_client_hears_nothing(&paced_server.peer));
        assert_int_equal(paced_server.pings, 0);
        paced_finish();
    }
}

/* Which come more often than the rate gives a message, because they show whether a silent peer is there. */
static void who_answers_the_pings_of_the_idle_time_out_uses_up_nothing(void **state)
{
    (void)state;
    enum { IDLE_MS = 400, ROUNDS = 6 };
    for (size_t i = 0; i < PACED_MANNERS * JZ_EXCEEDING_COUNT; i++) {
        const paced_manner *manner = &paced_manners[i % PACED_MANNERS];
        jz_route_options route = paced_options(1, 1, (jz_exceeding)(i / PACED_MANNERS));
        route.idle_timeout_ms = IDLE_MS;
        paced_start(manner, &route);
        for (size_t round = 1; round <= ROUNDS; round++) {
            paced_advance(IDLE_MS / 2 + PACED_STEP_MS);
            test_client_expect(&paced_server.peer, JZ_OPCODE_PING, "", 0);
            test_client_send_frame(&paced_server.peer, &(test_frame)PONG(""));
            assert_eventually(paced_server.pings == round);
        }
        for (int exceeding = 0; exceeding < JZ_EXCEEDING_COUNT; exceeding++)
            assert_int_equal(paced_statistics().exceeded[exceeding], 0);
        assert_true(jz_ws_is_open((jz_ws){paced_server.ws}));
        paced_finish();
    }
}

static void a_later_connection_in_the_same_slot_begins_afresh(void **state)
{
    (void)state;
    const jz_route_options route = paced_options(1, 2, JZ_EXCEEDING_CLOSE);
    paced_start(&paced_manners[ON_LOOP], &route);
    for (size_t round = 0; round < 3; round++) {
        paced_send_numbers(2 * round, 2);
        paced_expect_messages("a new connection", 2 * (round + 1));
        test_client_close(&paced_server.peer);
        assert_eventually(paced_server.closes == round + 1);
        assert_true(test_client_open(&paced_server.peer, jz_server_port(paced_server.server), UPGRADE_REQUEST("/")));
        assert_eventually(paced_server.opens == round + 2);
    }
    paced_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_exceeds_the_rate_is_closed_with_1008_and_its_own_cause),
        cmocka_unit_test(what_exceeds_the_rate_is_dropped_and_counted),
        cmocka_unit_test(who_keeps_to_the_rate_notices_nothing),
        cmocka_unit_test(pings_have_an_allowance_of_their_own),
        cmocka_unit_test(pings_that_nobody_wants_to_see_are_paused_as_exactly),
        cmocka_unit_test(who_answers_the_pings_of_the_idle_time_out_uses_up_nothing),
        cmocka_unit_test(a_later_connection_in_the_same_slot_begins_afresh),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("message rate", tests, NULL, NULL));
}
