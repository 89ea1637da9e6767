/*
 * Kept input counts when a time-out passes, like input that is unread in the kernel: here because of a slow handler.
 * The tests advance the clock.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <unistd.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    TIMEOUT_MS = 10000,
    MESSAGE_MS = 1000,  /* the handler's time for a message: an iteration handles only a few */
    MESSAGES = 60,      /* together much longer than the time-out */
    BEFORE_THE_LOOK = 4 /* messages until the loop looks whether a connection has had its share */
};

static jz_server *server;
static journal seen;
static test_client peer;
static test_client other;
static atomic_bool peer_has_close; /* frame, and so nothing waits for it to take it */

/* The frames have a masking key of zero. */
#define X "\x81\x81\0\0\0\0x"
#define CLOSE_1000 "\x88\x82\0\0\0\0\x03\xE8"
#define FRAMES_OF(literal) literal, sizeof(literal) - 1

static void take_long(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal, (void)ws, (void)message;
    if (event->type == JZ_EVENT_MESSAGE)
        test_clock_advance(MESSAGE_MS);
}

/* Closes with the message after which the loop looks. */
static void close_at_the_look(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    take_long(journal, ws, event, message);
    if (journal->messages == BEFORE_THE_LOOK)
        jz_ws_close(ws, 1000, "", 0);
}

static void take_very_long(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    test_hold_while(!peer_has_close);
    test_clock_advance(10 * TIMEOUT_MS);
}

/* A socket whose kernel reports at once what the peer has taken. */
static void start(void (*act)(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message))
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/jazzy-times-of-kept-input-%ld", (long)getpid());
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    peer_has_close = false;
    test_clock_stop(test_real_clock_ms());
    jz_options options = serving_options(1);
    options.close_timeout_ms = options.idle_timeout_ms = TIMEOUT_MS;
    jz_route_options never_idle = jz_route_options_default();
    never_idle.idle_timeout_ms = JZ_NEVER;
    assert_non_null(server = jz_server_create(&options, NULL));
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &seen, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/other", &never_idle, take_very_long, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    bystander_open(jz_server_port(server));
    assert_true(test_client_connect_unix(&peer, path));
    assert_true(test_client_upgrade(&peer, UPGRADE_REQUEST("/")));
    assert_true(test_client_open(&other, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_eventually(seen.opens == 1);
}

static void finish(void)
{
    test_client_close(&peer);
    test_client_close(&other);
    bystander_close();
    jz_server_destroy(server);
    test_clocks_run();
}

static void who_waits_for_its_turn_is_not_idle(void **state)
{
    (void)state;
    start(take_long);
    uint8_t frames[MESSAGES * (sizeof X - 1) + sizeof CLOSE_1000 - 1];
    for (size_t i = 0; i < MESSAGES; i++)
        memcpy(frames + i * (sizeof X - 1), X, sizeof X - 1);
    memcpy(frames + MESSAGES * (sizeof X - 1), CLOSE_1000, sizeof CLOSE_1000 - 1);
    assert_true(test_client_send(&peer, frames, sizeof frames));
    assert_eventually(seen.closes == 1);
    assert_int_equal(seen.messages, MESSAGES);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.causes[JZ_CAUSE_IDLE], 0);
    finish();
}

/*
 * A handler of another connection blocks the loop until the close time-out has passed, before the kept input is
 * handled.
 */
static void an_answer_to_a_close_frame_that_waits_for_its_turn_is_taken(void **state)
{
    (void)state;
    start(close_at_the_look);
    bystander_hold_loop();
    assert_true(test_client_send(&peer, FRAMES_OF(X X X X CLOSE_1000)));
    test_client_send_frame(&other, &(test_frame)TEXT("take long"));
    bystander_release_loop();
    test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    peer_has_close = true;
    journal_expect(&seen, 1, "open text(x) text(x) text(x) text(x) close(1000 clean)");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_its_turn_is_not_idle),
        cmocka_unit_test(an_answer_to_a_close_frame_that_waits_for_its_turn_is_taken),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("times of kept input", tests, NULL, NULL));
}
