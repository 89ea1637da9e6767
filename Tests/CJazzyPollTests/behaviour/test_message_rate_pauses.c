/*
 * Routes that limit the rate of a connection's messages by reading later: none is lost or reordered, and the pauses get
 * in the way of nothing else.
 */
#include "support/bystander.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/paced.h"
#include "support/testing.h"

/* At any time there are neither more than the rate gives, nor fewer than it gave when a timer may have been late. */
static void expect_pace(const char *name, uint32_t burst, uint32_t per_second, size_t sent)
{
    uint64_t late_ms = paced_server.passed_ms > PACED_LATE_MS ? paced_server.passed_ms - PACED_LATE_MS : 0;
    /* In thousandths: what comes in 100 ms, and one, if that is more. */
    uint64_t at_first = burst * UINT64_C(1000);
    if (at_first < 1000 + UINT64_C(100) * per_second)
        at_first = 1000 + UINT64_C(100) * per_second;
    size_t most = (size_t)((at_first + paced_server.passed_ms * per_second) / 1000);
    size_t least = (size_t)((at_first + late_ms * per_second) / 1000);
    least = least < sent ? least : sent;
    uint64_t deadline = test_deadline();
    while (paced_server.messages < least)
        assert_that(test_pause_before(deadline), "%s: %zu messages after %u ms, not %zu", name, paced_server.messages,
                    (unsigned)paced_server.passed_ms, least);
    assert_that(paced_server.messages <= most, "%s: %zu messages after %u ms, not %zu", name, paced_server.messages,
                (unsigned)paced_server.passed_ms, most);
}

static void reading_pauses_so_that_all_come_in_order_at_the_rate(void **state)
{
    (void)state;
    static const struct {
        uint32_t per_second;
        uint32_t burst;
        size_t sent;
    } rows[] = {{10, 3, 23}, {20, 40, 60}, {20, 1, 43}, {1000, 1, 3000}, {3, 1, 5}};
    for (size_t i = 0; i < PACED_MANNERS * COUNT_OF(rows); i++) {
        const paced_manner *manner = &paced_manners[i % PACED_MANNERS];
        uint32_t per_second = rows[i / PACED_MANNERS].per_second;
        size_t sent = rows[i / PACED_MANNERS].sent;
        const jz_route_options route = paced_options(per_second, rows[i / PACED_MANNERS].burst, JZ_EXCEEDING_PAUSE);
        paced_start(manner, &route);
        paced_send_numbers(0, sent);
        while (paced_server.messages < sent) {
            expect_pace(manner->name, rows[i / PACED_MANNERS].burst, per_second, sent);
            paced_advance(PACED_STEP_MS);
        }
        assert_int_equal(paced_server.messages, sent);
        assert_true(paced_statistics().exceeded[JZ_EXCEEDING_PAUSE] > 0);
        assert_true(jz_ws_is_open((jz_ws){paced_server.ws}));
        paced_finish();
    }
}

/* What has come is in memory of the channel, of which the poll knows nothing: it must be looked for. */
static void what_waits_in_a_channel_is_read_when_reading_resumes(void **state)
{
    (void)state;
    enum { SENT = 300 };
    static const char request[] = UPGRADE_REQUEST("/");
    for (int on_workers = 0; on_workers < 2; on_workers++) {
        memory_client client;
        const jz_route_options route = paced_options(200, 1, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[on_workers], &route);
        assert_true(memory_connect(&client, &paced_server.network, paced_server.memory_port));
        assert_true(memory_send(&client, request, sizeof request - 1));
        jz_buffer bytes = paced_numbers(0, SENT);
        assert_true(memory_send(&client, bytes.bytes, bytes.length));
        jz_buffer_free(&bytes);
        uint64_t deadline = test_deadline();
        uint8_t heard[64]; /* pongs; a client that is heard also answers what the transport asks it */
        for (; paced_server.messages < SENT && test_pause_before(deadline); paced_advance(PACED_STEP_MS)) {
            (void)memory_receive(&client, heard, sizeof heard);
            assert_in_range(paced_server.messages, 0, 21 + paced_server.passed_ms * 200 / 1000);
        }
        assert_int_equal(paced_server.messages, SENT);
        memory_close(&client);
        assert_eventually(paced_server.closes == 1);
        paced_finish();
    }
}

