/*
 * Routes that limit the rate of a connection's messages: with handlers on the loop and on workers, over sockets and
 * over channels. The tests advance the clock.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "loop/timer.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum {
    STEP_MS = JZ_TICK_MS,
    LATE_MS = 2 * JZ_TICK_MS, /* a paused connection may be read so much later */
    LONG_MS = 3600 * 1000
};

/* What the handler has seen of its only connection. It runs on the server's threads, and asserts nothing. */
static struct {
    _Atomic uint64_t ws;
    atomic_size_t opens;
    atomic_size_t messages; /* texts with the next number each */
    atomic_size_t breaks;   /* texts with another */
    atomic_size_t pings;
    atomic_size_t closes;
    atomic_int cause;
    atomic_bool is_held; /* in every message */
    atomic_size_t holds;
} seen;

static jz_server *server;
static test_client peer;
static uint64_t began_ms; /* by the clock that the test advances, which then was 0 */
static uint64_t passed_ms;

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    char text[16] = "";
    size_t length = message->length < sizeof text ? message->length : 0;
    switch (event->type) {
    case JZ_EVENT_OPEN:
        seen.ws = ws.value;
        seen.opens++;
        break;
    case JZ_EVENT_CLOSE:
        seen.cause = (int)event->cause;
        seen.closes++;
        break;
    case JZ_EVENT_MESSAGE:
        if (message->kind > JZ_MESSAGE_BINARY) {
            seen.pings++;
            break;
        }
        memcpy(text, message->bytes, length);
        if ((size_t)atoi(text) != seen.messages)
            seen.breaks++;
        seen.messages++;
        seen.holds++;
        for (uint64_t deadline = test_deadline(); seen.is_held && test_pause_before(deadline);)
            continue;
        break;
    default:
        break;
    }
}

/* Whether handlers run on workers, and whether bytes go through channels. */
typedef struct manner {
    const char *name;
    jz_execution execution;
    bool has_channels;
} manner;

static const manner manners[] = {
    {"on the loop", JZ_EXECUTION_LOOP, false},
    {"on workers", JZ_EXECUTION_WORKERS, false},
    {"on the loop, over channels", JZ_EXECUTION_LOOP, true},
    {"on workers, over channels", JZ_EXECUTION_WORKERS, true},
};

static jz_route_options limited_to(uint32_t per_second, uint32_t burst, jz_exceeding exceeding)
{
    jz_route_options route = jz_route_options_default();
    route.message_rate = (jz_message_rate){per_second, burst, exceeding};
    return route;
}

static throttled throttle;

static void start(const manner *manner, const jz_route_options *options)
{
    memset(&seen, 0, sizeof seen);
    passed_ms = 0;
    began_ms = test_real_clock_ms() / JZ_TICK_MS * JZ_TICK_MS;
    test_clock_stop(began_ms);
    jz_route_options route = *options;
    route.execution = manner->execution;
    jz_options server_options = serving_options(1);
    server_options.close_timeout_ms = LONG_MS;
    throttle = (throttled){.seed = 1, .most_received = 512, .contrary = 7};
    const jz_listen_options channels = {.transport = &throttled_transport, .transport_context = &throttle};
    assert_non_null(server = jz_server_create(&server_options, NULL));
    assert_int_equal(jz_server_route_ws(server, "/", &route, handle, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
    assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, manner->has_channels ? &channels : NULL, NULL),
                     JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
}

static void finish(void)
{
    test_client_close(&peer);
    bystander_close();
    jz_server_destroy(server);
    test_clocks_run();
    assert_int_equal(seen.opens, seen.closes);
    assert_int_equal(seen.breaks, 0);
}

static jz_statistics statistics(void)
{
    jz_statistics now;
    jz_server_statistics(server, &now);
    return now;
}

/* The second time, what the first has found in kept input was handled, too. */
static void let_turn(void)
{
    bystander_let_turn();
    bystander_let_turn();
}

static void advance(uint64_t by_ms)
{
    passed_ms += by_ms;
    test_clock_advance(by_ms);
    let_turn();
}

/* Sends texts with these numbers, at once. */
static void send_numbers(size_t first, size_t count)
{
    static const uint8_t no_key[4];
    jz_buffer bytes = {0};
    for (size_t number = first; number < first + count; number++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%zu", number);
        const test_frame frame = {
            .fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, (size_t)length, (size_t)length}};
        test_frame_append(&bytes, &frame, no_key);
    }
    assert_true(test_client_send(&peer, bytes.bytes, bytes.length));
    jz_buffer_free(&bytes);
}

