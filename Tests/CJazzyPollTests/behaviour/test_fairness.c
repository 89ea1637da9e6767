/*
 * One connection's input does not delay the others of its loop, however much arrives at once: it has its share of an
 * iteration, and continues in the next.
 */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    FRAME = 6,                     /* bytes of one that is empty */
    FLOOD = 80000,                 /* frames: as many as one read can bring, nearly */
    SHARE = 4096,                  /* messages of a connection per iteration */
    MOST_BEFORE_OTHERS = 2 * SHARE /* the current iteration, and one that had begun */
};

static struct {
    atomic_bool holds;
    atomic_bool is_let_go;
    atomic_size_t taken;        /* of the flood */
    atomic_size_t before_other; /* of the flood, when the other's message was handled */
    atomic_bool other_was_heard;
    atomic_int closes;
    atomic_uint_least64_t flooding; /* its handle */
} seen;

static void take_flood(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        seen.flooding = ws.value;
    seen.closes += event->type == JZ_EVENT_CLOSE;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (seen.taken++ == 0) {
        seen.holds = true;
        test_hold_while(!seen.is_let_go);
    }
}

static void take_other(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    seen.before_other = seen.taken;
    seen.other_was_heard = true;
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "heard", 5);
}

static test_client flooder;
static test_client other;

static jz_server *start_with_buffer(size_t receive_buffer_size)
{
    memset(&seen, 0, sizeof seen);
    jz_options options = serving_options(1);
    options.receive_buffer_size = receive_buffer_size;
    const serving_route routes[] = {{"/flood", take_flood, NULL, NULL}, {"/other", take_other, NULL, NULL}};
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&flooder, jz_server_port(server), UPGRADE_REQUEST("/flood")));
    assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/other")));
    return server;
}

static jz_server *start(void)
{
    return start_with_buffer(jz_options_default().receive_buffer_size);
}

static void finish(jz_server *server)
{
    test_client_close(&flooder);
    test_client_close(&other);
    jz_server_destroy(server);
}

/* Empty text frames, and what follows them. */
static void send_flood(const void *rest, size_t length)
{
    static uint8_t frames[FRAME * FLOOD + 64];
    for (size_t i = 0; i < FLOOD; i++)
        memcpy(frames + i * FRAME, (const uint8_t[FRAME]){0x81, 0x80}, FRAME);
    memcpy(frames + FRAME * FLOOD, rest, length);
    assert_true(test_client_send(&flooder, frames, FRAME * FLOOD + length));
}

