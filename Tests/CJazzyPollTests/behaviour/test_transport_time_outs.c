/* Connections of a transport whose time is over: their peers are told the end, so that it is none that an attacker
 * made. */
#include "jazzy.h"
#include "jazzy/transport.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum { TIME_OUT_MS = 200, LONG_MS = 20000 };

static jz_server *server;
static journal seen;
static throttled throttle;
static test_client client;

static void close_at_once(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_close(ws, JZ_CLOSE_NORMAL, NULL, 0);
}

/* The time for a handshake is long where one is made, by a client that may be late. */
static void start(throttled manner, uint32_t handshake_timeout_ms)
{
    jz_options options = serving_options(1);
    jz_error error = {0};
    options.handshake_timeout_ms = handshake_timeout_ms;
    options.keep_alive_timeout_ms = options.close_timeout_ms = TIME_OUT_MS;
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = close_at_once;
    throttle = manner;
    server = jz_server_create(&options, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &seen, &error), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/page", "text/plain", "a page", 6, &error), JZ_OK);
    const jz_listen_options listening = {.transport = &throttled_transport, .transport_context = &throttle};
    assert_that(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
}

static void finish(void)
{
    assert_eventually(throttle.closed == throttle.opened);
    test_client_close(&client);
    jz_server_destroy(server);
    pthread_mutex_destroy(&seen.lock);
}

static void a_connection_that_is_kept_alive_for_nothing_is_told_the_end(void **state)
{
    static const char request[] = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (void)state;
    start((throttled){.seed = 1}, LONG_MS);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, request, sizeof request - 1));
    assert_int_equal(test_client_take_head(&client), 200);
    assert_true(test_client_receive(&client, 6));
    assert_eventually(throttle.closed == 1);
    assert_int_equal(throttle.ended, 1);
    finish();
}

static void who_has_not_asked_for_anything_is_told_the_end(void **state)
{
    (void)state;
    start((throttled){.seed = 1, .most_received = 1}, TIME_OUT_MS);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_eventually(throttle.closed == 1);
    assert_int_equal(throttle.ended, 1);
    finish();
}

static void who_does_not_answer_a_close_frame_is_told_the_end(void **state)
{
    (void)state;
    start((throttled){.seed = 1}, LONG_MS);
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    test_client_send_frame(&client, &(test_frame)TEXT("close"));
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    assert_eventually(throttle.closed == 1);
    assert_int_equal(throttle.ended, 1);
    finish();
}

static void who_is_within_the_handshake_of_its_channel_is_not(void **state)
{
    (void)state;
    start((throttled){.seed = 1, .steps = 1000}, TIME_OUT_MS);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_eventually(throttle.closed == 1);
    assert_int_equal(throttle.ended, 0);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_is_kept_alive_for_nothing_is_told_the_end),
        cmocka_unit_test(who_has_not_asked_for_anything_is_told_the_end),
        cmocka_unit_test(who_does_not_answer_a_close_frame_is_told_the_end),
        cmocka_unit_test(who_is_within_the_handshake_of_its_channel_is_not),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