static void send_pings(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_send_frame(&peer, &(test_frame)PING("p"));
}

/* The peer's messages are handled, as far as they may be. */
static void expect_messages(const char *name, size_t count)
{
    uint64_t deadline = test_deadline();
    while (seen.messages < count)
        assert_that(test_pause_before(deadline), "%s: %zu messages instead of %zu", name, seen.messages, count);
    let_turn();
    assert_that(seen.messages == count, "%s: %zu messages instead of %zu", name, seen.messages, count);
}

static void expect_close(uint16_t code, const char *reason)
{
    uint8_t payload[128] = {(uint8_t)(code >> 8), (uint8_t)code};
    memcpy(payload + 2, reason, strlen(reason));
    test_client_expect(&peer, JZ_OPCODE_CLOSE, payload, 2 + strlen(reason));
}

static void who_exceeds_the_rate_is_closed_with_1008_and_its_own_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        const jz_route_options route = limited_to(10, 3, JZ_EXCEEDING_CLOSE);
        start(&manners[i], &route);
        send_numbers(0, 3);
        expect_messages(manners[i].name, 3);
        advance(100);
        send_numbers(3, 1);
        expect_messages(manners[i].name, 4);
        send_numbers(4, 30);
        expect_close(1008, "too many messages");
        test_client_send_frame(&peer, &(test_frame)CLOSE(1008, ""));
        assert_true(test_client_sees_end(&peer));
        assert_eventually(seen.closes == 1);
        assert_int_equal(seen.messages, 4);
        assert_int_equal(seen.cause, JZ_CAUSE_MESSAGE_RATE);
        jz_statistics now = statistics();
        assert_int_equal(now.causes[JZ_CAUSE_MESSAGE_RATE], 1);
        assert_int_equal(now.closes[1008 - 1000], 1);
        assert_int_equal(now.exceeded[JZ_EXCEEDING_CLOSE], 1);
        assert_int_equal(now.exceeded[JZ_EXCEEDING_PAUSE] + now.exceeded[JZ_EXCEEDING_DROP], 0);
        finish();
    }
}

/* The numbers that were dropped are missing. */
static void what_exceeds_the_rate_is_dropped_and_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        const jz_route_options route = limited_to(10, 3, JZ_EXCEEDING_DROP);
        start(&manners[i], &route);
        send_numbers(0, 30);
        expect_messages(manners[i].name, 3);
        assert_eventually(statistics().exceeded[JZ_EXCEEDING_DROP] == 27);
        advance(200);
        send_numbers(3, 10);
        expect_messages(manners[i].name, 5);
        assert_eventually(statistics().exceeded[JZ_EXCEEDING_DROP] == 27 + 8);
        assert_true(jz_ws_is_open((jz_ws){seen.ws}));
        assert_int_equal(statistics().exceeded[JZ_EXCEEDING_CLOSE] + statistics().exceeded[JZ_EXCEEDING_PAUSE], 0);
        assert_int_equal(statistics().dropped, 0); /* messages to peers */
        finish();
    }
}

