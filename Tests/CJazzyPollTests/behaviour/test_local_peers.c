/*
 * Peers of Unix domain sockets that leave while reading from them is paused: the kernel reports it at once, and only
 * once.
 */
#define _DEFAULT_SOURCE

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/folder.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

static jz_server *server;
static journal seen;
static test_client peer;
static atomic_size_t questions;
static jz_handshake question;
static atomic_size_t releases;

static void keep_question(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)request;
    question = handshake;
    questions++;
}

static void count_release(void *state)
{
    (void)state;
    releases++;
}

static void pause_at_once(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_pause_reading(ws);
}

/* Listens at the path, and on a port for the bystander. "/" pauses, and "/asking" has a hook that leaves it open. */
static void start(void)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = pause_at_once;
    questions = 0;
    releases = 0;
    jz_options options = serving_options(1);
    jz_route_options asking = jz_route_options_default();
    asking.upgrade = keep_question;
    asking.upgrade_timeout_ms = 3600000;
    asking.release_state = count_release;
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &seen, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/asking", &asking, journal_handle, &seen, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    bystander_open(jz_server_port(server));
    assert_true(test_client_connect_unix(&peer, path));
}

static void finish(void)
{
    bystander_close();
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
}

static jz_statistics statistics(void)
{
    jz_statistics result;
    jz_server_statistics(server, &result);
    return result;
}

static void expect_few_turns(void)
{
    enum { SOME_MS = 200, FEW = 20 };
    uint64_t before = statistics().iterations;
    poll(NULL, 0, SOME_MS);
    assert_true(statistics().iterations - before < FEW);
}

/* Frames with a masking key of zero. */
#define A "\x81\x81\0\0\0\0a"
#define B "\x81\x81\0\0\0\0b"
#define BYE "\x88\x82\0\0\0\0\x03\xE8"

static const struct {
    const char *bytes; /* sent by the client behind its request, while the hook decides */
    size_t length;
} behind[] = {{"", 0}, {A, sizeof A - 1}, {A B BYE, sizeof A B BYE - 1}};

static void who_leaves_while_the_hook_is_asked_is_gone_at_once(void **state)
{
    (void)state;
    static const char request[] = UPGRADE_REQUEST("/asking");
    for (size_t i = 0; i < COUNT_OF(behind); i++) {
        start();
        assert_true(test_client_send(&peer, request, sizeof request - 1));
        assert_eventually(questions == 1);
        bystander_let_turn();
        assert_true(test_client_send(&peer, behind[i].bytes, behind[i].length));
        expect_few_turns();
        assert_true(jz_handshake_is_waiting(question));
        test_client_close(&peer);
        assert_eventually(statistics().connections == 1);
        expect_few_turns();
        assert_false(jz_handshake_is_waiting(question));
        assert_int_equal(jz_handshake_accept(question, &(jz_acceptance){.state = &releases}), JZ_ANSWER_LATE);
        assert_int_equal(releases, 0);
        finish();
        assert_int_equal(releases, 0); /* it stayed the caller's */
        assert_int_equal(seen.opens, 0);
    }
}

static void open_and_leave(const char *bytes, size_t length)
{
    start();
    assert_true(test_client_upgrade(&peer, UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
    bystander_let_turn();
    assert_true(test_client_send(&peer, bytes, length));
    bystander_let_turn();
    assert_int_equal(seen.messages, 0);
    test_client_close(&peer);
}

static void what_a_paused_peer_sent_before_it_left_is_delivered(void **state)
{
    (void)state;
    open_and_leave(A B BYE, sizeof A B BYE - 1);
    journal_expect(&seen, 1, "open text(a) text(b) close(1000 clean)");
    assert_int_equal(statistics().failures[JZ_FAILURE_TRANSPORT], 0);
    expect_few_turns();
    finish();
}

static void a_paused_peer_that_leaves_without_a_word_is_lost_at_once(void **state)
{
    (void)state;
    open_and_leave(A, sizeof A - 1);
    journal_expect(&seen, 1, "open text(a) close(1006 unclean)");
    expect_few_turns();
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_leaves_while_the_hook_is_asked_is_gone_at_once),
        cmocka_unit_test(what_a_paused_peer_sent_before_it_left_is_delivered),
        cmocka_unit_test(a_paused_peer_that_leaves_without_a_word_is_lost_at_once),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("local peers", tests, make_folder, remove_folder));
}
