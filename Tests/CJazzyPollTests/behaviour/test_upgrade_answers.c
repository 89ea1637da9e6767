/* Answers to an upgrade hook's questions that come later, from elsewhere, twice, too late, or not at all. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "jazzy.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static hooked hooked_server;
static hooked_state states[2];

/* Begins a test: everything as new. */
static hooked *begin(const jz_options *options, const jz_route_options *route)
{
    states[0] = states[1] = 0;
    hooked_server = (hooked){0};
    hooked_start(&hooked_server, options, route);
    return &hooked_server;
}

static jz_answer_status accept_with_state(jz_handshake question, hooked_state *state)
{
    const jz_acceptance acceptance = {.state = state};
    return jz_handshake_accept(question, &acceptance);
}

static void an_answer_may_come_later_from_another_thread(void **state)
{
    (void)state;
    hooked *hooked = begin(NULL, NULL);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    assert_true(jz_handshake_is_waiting(question));
    assert_int_equal(accept_with_state(question, &states[0]), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    assert_eventually(hooked->journal.opens == 1);
    assert_ptr_equal(hooked->state_when_opened, &states[0]);
    assert_true(journal_handle_of(&hooked->journal, 0).value == question.value);
    assert_false(jz_handshake_is_waiting(question));
    assert_int_equal(accept_with_state(question, &states[1]), JZ_ANSWER_LATE);
    test_client_close(&client);
    journal_expect(&hooked->journal, 1, "open close(1006 unclean)");
    hooked_finish(hooked);
    assert_int_equal(states[0], 1);
    assert_int_equal(states[1], 0);
}

static atomic_size_t opens_when_answered;

/* The first connection's handler answers the second one's question. */
static void answer_the_second(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    (void)message;
    hooked *hooked = (struct hooked *)journal;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    hooked->answer = (int)accept_with_state(hooked->handshakes[1], &states[1]);
    opens_when_answered = journal->opens;
    if (jz_handshake_is_waiting(hooked->handshakes[1]) ||
        jz_handshake_accept(hooked->handshakes[1], NULL) != JZ_ANSWER_LATE)
        hooked->answer = -1;
}

static void an_answer_may_come_later_from_another_handler_on_the_same_loop(void **state)
{
    (void)state;
    hooked *hooked = begin(NULL, NULL);
    hooked->journal.act = answer_the_second;
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    assert_int_equal(jz_handshake_accept(hooked_question(hooked, 0), NULL), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    hooked_request(hooked, &other, UPGRADE_REQUEST("/room/2"));
    hooked_question(hooked, 1);
    test_client_send_frame(&client, &(test_frame)TEXT("let the other in"));
    assert_int_equal(test_client_take_head(&other), 101);
    assert_eventually(hooked->journal.opens == 2);
    assert_int_equal(hooked->answer, JZ_ANSWER_TAKEN);
    assert_int_equal(opens_when_answered, 1);
    assert_ptr_equal(hooked->state_when_opened, &states[1]);
    test_client_close(&client);
    test_client_close(&other);
    hooked_finish(hooked);
    assert_int_equal(states[1], 1);
}

static void a_hook_that_does_not_answer_in_time_is_answered_for(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.upgrade_timeout_ms = 100;
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = 3600000; /* which is another time-out */
    hooked *hooked = begin(&options, &route);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    assert_int_equal(test_client_take_head(&client), 503);
    assert_true(test_client_sees_end(&client));
    assert_false(jz_handshake_is_waiting(question));
    assert_int_equal(accept_with_state(question, &states[0]), JZ_ANSWER_LATE);
    assert_int_equal(jz_handshake_reject(question, &(jz_rejection){.status = 403}), JZ_ANSWER_LATE);
    assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_UPGRADE_TIMEOUT), 1);
    test_client_close(&client);
    hooked_finish(hooked);
    assert_int_equal(states[0], 0); /* the caller's again */
    assert_int_equal(hooked->journal.opens, 0);
}

static void a_question_that_is_none_is_answered_late(void **state)
{
    (void)state;
    hooked *hooked = begin(NULL, NULL);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    assert_int_equal(accept_with_state((jz_handshake){0}, &states[0]), JZ_ANSWER_LATE);
    assert_int_equal(accept_with_state((jz_handshake){UINT64_MAX, UINT32_MAX}, &states[0]), JZ_ANSWER_LATE);
    assert_int_equal(accept_with_state((jz_handshake){question.value, 7}, &states[0]), JZ_ANSWER_LATE);
    assert_false(jz_handshake_is_waiting((jz_handshake){0}));
    /* The connection cannot be used before it is a WebSocket. */
    const jz_ws ws = {question.value};
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_false(jz_ws_is_open(ws));
    assert_int_equal(jz_ws_close(ws, 1000, "", 0), JZ_SEND_CLOSED);
    assert_true(jz_handshake_is_waiting(question));
    hooked_finish(hooked);
    assert_int_equal(accept_with_state(question, &states[0]), JZ_ANSWER_LATE);
    assert_int_equal(states[0], 0);
    test_client_close(&client);
}