/* At any time there are neither more than the rate gives, nor fewer than it gave when a timer may have been late. */
static void expect_pace(const char *name, uint32_t burst, uint32_t per_second, size_t sent)
{
    uint64_t late_ms = passed_ms > LATE_MS ? passed_ms - LATE_MS : 0;
    /* In thousandths: what comes in 100 ms, and one, if that is more. */
    uint64_t at_first = burst * UINT64_C(1000);
    if (at_first < 1000 + UINT64_C(100) * per_second)
        at_first = 1000 + UINT64_C(100) * per_second;
    size_t most = (size_t)((at_first + passed_ms * per_second) / 1000);
    size_t least = (size_t)((at_first + late_ms * per_second) / 1000);
    least = least < sent ? least : sent;
    uint64_t deadline = test_deadline();
    while (seen.messages < least)
        assert_that(test_pause_before(deadline), "%s: %zu messages after %u ms, not %zu", name, seen.messages,
                    (unsigned)passed_ms, least);
    assert_that(seen.messages <= most, "%s: %zu messages after %u ms, not %zu", name, seen.messages,
                (unsigned)passed_ms, most);
}

static void reading_pauses_so_that_all_come_in_order_at_the_rate(void **state)
{
    (void)state;
    static const struct {
        uint32_t per_second;
        uint32_t burst;
        size_t sent;
    } rows[] = {{10, 3, 23}, {20, 40, 60}, {20, 1, 43}, {1000, 1, 3000}, {3, 1, 5}};
    for (size_t i = 0; i < COUNT_OF(manners) * COUNT_OF(rows); i++) {
        const manner *manner = &manners[i % COUNT_OF(manners)];
        uint32_t per_second = rows[i / COUNT_OF(manners)].per_second;
        size_t sent = rows[i / COUNT_OF(manners)].sent;
        const jz_route_options route = limited_to(per_second, rows[i / COUNT_OF(manners)].burst, JZ_EXCEEDING_PAUSE);
        start(manner, &route);
        send_numbers(0, sent);
        while (seen.messages < sent) {
            expect_pace(manner->name, rows[i / COUNT_OF(manners)].burst, per_second, sent);
            advance(STEP_MS);
        }
        assert_int_equal(seen.messages, sent);
        assert_true(statistics().exceeded[JZ_EXCEEDING_PAUSE] > 0);
        assert_true(jz_ws_is_open((jz_ws){seen.ws}));
        finish();
    }
}

/* Each time, its next message finds that the rate has given one. */
static void who_keeps_to_the_rate_notices_nothing(void **state)
{
    (void)state;
    for (int exceeding = 0; exceeding < JZ_EXCEEDING_COUNT; exceeding++) {
        const jz_route_options route = limited_to(20, 1, (jz_exceeding)exceeding);
        start(&manners[0], &route);
        for (size_t i = 0; i < 50; i++) {
            send_numbers(i, 1);
            expect_messages("at the rate", i + 1);
            advance(50);
        }
        jz_statistics now = statistics();
        assert_int_equal(now.exceeded[JZ_EXCEEDING_CLOSE] + now.exceeded[JZ_EXCEEDING_DROP], 0);
        finish();
    }
}

static void expect_pongs(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_expect(&peer, JZ_OPCODE_PONG, "p", 1);
}

static void pings_have_an_allowance_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        jz_route_options route = limited_to(10, 3, JZ_EXCEEDING_DROP);
        start(&manners[i], &route);
        send_pings(10);
        expect_pongs(10); /* also to those that are dropped */
        send_numbers(0, 3);
        expect_messages(manners[i].name, 3);
        assert_int_equal(seen.pings, 3);
        assert_int_equal(statistics().exceeded[JZ_EXCEEDING_DROP], 7);
        finish();

        route = limited_to(10, 3, JZ_EXCEEDING_CLOSE);
        start(&manners[i], &route);
        send_pings(4);
        expect_pongs(4);
        expect_close(1008, "too many messages");
        finish();

        route = limited_to(10, 3, JZ_EXCEEDING_PAUSE);
        start(&manners[i], &route);
        send_pings(4);
        expect_pongs(3);
        let_turn();
        assert_true(test_client_hears_nothing(&peer));
        advance(100 + LATE_MS);
        expect_pongs(1);
        finish();
    }
}