static void a_flood_of_messages_lets_others_have_their_turn(void **state)
{
    (void)state;
    jz_server *server = start();
    send_flood("", 0);
    assert_eventually(seen.holds);
    test_client_send_frame(&other, &(test_frame)TEXT("hello"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    assert_that(seen.before_other <= MOST_BEFORE_OTHERS, "%zu messages before another's", seen.before_other);
    assert_eventually(seen.taken == FLOOD);
    finish(server);
}

enum { SLOW = 60, SLOW_SHARE = 6 /* messages of a millisecond that a connection has of an iteration */ };

static void take_a_millisecond(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    take_flood(context, ws, event, message);
    if (event->type == JZ_EVENT_MESSAGE)
        test_clock_advance(1);
}

static void slow_handlers_let_others_have_their_turn(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    jz_options options = serving_options(1);
    const serving_route routes[] = {{"/flood", take_a_millisecond, NULL, NULL}, {"/other", take_other, NULL, NULL}};
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(test_client_open(&flooder, jz_server_port(server), UPGRADE_REQUEST("/flood")));
    assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/other")));
    test_clock_stop(test_real_clock_ms());
    uint8_t frames[SLOW * FRAME];
    for (size_t i = 0; i < SLOW; i++)
        memcpy(frames + i * FRAME, (const uint8_t[FRAME]){0x81, 0x80}, FRAME);
    assert_true(test_client_send(&flooder, frames, sizeof frames));
    assert_eventually(seen.holds);
    test_client_send_frame(&other, &(test_frame)TEXT("hello"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    assert_that(seen.before_other <= SLOW_SHARE, "%zu slow messages before another's", (size_t)seen.before_other);
    assert_eventually(seen.taken == SLOW);
    test_clocks_run();
    finish(server);
}

enum { BUFFER = 16 * 1024, LONG = BUFFER + BUFFER / 2, LONG_ONES = 8 };

/* Of those behind a long one that is received in part, none is received before others have their turn. */
static void long_messages_let_others_have_their_turn(void **state)
{
    (void)state;
    jz_server *server = start_with_buffer(BUFFER);
    test_client_send_frame(&flooder, &(test_frame)TEXT("hold"));
    assert_eventually(seen.holds);
    for (int i = 0; i < LONG_ONES; i++)
        test_client_send_frame(&flooder, &(test_frame)TEXT_OF(REPEATED("long ", LONG)));
    test_client_send_frame(&other, &(test_frame)TEXT("hello"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    /* The one that held the loop, one of the current iteration, and one of an iteration that had begun. */
    assert_that(seen.before_other <= 3, "%zu messages before another's", (size_t)seen.before_other);
    assert_eventually(seen.taken == 1 + LONG_ONES);
    finish(server);
}

enum { REQUESTS = 1000, REQUESTS_SHARE = 64 };

static jz_server *asked;

static size_t refused(void)
{
    jz_statistics statistics;
    jz_server_statistics(asked, &statistics);
    return (size_t)statistics.refused[JZ_REFUSAL_NOT_FOUND];
}

static void note_refused(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    take_other(context, ws, event, message);
    if (event->type == JZ_EVENT_MESSAGE)
        seen.before_other = refused();
}

/* Until the head and the body of the last answer have come. */
static void expect_answers(test_client *asker)
{
    for (size_t i = 0; i < REQUESTS; i++)
        assert_int_equal(test_client_take_head(asker), 404);
}

static void requests_in_a_pipeline_let_others_have_their_turn(void **state)
{
    (void)state;
    static const char request[] = "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n";
    enum { LENGTH = sizeof request - 1 };
    static char requests[REQUESTS * LENGTH];
    static test_client asker;
    memset(&seen, 0, sizeof seen);
    jz_options options = serving_options(1);
    options.receive_buffer_size = jz_options_default().receive_buffer_size;
    const serving_route routes[] = {{"/flood", take_flood, NULL, NULL}, {"/other", note_refused, NULL, NULL}};
    asked = serving_start(&options, routes, COUNT_OF(routes));
    for (size_t i = 0; i < REQUESTS; i++)
        memcpy(requests + i * LENGTH, request, LENGTH);
    assert_true(test_client_open(&flooder, jz_server_port(asked), UPGRADE_REQUEST("/flood")));
    assert_true(test_client_open(&other, jz_server_port(asked), UPGRADE_REQUEST("/other")));
    assert_true(test_client_connect(&asker, jz_server_port(asked), 0));
    test_client_send_frame(&flooder, &(test_frame)TEXT("hold"));
    assert_eventually(seen.holds);
    assert_true(test_client_send(&asker, requests, sizeof requests));
    test_client_send_frame(&other, &(test_frame)TEXT("hello"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    assert_that(seen.before_other <= 2 * REQUESTS_SHARE, "%zu requests before another's message",
                (size_t)seen.before_other);
    expect_answers(&asker);
    assert_int_equal(refused(), REQUESTS);
    test_client_close(&asker);
    finish(asked);
}

enum { ANSWERS = 50000, PORTION = 4096 /* letters of a turn */ };

static struct {
    _Atomic uint64_t value;
    _Atomic uint32_t route;
    atomic_size_t released;     /* states of answers that came too late */
    atomic_size_t before_other; /* of them, when the other's message was handled */
    atomic_bool other_was_heard;
} question;

static void ask_nobody(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)request;
    question.route = handshake.route;
    question.value = handshake.value;
}

static void count_release(void *state)
{
    (void)state;
    question.released++;
}

static void note_released(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    question.before_other = question.released;
    question.other_was_heard = true;
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "heard", 5);
}

/* The first answer is taken, and all others are late: their states are released in the following iterations. */
static void late_answers_let_others_have_their_turn(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    memset(&question, 0, sizeof question);
    jz_route_options asking = jz_route_options_default();
    asking.upgrade = ask_nobody;
    asking.release_state = count_release;
    jz_options options = serving_options(1);
    const serving_route routes[] = {{"/asking", take_other, NULL, &asking},
                                    {"/flood", take_flood, NULL, NULL},
                                    {"/other", note_released, NULL, NULL}};
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    static test_client asker;
    assert_true(test_client_open(&flooder, jz_server_port(server), UPGRADE_REQUEST("/flood")));
    assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_true(test_client_connect(&asker, jz_server_port(server), 0));
    assert_true(test_client_send(&asker, UPGRADE_REQUEST("/asking"), strlen(UPGRADE_REQUEST("/asking"))));
    assert_eventually(question.value != 0);
    test_client_send_frame(&flooder, &(test_frame)TEXT("hold the loop"));
    assert_eventually(seen.holds);
    int states[1];
    const jz_acceptance acceptance = {.state = states};
    for (int i = 0; i < ANSWERS; i++)
        assert_int_equal(jz_handshake_accept((jz_handshake){question.value, question.route}, &acceptance),
                         JZ_ANSWER_TAKEN);
    test_client_send_frame(&other, &(test_frame)TEXT("hello"));
    seen.is_let_go = true;
    test_client_expect(&other, JZ_OPCODE_TEXT, "heard", 5);
    assert_that(question.before_other <= 2 * PORTION, "%zu answers before another's message", question.before_other);
    assert_int_equal(test_client_take_head(&asker), 101);
    test_client_close(&asker);
    finish(server);
    assert_int_equal(question.released, ANSWERS);
}

static void what_follows_a_flood_comes_after_all_of_it(void **state)
{
    (void)state;
    jz_server *server = start();
    seen.is_let_go = true;
    /* A close frame with code 1000, masked with zero: everything before it is delivered, and then it is answered. */
    static const uint8_t close_frame[] = {0x88, 0x82, 0, 0, 0, 0, 1000 >> 8, 1000 & 0xFF};
    send_flood(close_frame, sizeof close_frame);
    test_client_expect(&flooder, JZ_OPCODE_CLOSE, close_frame + 6, 2);
    assert_eventually(seen.closes == 1);
    assert_int_equal(seen.taken, FLOOD);
    finish(server);
}

static void who_ends_while_it_floods_is_released(void **state)
{
    (void)state;
    jz_server *server = start();
    send_flood("", 0);
    assert_eventually(seen.holds);
    test_client_reset(&flooder);
    seen.is_let_go = true;
    assert_eventually(seen.closes == 1);
    test_client_close(&other);
    jz_server_destroy(server);
}

static void a_flooding_connection_that_is_closed_hears_of_nothing_more(void **state)
{
    (void)state;
    jz_server *server = start();
    send_flood("", 0);
    assert_eventually(seen.holds);
    assert_int_equal(jz_ws_close((jz_ws){seen.flooding}, JZ_CLOSE_NORMAL, "", 0), JZ_SEND_QUEUED);
    seen.is_let_go = true;
    static const uint8_t code[] = {1000 >> 8, 1000 & 0xFF};
    test_client_expect(&flooder, JZ_OPCODE_CLOSE, code, sizeof code);
    size_t taken = seen.taken;
    assert_that(taken <= MOST_BEFORE_OTHERS, "%zu messages before the close", taken);
    test_client_send_frame(&flooder, &(test_frame)CLOSE(1000, ""));
    assert_eventually(seen.closes == 1);
    assert_int_equal(seen.taken, taken);
    finish(server);
}

static void a_server_stops_in_the_middle_of_a_flood(void **state)
{
    (void)state;
    jz_server *server = start();
    send_flood("", 0);
    assert_eventually(seen.holds);
    jz_server_stop_within(server, 0);
    seen.is_let_go = true;
    jz_server_wait(server);
    assert_int_equal(seen.closes, 1);
    finish(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_of_messages_lets_others_have_their_turn),
        cmocka_unit_test(slow_handlers_let_others_have_their_turn),
        cmocka_unit_test(long_messages_let_others_have_their_turn),
        cmocka_unit_test(requests_in_a_pipeline_let_others_have_their_turn),
        cmocka_unit_test(late_answers_let_others_have_their_turn),
        cmocka_unit_test(what_follows_a_flood_comes_after_all_of_it),
        cmocka_unit_test(who_ends_while_it_floods_is_released),
        cmocka_unit_test(a_flooding_connection_that_is_closed_hears_of_nothing_more),
        cmocka_unit_test(a_server_stops_in_the_middle_of_a_flood),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("fairness", tests, NULL, NULL));
}