/* The channel says once that there is something, which is when the kept input goes first: nothing says it again. */
static void what_comes_to_a_channel_while_input_is_kept_is_not_forgotten(void **state)
{
    (void)state;
    enum { PART = 5 };
    static const char request[] = UPGRADE_REQUEST("/");
    for (int on_workers = 0; on_workers < 2; on_workers++) {
        memory_client client;
        const jz_route_options route = paced_options(10, 1, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[on_workers], &route);
        paced_server.network.most_received = paced_server.network.contrary = 0; /* all that there is, at once */
        assert_true(memory_connect(&client, &paced_server.network, paced_server.memory_port));
        assert_true(memory_send(&client, request, sizeof request - 1));
        assert_eventually(paced_server.opens == 2);
        for (size_t part = 0; part < 2; part++) {
            jz_buffer bytes = paced_numbers(part * PART, PART);
            assert_true(memory_send(&client, bytes.bytes, bytes.length));
            jz_buffer_free(&bytes);
            paced_let_turn();
        }
        paced_expect_messages("at first", 2);
        while (paced_server.passed_ms < 1000)
            paced_advance(PACED_STEP_MS);
        paced_expect_messages("after a second", 2 * PART);
        memory_close(&client);
        assert_eventually(paced_server.closes == 1);
        paced_finish();
    }
}

/* A ping would come after half of the time-out. */
static void who_is_paused_is_not_idle_and_watched_again_later(void **state)
{
    (void)state;
    enum { IDLE_MS = 400 };
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        jz_route_options route = paced_options(1, 1, JZ_EXCEEDING_PAUSE);
        route.idle_timeout_ms = IDLE_MS;
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, 3);
        paced_expect_messages(paced_manners[i].name, 1);
        while (paced_server.passed_ms < 2000) { /* for two more */
            assert_true(test_client_hears_nothing(&paced_server.peer));
            paced_advance(PACED_STEP_MS);
        }
        paced_advance(PACED_LATE_MS);
        paced_expect_messages(paced_manners[i].name, 3);
        paced_advance(1000 + PACED_LATE_MS); /* until a fourth could be read */
        paced_advance(IDLE_MS / 2 + PACED_LATE_MS);
        test_client_expect(&paced_server.peer, JZ_OPCODE_PING, "", 0);
        assert_true(jz_ws_is_open((jz_ws){paced_server.ws}));
        paced_advance(IDLE_MS / 2 + PACED_LATE_MS);
        paced_expect_close(1001, "nothing came from the peer for too long");
        paced_finish();
    }
}

static void a_lifetime_ends_also_of_who_is_paused(void **state)
{
    (void)state;
    jz_route_options route = paced_options(1, 1, JZ_EXCEEDING_PAUSE);
    route.max_lifetime_ms = 1500;
    paced_start(&paced_manners[ON_LOOP], &route);
    paced_send_numbers(0, 100);
    paced_expect_messages("before", 1);
    paced_advance(1000 + PACED_LATE_MS);
    paced_expect_messages("after a second", 2);
    assert_true(test_client_hears_nothing(&paced_server.peer));
    paced_advance(500);
    paced_expect_close(1001, "the connection has reached its maximum lifetime");
    /* The answer is behind the messages, which nobody gets any more. */
    test_client_send_frame(&paced_server.peer, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&paced_server.peer));
    assert_eventually(paced_server.closes == 1);
    assert_int_equal(paced_server.messages, 2);
    paced_finish();
}

