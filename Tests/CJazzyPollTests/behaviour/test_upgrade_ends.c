/* When the question of an upgrade hook is over, for any reason, upgrade_ended is called once. */
#define _POSIX_C_SOURCE 200809L

#include "jazzy.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static hooked hooked_server;

static hooked *begin(const jz_options *options, const jz_route_options *route)
{
    hooked_start(&hooked_server, options, route);
    return &hooked_server;
}

/* The question was asked once, and is over once, when the server has stopped at the latest. */
static void finish(hooked *hooked)
{
    hooked_finish(hooked);
    assert_int_equal(hooked->questions, 1);
    assert_int_equal(hooked->ends, 1);
    assert_int_equal(hooked->ended[0].value, hooked->handshakes[0].value);
    assert_int_equal(hooked->ended[0].route, hooked->handshakes[0].route);
    assert_int_equal(hooked->opens_at_first_end, 0);
    test_client_close(&client);
    hooked_server = (struct hooked){0};
}

static void accept_at_once(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    hooked->answer = (int)jz_handshake_accept(handshake, NULL);
}

static void reject_at_once(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    hooked->answer = (int)jz_handshake_reject(handshake, &(jz_rejection){.status = 403});
}

static void an_answer_at_once_ends_it_before_the_open_event(void **state)
{
    (void)state;
    static const struct {
        void (*ask)(hooked *hooked, jz_handshake handshake, const jz_request *request);
        int status;
    } answers[] = {{accept_at_once, 101}, {reject_at_once, 403}};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        hooked_server.ask = answers[i].ask;
        hooked *hooked = begin(NULL, NULL);
        hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
        assert_int_equal(test_client_take_head(&client), answers[i].status);
        assert_eventually(hooked->ends == 1);
        finish(hooked);
    }
}

static void an_answer_that_comes_later_ends_it_before_the_open_event(void **state)
{
    (void)state;
    hooked *hooked = begin(NULL, NULL);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    assert_int_equal(hooked->ends, 0);
    assert_int_equal(jz_handshake_accept(question, NULL), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    assert_eventually(hooked->journal.opens == 1);
    assert_int_equal(hooked->ends, 1);
    finish(hooked);
}

static void a_time_out_ends_it_and_is_a_warning_that_names_the_route(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.upgrade_timeout_ms = 100;
    hooked *hooked = begin(NULL, &route);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(hooked, 0);
    assert_int_equal(test_client_take_head(&client), 503);
    assert_int_equal(hooked->ends, 1);
    assert_int_equal(jz_handshake_accept(question, NULL), JZ_ANSWER_LATE);
    assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_UPGRADE_TIMEOUT), 1);
    assert_true(hooked_has_logged(
        hooked, ": refused: the upgrade hook of /room/:id did not answer within 100 ms (upgrade_timeout_ms)"));
    finish(hooked);
}

static void a_client_that_resets_the_connection_ends_it(void **state)
{
    (void)state;
    hooked *hooked = begin(NULL, NULL);
    hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
    hooked_question(hooked, 0);
    test_client_reset(&client);
    assert_eventually(hooked->ends == 1);
    finish(hooked);
}

static void a_server_that_stops_ends_it(void **state)
{
    (void)state;
    static const uint32_t graces[] = {0, 1000};
    for (size_t i = 0; i < COUNT_OF(graces); i++) {
        hooked *hooked = begin(NULL, NULL);
        hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
        hooked_question(hooked, 0);
        jz_server_stop_within(hooked->server, graces[i]);
        assert_eventually(hooked->ends == 1);
        finish(hooked);
    }
}

static void too_much_behind_the_head_ends_it(void **state)
{
    (void)state;
    jz_options options = serving_options(1);
    options.max_head_size = 256;
    char bytes[1024] = UPGRADE_REQUEST("/room/1");
    hooked *hooked = begin(&options, NULL);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, bytes, strlen(bytes) + 257));
    assert_int_equal(test_client_take_head(&client), 400);
    assert_int_equal(hooked->ends, 1);
    finish(hooked);
}

static void misuse_the_end(hooked *hooked, jz_handshake handshake)
{
    const jz_ws ws = {handshake.value};
    bool is_late = jz_handshake_reject(handshake, &(jz_rejection){.status = 403}) == JZ_ANSWER_LATE;
    bool is_closed = jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1) == JZ_SEND_CLOSED &&
                     jz_ws_close(ws, 1000, "", 0) == JZ_SEND_CLOSED && !jz_ws_set_state(ws, hooked);
    hooked->answer = is_late && is_closed && !jz_handshake_is_waiting(handshake) && !jz_ws_is_open(ws) ? 1 : -1;
    jz_server_stop(hooked->server);
}

static void who_is_told_can_do_nothing_with_it_and_may_stop_the_server(void **state)
{
    (void)state;
    static const uint32_t timeouts[] = {100, 3600000};
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        jz_route_options route = jz_route_options_default();
        route.upgrade_timeout_ms = timeouts[i];
        hooked_server.end = misuse_the_end;
        hooked *hooked = begin(NULL, &route);
        hooked_request(hooked, &client, UPGRADE_REQUEST("/room/1"));
        hooked_question(hooked, 0);
        if (i > 0)
            test_client_reset(&client);
        jz_server_wait(hooked->server);
        assert_int_equal(hooked->answer, 1);
        finish(hooked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_at_once_ends_it_before_the_open_event),
        cmocka_unit_test(an_answer_that_comes_later_ends_it_before_the_open_event),
        cmocka_unit_test(a_time_out_ends_it_and_is_a_warning_that_names_the_route),
        cmocka_unit_test(a_client_that_resets_the_connection_ends_it),
        cmocka_unit_test(a_server_that_stops_ends_it),
        cmocka_unit_test(too_much_behind_the_head_ends_it),
        cmocka_unit_test(who_is_told_can_do_nothing_with_it_and_may_stop_the_server),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("ends of upgrade questions", tests, NULL, NULL));
}