/* A ping would come after half of the time-out. */
static void who_is_paused_is_not_idle_and_watched_again_later(void **state)
{
    (void)state;
    enum { IDLE_MS = 400 };
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        jz_route_options route = limited_to(1, 1, JZ_EXCEEDING_PAUSE);
        route.idle_timeout_ms = IDLE_MS;
        start(&manners[i], &route);
        send_numbers(0, 3);
        expect_messages(manners[i].name, 1);
        while (passed_ms < 2000) { /* for two more */
            assert_true(test_client_hears_nothing(&peer));
            advance(STEP_MS);
        }
        advance(LATE_MS);
        expect_messages(manners[i].name, 3);
        advance(1000 + LATE_MS); /* until a fourth could be read */
        advance(IDLE_MS / 2 + LATE_MS);
        test_client_expect(&peer, JZ_OPCODE_PING, "", 0);
        assert_true(jz_ws_is_open((jz_ws){seen.ws}));
        advance(IDLE_MS / 2 + LATE_MS);
        expect_close(1001, "nothing came from the peer for too long");
        finish();
    }
}

static void a_lifetime_ends_also_of_who_is_paused(void **state)
{
    (void)state;
    jz_route_options route = limited_to(1, 1, JZ_EXCEEDING_PAUSE);
    route.max_lifetime_ms = 1500;
    start(&manners[0], &route);
    send_numbers(0, 100);
    expect_messages("before", 1);
    advance(1000 + LATE_MS);
    expect_messages("after a second", 2);
    assert_true(test_client_hears_nothing(&peer));
    advance(500);
    expect_close(1001, "the connection has reached its maximum lifetime");
    /* The answer is behind the messages, which nobody gets any more. */
    test_client_send_frame(&peer, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&peer));
    assert_eventually(seen.closes == 1);
    assert_int_equal(seen.messages, 2);
    finish();
}

static void a_server_that_stops_ends_paused_connections_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        const jz_route_options route = limited_to(1, 1, JZ_EXCEEDING_PAUSE);
        start(&manners[i], &route);
        send_numbers(0, 100);
        expect_messages(manners[i].name, 1);
        bystander_close();
        jz_server_stop_within(server, LONG_MS);
        expect_close(1001, "the server stops");
        test_client_send_frame(&peer, &(test_frame)CLOSE(1001, ""));
        assert_true(test_client_sees_end(&peer));
        jz_server_wait(server);
        assert_int_equal(jz_server_ending(server).clean, 1);
        assert_int_equal(seen.cause, JZ_CAUSE_STOPPING);
        test_client_close(&peer);
        jz_server_destroy(server);
        test_clocks_run();
    }
}

/* The only message that may wait for a worker waits when the allowance is used up, or the other way round. */
static void who_is_behind_for_two_reasons_is_read_when_both_are_over(void **state)
{
    (void)state;
    for (int rate_goes_first = 0; rate_goes_first < 2; rate_goes_first++) {
        jz_route_options route = limited_to(1, 2, JZ_EXCEEDING_PAUSE);
        route.max_waiting_events = 1;
        start(&manners[1], &route);
        seen.is_held = true;
        send_numbers(0, 1);
        assert_eventually(seen.holds == 1);
        let_turn(); /* the loop has been told that nothing waits */
        send_numbers(1, 3);
        let_turn();
        if (rate_goes_first) {
            advance(1000 + LATE_MS);
            assert_int_equal(statistics().messages_received[JZ_MESSAGE_TEXT], 3 * 2 * 2 + 2);
            seen.is_held = false;
            expect_messages("after the worker", 3);
        } else {
            seen.is_held = false;
            expect_messages("before the next second", 2);
            advance(1000 + LATE_MS);
            expect_messages("after it", 3);
        }
        advance(1000 + LATE_MS);
        expect_messages("in the end", 4);
        finish();
    }
}

