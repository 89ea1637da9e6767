/* What a connection can do and query in its close event: the same on the loop and on workers, however it ended. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>

#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MANY = 40, LETTERS = 20000 };

#define WITH_SUBPROTOCOL UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Protocol: chat\r\n")

static jz_server *server;
static journal seen;
static test_client leaver;
static test_client others[3];
static test_client many[MANY];

/* Several workers may write the answers at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    atomic_bool is_held; /* close events on workers wait */
    atomic_size_t waiting;
    atomic_bool is_kept;     /* what one was answered is written down */
    char answers[1024];      /* by the close event, */
    atomic_bool is_answered; /* which is over then */
    atomic_bool is_refused;  /* all that close events try */
    atomic_size_t refusals;  /* of that many */
    char address[JZ_REMOTE_ADDRESS_SIZE];
} last;

static void append_topic(void *text, const char *topic, size_t length)
{
    size_t written = strlen(text);
    snprintf((char *)text + written, 256 - written, " %.*s", (int)length, topic);
}

/* All that it may ask. */
static void write_answers(jz_ws ws)
{
    char topics[256] = "";
    size_t count = jz_ws_topics(ws, append_topic, topics);
    size_t subscribers = jz_server_subscriber_count(server, "room", 4);
    bool is_subscribed = jz_ws_is_subscribed(ws, "room", 4);
    bool is_in_another = jz_ws_is_subscribed(ws, "another", 7);
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    jz_ws_remote_address(ws, last.address);
    snprintf(last.answers, sizeof last.answers,
             "%zu topics:%s; room %d, another %d; %zu subscribers, %u webSockets; %s; open %d; publish %d", count,
             topics, is_subscribed, is_in_another, subscribers, (unsigned)statistics.websockets, jz_ws_subprotocol(ws),
             jz_ws_is_open(ws), (int)jz_ws_publish(ws, "room", 4, JZ_MESSAGE_TEXT, "X has left", 10));
}

/* All that it may not do any more. */
static bool is_refused_everything(jz_ws ws)
{
    return jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1) == JZ_SEND_CLOSED &&
           jz_ws_close(ws, 1000, "", 0) == JZ_SEND_CLOSED && jz_ws_terminate(ws) == JZ_SEND_CLOSED &&
           jz_ws_subscribe(ws, "new", 3) == JZ_SEND_CLOSED && jz_ws_unsubscribe(ws, "room", 4) == JZ_SEND_CLOSED &&
           jz_ws_pause_reading(ws) == JZ_SEND_CLOSED && jz_ws_resume_reading(ws) == JZ_SEND_CLOSED;
}

static void wait_while_held(void)
{
    last.waiting++;
    test_hold_while(last.is_held);
}

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, "lobby", 5);
        jz_ws_subscribe(ws, "room", 4); /* which tests wait for */
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT) {
        if (message->bytes[0] == 'c')
            jz_ws_close(ws, 4000, "", 0);
        if (message->bytes[0] == 't')
            jz_ws_terminate(ws);
    } else if (event->type == JZ_EVENT_CLOSE) {
        if (last.is_held)
            wait_while_held();
        if (last.is_kept) {
            pthread_mutex_lock(&lock);
            write_answers(ws);
            if (!is_refused_everything(ws))
                strcat(last.answers, "; not refused");
            pthread_mutex_unlock(&lock);
            last.is_answered = true;
        }
        if (last.is_refused) {
            last.is_refused = is_refused_everything(ws);
            last.refusals++;
        }
    }
}

static bool is_in_room(size_t count)
{
    return jz_server_subscriber_count(server, "room", 4) == count;
}

static bool are_connected(size_t count)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.connections == count;
}

