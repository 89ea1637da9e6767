/* Reading that is paused and resumed: TCP slows the peer down, and nothing is lost. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "support/allocation.h"
#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/testing.h"

static jz_server *server;
static journal seen;
static test_client peer;

static void start_with(void (*act)(journal *, jz_ws, const jz_event *, const jz_message *),
                       const jz_route_options *route)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    seen.act = act;
    const serving_route routes[] = {{"/", journal_handle, &seen, route}, BYSTANDER_ROUTE};
    jz_options options = serving_options(1);
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
}

static void start(void (*act)(journal *, jz_ws, const jz_event *, const jz_message *))
{
    start_with(act, NULL);
}

static jz_ws connection(void)
{
    return journal_handle_of(&seen, 0);
}

static void finish(void)
{
    bystander_close();
    test_client_close(&peer);
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    assert_false(seen.was_reentered);
    pthread_mutex_destroy(&seen.lock);
}

static void pause_from_here(void)
{
    assert_int_equal(jz_ws_pause_reading(connection()), JZ_SEND_QUEUED);
    bystander_let_turn();
}

static void resume_from_here(void)
{
    assert_int_equal(jz_ws_resume_reading(connection()), JZ_SEND_QUEUED);
}

static void send_text(const char *frames, size_t length)
{
    assert_true(test_client_send(&peer, frames, length));
}

/* Frames with a masking key of zero. */
#define A "\x81\x81\0\0\0\0a"
#define B "\x81\x81\0\0\0\0b"
#define C "\x81\x81\0\0\0\0c"
#define PAUSE "\x81\x85\0\0\0\0pause"
#define FRAMES_OF(literal) literal, sizeof(literal) - 1

static _Atomic jz_send_status paused_with;

static void pause_as_told(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE && message->length == 5)
        paused_with = jz_ws_pause_reading(ws);
}

static void expect_messages(size_t count)
{
    assert_eventually(seen.messages == count);
    for (int i = 0; i < 5; i++)
        bystander_let_turn();
    assert_int_equal(seen.messages, count);
}

static void what_one_read_brought_is_delivered_and_nothing_more(void **state)
{
    (void)state;
    start(pause_as_told);
    send_text(FRAMES_OF(A PAUSE B));
    expect_messages(3);
    assert_int_equal(paused_with, JZ_SEND_SENT);
    send_text(FRAMES_OF(C));
    expect_messages(3);
    resume_from_here();
    expect_messages(4);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
    journal_expect(&seen, 1, "open text(a) text(pause) text(b) text(c) close(1000 clean)");
    finish();
}

static void a_handler_on_a_worker_pauses_likewise(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    start_with(pause_as_told, &route);
    send_text(FRAMES_OF(A PAUSE B));
    expect_messages(3);
    assert_int_equal(paused_with, JZ_SEND_QUEUED);
    send_text(FRAMES_OF(C));
    expect_messages(3);
    resume_from_here();
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
    journal_expect(&seen, 1, "open text(a) text(pause) text(b) text(c) close(1000 clean)");
    finish();
}

static void pause_at_once(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_pause_reading(ws);
}

static void reading_may_be_paused_from_the_open_event_on(void **state)
{
    (void)state;
    start(pause_at_once);
    send_text(FRAMES_OF(A B));
    expect_messages(0);
    resume_from_here();
    expect_messages(2);
    finish();
}

static void other_threads_pause_and_resume(void **state)
{
    (void)state;
    start(NULL);
    for (size_t round = 1; round < 5; round++) {
        pause_from_here();
        pause_from_here(); /* does nothing */
        send_text(FRAMES_OF(A));
        expect_messages(round - 1);
        resume_from_here();
        resume_from_here();
        expect_messages(round);
    }
    /* Sending to the peer is not paused. */
    pause_from_here();
    assert_int_equal(jz_ws_send(connection(), JZ_MESSAGE_TEXT, "still", 5), JZ_SEND_QUEUED);
    test_client_expect(&peer, JZ_OPCODE_TEXT, "still", 5);
    jz_ws ws = connection();
    test_client_reset(&peer);
    assert_eventually(seen.closes == 1);
    assert_int_equal(jz_ws_pause_reading(ws), JZ_SEND_CLOSED);
    assert_int_equal(jz_ws_resume_reading(ws), JZ_SEND_CLOSED);
    assert_int_equal(jz_ws_resume_reading((jz_ws){0}), JZ_SEND_CLOSED);
    finish();
}

static void count_only(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        seen.handles[seen.opens] = ws;
        seen.opens++; /* which says that the handle is there */
    } else if (event->type == JZ_EVENT_MESSAGE) {
        seen.messages++;
    } else if (event->type == JZ_EVENT_CLOSE) {
        seen.closes++;
    }
}