static void who_is_paused_by_the_application_too_is_read_when_that_is_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        const jz_route_options route = limited_to(10, 1, JZ_EXCEEDING_PAUSE);
        start(&manners[i], &route);
        send_numbers(0, 2);
        expect_messages(manners[i].name, 2);
        assert_int_equal(jz_ws_pause_reading((jz_ws){seen.ws}), JZ_SEND_QUEUED);
        let_turn();
        send_numbers(2, 2);
        advance(100 + LATE_MS);
        advance(1000);
        expect_messages(manners[i].name, 2);
        assert_int_equal(jz_ws_resume_reading((jz_ws){seen.ws}), JZ_SEND_QUEUED);
        expect_messages(manners[i].name, 4);
        finish();
    }
}

/* Its next message is there already, or comes in pieces. */
static void a_message_may_be_under_way_when_reading_pauses(void **state)
{
    (void)state;
    static const char last[] = "\x81\x81\0\0\0\0"
                               "1";
    for (size_t cut = 1; cut < sizeof last - 1; cut++) {
        const jz_route_options route = limited_to(1, 1, JZ_EXCEEDING_PAUSE);
        uint8_t bytes[32] = "\x81\x81\0\0\0\0"
                            "0";
        start(&manners[0], &route);
        memcpy(bytes + 7, last, cut);
        assert_true(test_client_send(&peer, bytes, 7 + cut));
        expect_messages("the first", 1);
        assert_true(test_client_send(&peer, last + cut, sizeof last - 1 - cut));
        let_turn();
        assert_int_equal(seen.messages, 1);
        advance(1000 + LATE_MS);
        expect_messages("the second", 2);
        finish();
    }
}

static void a_lost_peer_that_is_paused_is_let_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const jz_route_options route = limited_to(1, 1, JZ_EXCEEDING_PAUSE);
        start(&manners[i], &route);
        send_numbers(0, 100);
        expect_messages(manners[i].name, 1);
        test_client_reset(&peer);
        assert_eventually(seen.closes == 1);
        assert_int_equal(seen.messages, 1);
        bystander_close();
        jz_server_destroy(server);
        test_clocks_run();
    }
}

static void a_later_connection_in_the_same_slot_begins_afresh(void **state)
{
    (void)state;
    const jz_route_options route = limited_to(1, 2, JZ_EXCEEDING_CLOSE);
    start(&manners[0], &route);
    for (size_t round = 0; round < 3; round++) {
        send_numbers(2 * round, 2);
        expect_messages("a new connection", 2 * (round + 1));
        test_client_close(&peer);
        assert_eventually(seen.closes == round + 1);
        assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_eventually(seen.opens == round + 2);
    }
    finish();
}

/* As after a suspension of the machine. */
static void a_jump_of_the_clock_gives_one_burst(void **state)
{
    (void)state;
    const jz_route_options route = limited_to(10, 5, JZ_EXCEEDING_PAUSE);
    start(&manners[0], &route);
    send_numbers(0, 20);
    expect_messages("at once", 5);
    advance(10ULL * LONG_MS);
    expect_messages("after the jump", 10);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_exceeds_the_rate_is_closed_with_1008_and_its_own_cause),
        cmocka_unit_test(what_exceeds_the_rate_is_dropped_and_counted),
        cmocka_unit_test(reading_pauses_so_that_all_come_in_order_at_the_rate),
        cmocka_unit_test(who_keeps_to_the_rate_notices_nothing),
        cmocka_unit_test(pings_have_an_allowance_of_their_own),
        cmocka_unit_test(who_is_paused_is_not_idle_and_watched_again_later),
        cmocka_unit_test(a_lifetime_ends_also_of_who_is_paused),
        cmocka_unit_test(a_server_that_stops_ends_paused_connections_in_order),
        cmocka_unit_test(who_is_behind_for_two_reasons_is_read_when_both_are_over),
        cmocka_unit_test(who_is_paused_by_the_application_too_is_read_when_that_is_over),
        cmocka_unit_test(a_message_may_be_under_way_when_reading_pauses),
        cmocka_unit_test(a_lost_peer_that_is_paused_is_let_go),
        cmocka_unit_test(a_later_connection_in_the_same_slot_begins_afresh),
        cmocka_unit_test(a_jump_of_the_clock_gives_one_burst),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("message rate", tests, NULL, NULL));
}