typedef void (*leaving)(test_client *client);

static void expect_state_released_once_if_taken(leaving leave, bool waits_until_noticed)
{
    hooked *hooked = begin(NULL, NULL);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    leave(&client);
    if (waits_until_noticed)
        assert_eventually(!jz_handshake_is_waiting(question));
    jz_answer_status answer = accept_with_state(question, &states[0]);
    assert_true(answer == JZ_ANSWER_LATE || (answer == JZ_ANSWER_TAKEN && !waits_until_noticed));
    if (answer == JZ_ANSWER_TAKEN)
        assert_eventually(states[0] == 1);
    hooked_finish(hooked);
    assert_int_equal(states[0], answer == JZ_ANSWER_TAKEN ? 1 : 0);
    assert_int_equal(hooked->journal.opens, hooked->journal.closes);
}

static void the_state_for_a_client_that_left_is_released_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        expect_state_released_once_if_taken(test_client_close, false);
        expect_state_released_once_if_taken(test_client_reset, false);
    }
    expect_state_released_once_if_taken(test_client_reset, true);
}

typedef struct answering {
    jz_handshake question;
    hooked_state *state;
    pthread_barrier_t *barrier;
    jz_answer_status result;
} answering;

static void *answer_at_the_barrier(void *context)
{
    answering *answering = context;
    pthread_barrier_wait(answering->barrier);
    answering->result = accept_with_state(answering->question, answering->state);
    return NULL;
}

static void of_two_answers_one_counts(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        hooked *hooked = begin(NULL, NULL);
        hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
        jz_handshake question = hooked_question(hooked, 0);
        pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, NULL, 2);
        answering first = {.question = question, .state = &states[0], .barrier = &barrier};
        answering second = {.question = question, .state = &states[1], .barrier = &barrier};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, answer_at_the_barrier, &first), 0);
        answer_at_the_barrier(&second);
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&barrier);
        assert_int_equal(test_client_take_head(&client), 101);
        test_client_close(&client);
        journal_expect(&hooked->journal, 1, "open close(1006 unclean)");
        hooked_finish(hooked);
        assert_int_equal(states[0], first.result == JZ_ANSWER_TAKEN ? 1 : 0);
        assert_int_equal(states[1], second.result == JZ_ANSWER_TAKEN ? 1 : 0);
        assert_true(first.result == JZ_ANSWER_TAKEN || second.result == JZ_ANSWER_TAKEN);
    }
}

#define HELLO_MASKED "\x81\x85\0\0\0\0Hello"
#define CLOSE_MASKED "\x88\x82\0\0\0\0\x03\xE8"

static void what_was_sent_behind_the_head_comes_after_the_open_event(void **state)
{
    (void)state;
    static const char bytes[] = UPGRADE_REQUEST("/room/1") HELLO_MASKED HELLO_MASKED CLOSE_MASKED;
    hooked *hooked = begin(NULL, NULL);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, bytes, sizeof bytes - 1));
    assert_int_equal(jz_handshake_accept(hooked_question(hooked, 0), NULL), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    assert_true(test_client_sees_end(&client));
    journal_expect(&hooked->journal, 1, "open text(Hello) text(Hello) close(1000 clean)");
    test_client_close(&client);
    hooked_finish(hooked);
}

static void what_is_sent_while_the_hook_thinks_is_read_after_the_answer(void **state)
{
    (void)state;
    static const char bytes[] = UPGRADE_REQUEST("/room/1") "\x81\x85\0\0\0\0Hel"; /* the rest comes later */
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = 60000; /* which has been kept */
    jz_route_options route = jz_route_options_default();
    route.upgrade_timeout_ms = 3600000;
    hooked *hooked = begin(&options, &route);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, bytes, sizeof bytes - 1));
    jz_handshake question = hooked_question(hooked, 0);
    assert_true(test_client_send(&client, "lo", 2));
    test_client_send_frame(&client, &(test_frame)BINARY_OF(REPEATED("x", 100000)));
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
    test_clock_jump(120000);
    hooked_request(hooked, &other, "GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n"); /* so that the loop looks */
    assert_int_equal(test_client_take_head(&other), 404);
    test_client_close(&other);
    assert_int_equal(jz_handshake_accept(question, NULL), JZ_ANSWER_TAKEN);
    journal_expect(&hooked->journal, 1,
                   "open text(Hello) binary(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) close(1000 clean)");
    test_client_close(&client);
    hooked_finish(hooked);
    test_clocks_run();
}

static void too_much_behind_the_head_is_refused(void **state)
{
    (void)state;
    jz_options options = serving_options(1);
    options.max_head_size = 256;
    hooked *hooked = begin(&options, NULL);
    for (size_t i = 0; i < 2; i++) {
        char bytes[1024] = UPGRADE_REQUEST("/room/1");
        size_t length = strlen(bytes) + 256 + i;
        assert_true(test_client_connect(&client, hooked->port, 0));
        assert_true(test_client_send(&client, bytes, length));
        jz_handshake question = hooked_question(hooked, i);
        if (i == 0) {
            assert_true(jz_handshake_is_waiting(question));
        } else {
            assert_int_equal(test_client_take_head(&client), 400);
            assert_int_equal(accept_with_state(question, &states[0]), JZ_ANSWER_LATE);
        }
        test_client_close(&client);
    }
    hooked_finish(hooked);
    assert_int_equal(states[0], 0);
}