static void a_server_that_stops_ends_paused_connections_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        const jz_route_options route = paced_options(1, 1, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, 100);
        paced_expect_messages(paced_manners[i].name, 1);
        bystander_close();
        jz_server_stop_within(paced_server.server, PACED_LONG_MS);
        paced_expect_close(1001, "the server stops");
        test_client_send_frame(&paced_server.peer, &(test_frame)CLOSE(1001, ""));
        assert_true(test_client_sees_end(&paced_server.peer));
        jz_server_wait(paced_server.server);
        assert_int_equal(jz_server_ending(paced_server.server).clean, 1);
        assert_int_equal(paced_server.cause, JZ_CAUSE_STOPPING);
        test_client_close(&paced_server.peer);
        jz_server_destroy(paced_server.server);
        test_clocks_run();
    }
}

/* The only message that may wait for a worker waits when the allowance is used up, or the other way round. */
static void who_is_behind_for_two_reasons_is_read_when_both_are_over(void **state)
{
    (void)state;
    for (int rate_goes_first = 0; rate_goes_first < 2; rate_goes_first++) {
        jz_route_options route = paced_options(1, 2, JZ_EXCEEDING_PAUSE);
        route.max_waiting_events = 1;
        paced_start(&paced_manners[ON_WORKERS], &route);
        paced_server.is_held = true;
        paced_send_numbers(0, 1);
        assert_eventually(paced_server.holds == 1);
        paced_let_turn(); /* the loop has been told that nothing waits */
        paced_send_numbers(1, 3);
        paced_let_turn();
        if (rate_goes_first) {
            paced_advance(1000 + PACED_LATE_MS);
            assert_int_equal(paced_statistics().messages_received[JZ_MESSAGE_TEXT], 3 * 2 * 2 + 2);
            paced_server.is_held = false;
            paced_expect_messages("after the worker", 3);
        } else {
            paced_server.is_held = false;
            paced_expect_messages("before the next second", 2);
            paced_advance(1000 + PACED_LATE_MS);
            paced_expect_messages("after it", 3);
        }
        paced_advance(1000 + PACED_LATE_MS);
        paced_expect_messages("in the end", 4);
        paced_finish();
    }
}

static void who_is_paused_by_the_application_too_is_read_when_that_is_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACED_MANNERS; i++) {
        const jz_route_options route = paced_options(10, 1, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, 2);
        paced_expect_messages(paced_manners[i].name, 2);
        assert_int_equal(jz_ws_pause_reading((jz_ws){paced_server.ws}), JZ_SEND_QUEUED);
        paced_let_turn();
        paced_send_numbers(2, 2);
        paced_advance(100 + PACED_LATE_MS);
        paced_advance(1000);
        paced_expect_messages(paced_manners[i].name, 2);
        assert_int_equal(jz_ws_resume_reading((jz_ws){paced_server.ws}), JZ_SEND_QUEUED);
        paced_expect_messages(paced_manners[i].name, 4);
        paced_finish();
    }
}

/* Its next message is there already, or comes in pieces. */
static void a_message_may_be_under_way_when_reading_pauses(void **state)
{
    (void)state;
    static const char last[] = "\x81\x81\0\0\0\0"
                               "1";
    for (size_t cut = 1; cut < sizeof last - 1; cut++) {
        const jz_route_options route = paced_options(1, 1, JZ_EXCEEDING_PAUSE);
        uint8_t bytes[32] = "\x81\x81\0\0\0\0"
                            "0";
        paced_start(&paced_manners[ON_LOOP], &route);
        memcpy(bytes + 7, last, cut);
        assert_true(test_client_send(&paced_server.peer, bytes, 7 + cut));
        paced_expect_messages("the first", 1);
        assert_true(test_client_send(&paced_server.peer, last + cut, sizeof last - 1 - cut));
        paced_let_turn();
        assert_int_equal(paced_server.messages, 1);
        paced_advance(1000 + PACED_LATE_MS);
        paced_expect_messages("the second", 2);
        paced_finish();
    }
}