/* Sends frames of `A`'s size until the peer has taken none for a while. Returns how many bytes that were. */
static size_t flood(void)
{
    enum { FRAME = 7, STUCK_MS = 300 };
    static uint8_t frames[FRAME * 1000];
    for (size_t i = 0; i < sizeof frames; i += FRAME)
        memcpy(frames + i, A, FRAME);
    size_t total = 0;
    for (;;) {
        size_t offset = total % sizeof frames;
        ssize_t sent = send(peer.descriptor, frames + offset, sizeof frames - offset, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            total += (size_t)sent;
        else if (errno != EAGAIN || poll(&(struct pollfd){.fd = peer.descriptor, .events = POLLOUT}, 1, STUCK_MS) <= 0)
            break;
    }
    /* To the end of a frame, once there is room. */
    resume_from_here();
    size_t rest = (FRAME - total % FRAME) % FRAME;
    assert_true(test_client_send(&peer, (const uint8_t *)A + FRAME - rest, rest));
    return (total + rest) / FRAME;
}

static void a_sender_is_slowed_and_nothing_is_lost(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    const serving_route routes[] = {{"/", count_only, NULL, NULL}, BYSTANDER_ROUTE};
    jz_options options = serving_options(1);
    pthread_mutex_init(&seen.lock, NULL);
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == 1);
    pause_from_here();
    size_t before = test_live_bytes();
    (void)test_most_live_bytes();
    size_t sent = flood();
    assert_true(sent > 10000);
    assert_eventually(seen.messages == sent);
    assert_true(test_most_live_bytes() < before + 64 * 1024); /* it may be less than before: memory is given back */
    finish();
}

static void who_closes_while_paused_sees_the_answer(void **state)
{
    (void)state;
    start(NULL);
    pause_from_here();
    send_text(FRAMES_OF(A));
    assert_int_equal(jz_ws_close(connection(), 4000, "enough", 6), JZ_SEND_QUEUED);
    test_client_expect(&peer, JZ_OPCODE_CLOSE,
                       "\x0F\xA0"
                       "enough",
                       8);
    test_client_send_frame(&peer, &(test_frame)CLOSE(4000, ""));
    assert_true(test_client_sees_end(&peer));
    journal_expect(&seen, 1, "open close(4000 clean)");
    finish();
}

static void a_server_that_stops_closes_who_is_paused(void **state)
{
    (void)state;
    start(pause_at_once);
    bystander_close();
    jz_server_stop(server);
    test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&peer));
    journal_expect(&seen, 1, "open close(1001 clean)");
    finish();
}

static uint64_t iterations(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.iterations;
}

static void expect_few_turns(void)
{
    enum { SOME_MS = 200, FEW = 20 };
    uint64_t before = iterations();
    poll(NULL, 0, SOME_MS);
    assert_true(iterations() - before < FEW);
}

static void a_reset_ends_who_is_paused(void **state)
{
    (void)state;
    for (int has_sent = 0; has_sent < 2; has_sent++) {
        start(NULL);
        pause_from_here();
        if (has_sent)
            send_text(FRAMES_OF(A));
        test_client_reset(&peer);
        char text[256];
        snprintf(text, sizeof text, "open error(%s) close(1006 unclean)", jz_failure_text(JZ_FAILURE_TRANSPORT));
        journal_expect(&seen, 1, text);
        expect_few_turns();
        finish();
    }
}

static void the_end_of_who_is_paused_is_seen_when_it_is_read_again(void **state)
{
    (void)state;
    start(NULL);
    pause_from_here();
    send_text(FRAMES_OF(A));
    assert_int_equal(shutdown(peer.descriptor, SHUT_WR), 0);
    expect_few_turns();
    assert_true(jz_ws_is_open(connection()));
    resume_from_here();
    journal_expect(&seen, 1, "open text(a) close(1006 unclean)");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_read_brought_is_delivered_and_nothing_more),
        cmocka_unit_test(a_handler_on_a_worker_pauses_likewise),
        cmocka_unit_test(reading_may_be_paused_from_the_open_event_on),
        cmocka_unit_test(other_threads_pause_and_resume),
        cmocka_unit_test(a_sender_is_slowed_and_nothing_is_lost),
        cmocka_unit_test(who_closes_while_paused_sees_the_answer),
        cmocka_unit_test(a_server_that_stops_closes_who_is_paused),
        cmocka_unit_test(a_reset_ends_who_is_paused),
        cmocka_unit_test(the_end_of_who_is_paused_is_seen_when_it_is_read_again),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("flow of what is read", tests, NULL, NULL));
}