static void start(uint32_t threads, jz_execution execution)
{
    static const char *const subprotocols[] = {"chat"};
    jz_options options = serving_options(threads);
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    route.subprotocols = subprotocols;
    route.subprotocol_count = 1;
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    seen.act = act;
    last.is_held = last.is_kept = last.is_answered = last.is_refused = false;
    last.refusals = 0;
    last.waiting = 0;
    const serving_route routes[] = {{"/", journal_handle, &seen, &route}};
    server = serving_start(&options, routes, COUNT_OF(routes));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_true(test_client_open(&others[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(is_in_room(COUNT_OF(others)));
}

static void finish(void)
{
    last.is_kept = last.is_held = false;
    jz_server_stop_within(server, 0);
    jz_server_destroy(server);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        test_client_close(&others[i]);
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

typedef enum way { CLOSES, LEAVES, RESETS, BREAKS_A_RULE, IS_CLOSED, IS_TERMINATED, WAYS } way;

static const char *const ways[] = {"it closes", "it leaves", "a reset", "a broken rule", "closed", "terminated"};

static void end(way way)
{
    test_received frame;
    switch (way) {
    case CLOSES:
        test_client_send_frame(&leaver, &(test_frame)CLOSE(1000, ""));
        break;
    case LEAVES:
        test_client_stop_sending(&leaver);
        break;
    case RESETS:
        test_client_reset(&leaver);
        break;
    case BREAKS_A_RULE:
        test_client_send_frame(&leaver, &(test_frame){.fin = true, .opcode = 3});
        break;
    case IS_CLOSED:
        test_client_send_frame(&leaver, &(test_frame)TEXT("close"));
        assert_true(test_client_take_frame(&leaver, &frame));
        test_client_send_frame(&leaver, &(test_frame)CLOSE(4000, ""));
        break;
    default:
        test_client_send_frame(&leaver, &(test_frame)TEXT("terminate"));
        break;
    }
}

/* Its peer sees the end, so that a connection which lingers for it goes, too. */
static void let_go(way way)
{
    if (way != RESETS)
        test_client_close(&leaver);
    assert_eventually(are_connected(COUNT_OF(others)));
}

static void it_can_say_that_it_has_left_and_ask_who_it_was(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * WAYS; i++) {
        jz_execution execution = i % 2 == 0 ? JZ_EXECUTION_LOOP : JZ_EXECUTION_WORKERS;
        way way = (enum way)(i / 4);
        start(i % 4 < 2 ? 1 : 3, execution);
        assert_true(test_client_open(&leaver, jz_server_port(server), WITH_SUBPROTOCOL));
        assert_eventually(is_in_room(COUNT_OF(others) + 1));
        char address[32];
        test_client_address(&leaver, address);
        last.is_kept = true;
        if (execution == JZ_EXECUTION_WORKERS) {
            /* It asks when its socket is gone, and its loop has done with it. */
            last.is_held = true;
            end(way);
            assert_eventually(last.waiting == 1);
            let_go(way);
            last.is_held = false;
        } else {
            end(way);
        }
        assert_eventually(last.is_answered);
        char expected[256];
        snprintf(expected, sizeof expected,
                 "2 topics: lobby room; room 1, another 0; 4 subscribers, 3 webSockets; chat; open 0; publish %d",
                 JZ_SEND_SENT);
        assert_that(strcmp(last.answers, expected) == 0, "%s: %s", ways[way], last.answers);
        assert_string_equal(last.address, address);
        for (size_t k = 0; k < COUNT_OF(others); k++)
            test_client_expect(&others[k], JZ_OPCODE_TEXT, "X has left", 10);
        assert_eventually(is_in_room(COUNT_OF(others)));
        if (execution == JZ_EXECUTION_LOOP)
            let_go(way);
        jz_ws ws = journal_handle_of(&seen, COUNT_OF(others));
        assert_eventually(jz_ws_remote_address(ws, last.address) == 0);
        assert_int_equal(jz_ws_publish(ws, "room", 4, JZ_MESSAGE_TEXT, "late", 4), JZ_SEND_CLOSED);
        assert_int_equal(jz_ws_topics(ws, append_topic, NULL), 0);
        finish();
    }
}

/* They keep their slots until their workers have run the close event: new connections get other slots. */
static void who_comes_meanwhile_is_somebody_else(void **state)
{
    (void)state;
    start(2, JZ_EXECUTION_WORKERS);
    last.is_held = true;
    for (size_t i = 0; i < 3; i++) {
        assert_true(test_client_open(&many[i], jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_eventually(is_in_room(COUNT_OF(others) + i + 1));
        test_client_close(&many[i]);
    }
    assert_eventually(last.waiting == 3 && are_connected(COUNT_OF(others)));
    assert_true(is_in_room(COUNT_OF(others) + 3));
    for (size_t i = 0; i < MANY; i++)
        assert_true(test_client_open(&many[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(is_in_room(COUNT_OF(others) + 3 + MANY));
    for (size_t i = 0; i < COUNT_OF(others) + 3 + MANY; i++) {
        char address[JZ_REMOTE_ADDRESS_SIZE];
        assert_true(jz_ws_remote_address(journal_handle_of(&seen, i), address) > 0);
    }
    last.is_held = false;
    assert_eventually(is_in_room(COUNT_OF(others) + MANY));
    for (size_t i = 0; i < MANY; i++)
        test_client_close(&many[i]);
    assert_eventually(is_in_room(COUNT_OF(others)));
    finish();
}

/* A worker may be there before the loop has done anything else. */
static void however_soon_it_asks_it_has_ended(void **state)
{
    (void)state;
    enum { ROUNDS = 25 };
    start(2, JZ_EXECUTION_WORKERS);
    last.is_refused = true;
    for (size_t round = 1; round <= ROUNDS; round++) {
        for (size_t i = 0; i < MANY; i++)
            assert_true(test_client_open(&many[i], jz_server_port(server), UPGRADE_REQUEST("/")));
        for (size_t i = 0; i < MANY; i++)
            test_client_close(&many[i]);
        assert_eventually(!last.is_refused || last.refusals == round * MANY);
        assert_that(last.is_refused, "not in round %zu", round);
    }
    finish();
}

/* More letters than one iteration takes, so that later errands of the loop have to wait. */
static void whatever_was_asked_before_it_has_ended(void **state)
{
    (void)state;
    start(1, JZ_EXECUTION_LOOP);
    last.is_held = true;
    last.is_refused = true;
    test_client_close(&others[0]);
    assert_eventually(last.waiting == 1);
    for (size_t i = 0; i < LETTERS; i++)
        jz_ws_subscribe(journal_handle_of(&seen, 1), "room", 4);
    last.is_held = false;
    assert_eventually(!last.is_refused || last.refusals == 1);
    assert_true(last.is_refused);
    finish();
}

static void a_server_that_stops_waits_for_those_who_say_goodbye(void **state)
{
    (void)state;
    static const uint32_t graces[] = {0, 3600000};
    for (size_t i = 0; i < COUNT_OF(graces); i++) {
        start(2, JZ_EXECUTION_WORKERS);
        last.is_held = true;
        last.is_kept = true;
        test_client_close(&others[0]);
        assert_eventually(last.waiting == 1);
        jz_server_stop_within(server, graces[i]);
        for (size_t k = 1; k < COUNT_OF(others); k++) {
            test_client_expect(&others[k], JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
            test_client_stop_sending(&others[k]);
        }
        assert_eventually(last.waiting == COUNT_OF(others) && are_connected(0));
        assert_true(is_in_room(COUNT_OF(others)));
        last.is_held = false;
        jz_server_wait(server);
        assert_int_equal(seen.closes, COUNT_OF(others));
        assert_true(is_in_room(0));
        last.is_kept = false;
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(it_can_say_that_it_has_left_and_ask_who_it_was),
        test_without_leaks(who_comes_meanwhile_is_somebody_else),
        test_without_leaks(however_soon_it_asks_it_has_ended),
        test_without_leaks(whatever_was_asked_before_it_has_ended),
        test_without_leaks(a_server_that_stops_waits_for_those_who_say_goodbye),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("leaving", tests, NULL, NULL));
}
