/* The state of a second answer is released by the loop, but never within a call of a handler. */
#define _POSIX_C_SOURCE 200809L

#include "support/eventually.h"
#include "support/hooked.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static hooked_state states[2];

/* Calls of a handler, each of which first runs errands of other threads. */
typedef void (*call)(jz_ws ws);

static void send_text(jz_ws ws)
{
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1);
}

static void publish(jz_ws ws)
{
    jz_ws_publish(ws, "topic", 5, JZ_MESSAGE_TEXT, "x", 1);
}

static void subscribe(jz_ws ws)
{
    jz_ws_subscribe(ws, "topic", 5);
}

static void pause_and_resume(jz_ws ws)
{
    jz_ws_pause_reading(ws);
    jz_ws_resume_reading(ws);
}

static void close_it(jz_ws ws)
{
    jz_ws_close(ws, 1000, "", 0);
}

static struct {
    call call;
    atomic_bool is_held;
    atomic_bool holds;
    atomic_bool has_called;
    atomic_bool was_asking; /* before the call, which took the answers */
    atomic_bool is_asking;
    atomic_size_t releases; /* when the call returned */
} handler;

static void call_when_let_go(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    const hooked *hooked = (struct hooked *)journal;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    handler.holds = true;
    test_hold_while(handler.is_held);
    handler.was_asking = jz_handshake_is_waiting(hooked->handshakes[1]);
    handler.call(ws);
    handler.is_asking = jz_handshake_is_waiting(hooked->handshakes[1]);
    handler.releases = states[0] + states[1];
    handler.has_called = true;
}

static void expect_release_after(call call)
{
    states[0] = states[1] = 0;
    static hooked hooked;
    memset(&hooked, 0, sizeof hooked);
    hooked.journal.act = call_when_let_go;
    memset(&handler, 0, sizeof handler);
    handler.call = call;
    handler.is_held = true;
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST("/room/1"));
    assert_int_equal(jz_handshake_accept(hooked_question(&hooked, 0), NULL), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    hooked_request(&hooked, &other, UPGRADE_REQUEST("/room/2"));
    jz_handshake question = hooked_question(&hooked, 1);
    test_client_send_frame(&client, &(test_frame)TEXT("wait"));
    assert_eventually(handler.holds);
    for (size_t i = 0; i < COUNT_OF(states); i++)
        assert_int_equal(jz_handshake_accept(question, &(jz_acceptance){.state = &states[i]}), JZ_ANSWER_TAKEN);
    handler.is_held = false;
    assert_eventually(handler.has_called);
    assert_true(handler.was_asking);
    assert_false(handler.is_asking);
    assert_int_equal(handler.releases, 0);

    /* Then it is, once; the other one belongs to the connection. */
    assert_eventually(states[1] == 1);
    assert_int_equal(test_client_take_head(&other), 101);
    assert_eventually(hooked.journal.opens == 2);
    assert_ptr_equal(hooked.state_when_opened, &states[0]);
    assert_int_equal(states[0], 0);
    test_client_close(&client);
    test_client_close(&other);
    hooked_finish(&hooked);
    assert_int_equal(states[0], 1);
    assert_int_equal(states[1], 1);
}

static void its_state_is_not_released_within_a_call_of_a_handler(void **state)
{
    (void)state;
    static const call calls[] = {send_text, publish, subscribe, pause_and_resume, close_it};
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        expect_release_after(calls[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_state_is_not_released_within_a_call_of_a_handler),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("second answers", tests, NULL, NULL));
}