static void a_server_that_stops_answers_for_the_hook(void **state)
{
    (void)state;
    hooked *hooked = begin(NULL, NULL);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    hooked_request(hooked, &other, UPGRADE_REQUEST("/room/2"));
    jz_handshake questions[] = {hooked_question(hooked, 0), hooked_question(hooked, 1)};
    jz_server_stop(hooked->server);
    assert_int_equal(test_client_take_head(&client), 503);
    assert_int_equal(test_client_take_head(&other), 503);
    test_client_close(&client);
    test_client_close(&other);
    jz_server_wait(hooked->server);
    assert_int_equal(accept_with_state(questions[0], &states[0]), JZ_ANSWER_LATE);
    assert_int_equal(jz_server_ending(hooked->server).others, 2);
    hooked_finish(hooked);
    assert_int_equal(accept_with_state(questions[1], &states[0]), JZ_ANSWER_LATE);
    assert_int_equal(states[0], 0);
}

static void no_state_is_lost_when_an_answer_meets_the_end_of_the_server(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        hooked *hooked = begin(NULL, NULL);
        hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
        pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, NULL, 2);
        answering answering = {.question = hooked_question(hooked, 0), .state = &states[0], .barrier = &barrier};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, answer_at_the_barrier, &answering), 0);
        pthread_barrier_wait(&barrier);
        jz_server_stop_within(hooked->server, 0);
        hooked_finish(hooked);
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&barrier);
        test_client_close(&client);
        assert_int_equal(states[0], answering.result == JZ_ANSWER_TAKEN ? 1 : 0);
        assert_int_equal(hooked->journal.opens, hooked->journal.closes);
    }
}

static atomic_bool is_let_go;

/* The second question has the loop, until it is let go. */
static void hold_the_loop(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)handshake;
    (void)request;
    uint64_t deadline = test_deadline();
    while (hooked->questions == 1 && !is_let_go && test_pause_before(deadline))
        hooked->answer = 1;
}

static void an_answer_that_waits_for_its_loop_meets_the_end_of_the_server(void **state)
{
    (void)state;
    is_let_go = false;
    hooked *hooked = begin(NULL, NULL);
    hooked->ask = hold_the_loop;
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    hooked_request(hooked, &other, UPGRADE_REQUEST("/room/2"));
    assert_eventually(hooked->answer == 1);
    assert_int_equal(accept_with_state(question, &states[0]), JZ_ANSWER_TAKEN);
    assert_int_equal(accept_with_state(question, &states[1]), JZ_ANSWER_TAKEN);
    jz_server_stop_within(hooked->server, 0);
    is_let_go = true;
    hooked_finish(hooked);
    assert_int_equal(states[0], 1);
    assert_int_equal(states[1], 1);
    test_client_close(&client);
    test_client_close(&other);
}

static void close_at_once(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_close(ws, 1000, "", 0);
}

static void a_route_on_workers_has_a_hook_and_a_state_too(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    hooked *hooked = begin(NULL, &route);
    hooked->journal.act = close_at_once;
    static const char bytes[] = UPGRADE_REQUEST("/room/1") HELLO_MASKED CLOSE_MASKED;
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, bytes, sizeof bytes - 1));
    assert_int_equal(accept_with_state(hooked_question(hooked, 0), &states[0]), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    assert_true(test_client_sees_end(&client));
    assert_eventually(hooked->journal.closes == 1);
    assert_eventually(states[0] == 1);
    assert_ptr_equal(hooked->state_when_opened, &states[0]);
    test_client_close(&client);
    hooked_finish(hooked);
    assert_int_equal(states[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_may_come_later_from_another_thread),
        cmocka_unit_test(an_answer_may_come_later_from_another_handler_on_the_same_loop),
        cmocka_unit_test(a_hook_that_does_not_answer_in_time_is_answered_for),
        cmocka_unit_test(a_question_that_is_none_is_answered_late),
        cmocka_unit_test(the_state_for_a_client_that_left_is_released_once),
        cmocka_unit_test(of_two_answers_one_counts),
        cmocka_unit_test(what_was_sent_behind_the_head_comes_after_the_open_event),
        cmocka_unit_test(what_is_sent_while_the_hook_thinks_is_read_after_the_answer),
        cmocka_unit_test(too_much_behind_the_head_is_refused),
        cmocka_unit_test(a_server_that_stops_answers_for_the_hook),
        cmocka_unit_test(no_state_is_lost_when_an_answer_meets_the_end_of_the_server),
        cmocka_unit_test(an_answer_that_waits_for_its_loop_meets_the_end_of_the_server),
        cmocka_unit_test(a_route_on_workers_has_a_hook_and_a_state_too),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("answers to upgrade hooks", tests, NULL, NULL));
}