static void a_lost_peer_that_is_paused_is_let_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const jz_route_options route = paced_options(1, 1, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, 100);
        paced_expect_messages(paced_manners[i].name, 1);
        test_client_reset(&paced_server.peer);
        assert_eventually(paced_server.closes == 1);
        assert_int_equal(paced_server.messages, 1);
        bystander_close();
        jz_server_destroy(paced_server.server);
        test_clocks_run();
    }
}

/* The peer of a Unix domain socket is seen to have gone, though it is not read from. */
static void who_sends_much_and_leaves_is_heard_to_the_end(void **state)
{
    (void)state;
    enum { SENT = 20 };
    static test_client local;
    for (size_t i = 0; i < 2; i++) {
        const jz_route_options route = paced_options(10, 1, JZ_EXCEEDING_PAUSE);
        paced_start(&paced_manners[i], &route);
        paced_send_numbers(0, SENT);
        test_client_stop_sending(&paced_server.peer);
        while (paced_server.messages < SENT) {
            expect_pace("over TCP", 1, 10, SENT);
            paced_advance(PACED_STEP_MS);
        }
        paced_advance(100 + PACED_LATE_MS); /* until another could be read */
        assert_eventually(paced_server.closes == 1);

        assert_true(test_client_connect_unix(&local, paced_server.path));
        assert_true(test_client_upgrade(&local, UPGRADE_REQUEST("/")));
        jz_buffer bytes = paced_numbers(SENT, SENT);
        assert_true(test_client_send(&local, bytes.bytes, bytes.length));
        jz_buffer_free(&bytes);
        test_client_close(&local);
        uint64_t before_ms = paced_server.passed_ms;
        uint64_t deadline = test_deadline();
        for (; paced_server.messages < 2 * SENT && test_pause_before(deadline); paced_advance(PACED_STEP_MS))
            assert_in_range(paced_server.messages, SENT, SENT + 2 + (paced_server.passed_ms - before_ms) * 10 / 1000);
        assert_int_equal(paced_server.messages, 2 * SENT);
        paced_advance(100 + PACED_LATE_MS);
        assert_eventually(paced_server.closes == 2);
        paced_finish();
    }
}

/* As after a suspension of the machine. */
static void a_jump_of_the_clock_gives_one_burst(void **state)
{
    (void)state;
    const jz_route_options route = paced_options(10, 5, JZ_EXCEEDING_PAUSE);
    paced_start(&paced_manners[ON_LOOP], &route);
    paced_send_numbers(0, 20);
    paced_expect_messages("at once", 5);
    paced_advance(10ULL * PACED_LONG_MS);
    paced_expect_messages("after the jump", 10);
    paced_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_pauses_so_that_all_come_in_order_at_the_rate),
        cmocka_unit_test(what_waits_in_a_channel_is_read_when_reading_resumes),
        cmocka_unit_test(what_comes_to_a_channel_while_input_is_kept_is_not_forgotten),
        cmocka_unit_test(who_is_paused_is_not_idle_and_watched_again_later),
        cmocka_unit_test(a_lifetime_ends_also_of_who_is_paused),
        cmocka_unit_test(a_server_that_stops_ends_paused_connections_in_order),
        cmocka_unit_test(who_is_behind_for_two_reasons_is_read_when_both_are_over),
        cmocka_unit_test(who_is_paused_by_the_application_too_is_read_when_that_is_over),
        cmocka_unit_test(a_message_may_be_under_way_when_reading_pauses),
        cmocka_unit_test(a_lost_peer_that_is_paused_is_let_go),
        cmocka_unit_test(who_sends_much_and_leaves_is_heard_to_the_end),
        cmocka_unit_test(a_jump_of_the_clock_gives_one_burst),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("pauses of a message rate", tests, NULL, NULL));
}
