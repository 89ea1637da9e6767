/* Upgrade hooks and their answers where memory runs out: nothing is lost, and no state is released twice or never. */

#include "jazzy.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static hooked hooked_server;
static hooked_state releases;

static const jz_response_header headers[] = {{"Set-Cookie", "a=b"}};

static jz_answer_status accept_with_state(jz_handshake question)
{
    const jz_acceptance acceptance = {
        .subprotocol = "chat", .headers = headers, .header_count = COUNT_OF(headers), .state = &releases};
    return jz_handshake_accept(question, &acceptance);
}

static jz_answer_status reject_with_body(jz_handshake question)
{
    static const char body[10000];
    const jz_rejection rejection = {
        .status = 403, .content_type = "application/octet-stream", .body = body, .length = sizeof body};
    return jz_handshake_reject(question, &rejection);
}

typedef jz_answer_status (*answering)(jz_handshake question);

/* One allocation of an answer after the other fails; allocations of the loop after that are not part of this test. */
enum { ALLOCATIONS_OF_AN_ANSWER = 2 }; /* itself, and what brings it to the loop */

static void expect_question_to_stay_open(answering answer, int status)
{
    hooked_server = (hooked){0};
    releases = 0;
    hooked_start(&hooked_server, NULL, NULL);
    hooked_request(&hooked_server, &client, UPGRADE_REQUEST_WITH("/room/1", "Sec-WebSocket-Protocol: chat\r\n"));
    jz_handshake question = hooked_question(&hooked_server, 0);
    assert_true(jz_handshake_is_waiting(question));
    serving_let_pass(hooked_server.server, 0); /* behind the hook, the loop still takes memory to keep the request */
    for (size_t succeeding = 0; succeeding < ALLOCATIONS_OF_AN_ANSWER; succeeding++) {
        test_allocation_fails_once_after(succeeding);
        jz_answer_status result = answer(question);
        assert_int_equal(test_allocations_succeed(), 1);
        assert_int_equal(result, JZ_ANSWER_OUT_OF_MEMORY);
        assert_true(jz_handshake_is_waiting(question));
        assert_int_equal(releases, 0);
    }
    assert_int_equal(answer(question), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), status);
    test_client_close(&client);
    hooked_finish(&hooked_server);
}

static void without_memory_a_question_stays_open(void **state)
{
    (void)state;
    expect_question_to_stay_open(accept_with_state, 101);
    assert_int_equal(releases, 1);
    expect_question_to_stay_open(reject_with_body, 403);
    assert_int_equal(releases, 0);
}

static void answer_at_once(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    const answering *answer = hooked->context;
    hooked->answer = (int)(*answer)(handshake);
}

/* One client's whole visit, with one allocation that fails, or all from one on. Returns whether any did. */
static bool visit(const answering *answer, jz_execution execution, size_t succeeding, bool fails_once)
{
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    route.upgrade_timeout_ms = 100;
    route.deflate.mode = JZ_DEFLATE_DEDICATED;
    hooked_server = (hooked){.ask = answer_at_once, .context = answer, .answer = -1};
    releases = 0;
    hooked_start(&hooked_server, NULL, &route);
    assert_true(test_client_connect(&client, hooked_server.port, 0));
    static const char request[] = UPGRADE_REQUEST_WITH(
        "/room/1", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
    if (fails_once)
        test_allocation_fails_once_after(succeeding);
    else
        test_allocations_fail_after(succeeding);
    bool is_sent = test_client_send(&client, request, sizeof request - 1);
    (void)test_client_take_head(&client);
    static const char close_frame[] = "\x88\x82\0\0\0\0\x03\xE8";
    (void)test_client_send(&client, close_frame, sizeof close_frame - 1);
    (void)test_client_sees_end(&client);
    bool has_failed = test_allocations_succeed() > 0;
    assert_true(is_sent);
    test_client_close(&client);
    hooked_finish(&hooked_server);
    assert_that(releases == (hooked_server.answer == JZ_ANSWER_TAKEN ? 1 : 0),
                "%zu releases after answer %d, %zu allocations", (size_t)releases, (int)hooked_server.answer,
                succeeding);
    assert_int_equal(hooked_server.journal.opens, hooked_server.journal.closes);
    return has_failed;
}

enum { MOST_ALLOCATIONS = 200 };

static void no_state_is_lost_where_an_allocation_fails(void **state)
{
    (void)state;
    static const answering accepting = accept_with_state;
    static const jz_execution executions[] = {JZ_EXECUTION_LOOP, JZ_EXECUTION_WORKERS};
    for (size_t i = 0; i < COUNT_OF(executions); i++) {
        for (int fails_once = 0; fails_once < 2; fails_once++) {
            size_t succeeding = 0;
            while (visit(&accepting, executions[i], succeeding, fails_once != 0))
                assert_true(++succeeding < MOST_ALLOCATIONS);
            assert_true(succeeding > 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_a_question_stays_open),
        cmocka_unit_test(no_state_is_lost_where_an_allocation_fails),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("memory of upgrades", tests, NULL, NULL));
}
