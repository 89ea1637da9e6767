/* Interaction of threads on servers with several loops: stale handles, hand-over, several servers. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "connection/handle.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/fleet.h"
#include "support/random.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 4 };

#define TOPIC "all", 3

enum { HAMMERS = 8, ROUNDS = 40000, CHURNERS = 2, LEAST_CHURN = 40, MOST_STALE = 20000 };

static struct {
    jz_server *server;
    _Atomic uint64_t stale[MOST_STALE]; /* handles of connections that are gone */
    atomic_size_t stale_count;
    atomic_size_t hammers_at_work;
    atomic_size_t opens;
    atomic_size_t closes;
    atomic_size_t wrong; /* answers other than that it is closed */
} churn;

static void count_topic(void *context, const char *name, size_t length)
{
    (void)name;
    (void)length;
    ++*(size_t *)context;
}

static void ignore_context(void *visitor, void *context)
{
    (void)visitor;
    (void)context;
}

/* Calls every function there is, and returns how many did not say that the connection is closed. */
static size_t use_stale(jz_ws ws)
{
    char address[JZ_REMOTE_ADDRESS_SIZE] = "?";
    size_t topics = 0;
    size_t wrong = 0;
    wrong += jz_ws_send(ws, JZ_MESSAGE_TEXT, "stale", 5) != JZ_SEND_CLOSED;
    wrong += jz_ws_send_with(ws, JZ_MESSAGE_PING, "stale", 5, JZ_COMPRESSION_NEVER) != JZ_SEND_CLOSED;
    wrong += jz_ws_publish(ws, TOPIC, JZ_MESSAGE_TEXT, "stale", 5) != JZ_SEND_CLOSED;
    wrong += jz_ws_subscribe(ws, TOPIC) != JZ_SEND_CLOSED;
    wrong += jz_ws_unsubscribe(ws, TOPIC) != JZ_SEND_CLOSED;
    wrong += jz_ws_close(ws, 1000, "stale", 5) != JZ_SEND_CLOSED;
    wrong += jz_ws_is_open(ws);
    wrong += jz_ws_is_subscribed(ws, TOPIC);
    wrong += jz_ws_topics(ws, count_topic, &topics) != 0 || topics != 0;
    wrong += jz_ws_buffered_amount(ws) != 0;
    wrong += jz_ws_remote_address(ws, address) != 0 || address[0] != '\0';
    wrong += jz_ws_state(ws) != NULL;
    wrong += jz_ws_visit_context(ws, ignore_context, NULL);
    wrong += jz_ws_set_state(ws, &churn);
    return wrong;
}

static jz_ws any_stale(test_random *random)
{
    size_t count = churn.stale_count;
    return (jz_ws){count > 0 ? churn.stale[test_random_below(random, count)] : 0};
}

/* Handlers use stale handles, too, some of them of their own loop. */
static void greet(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        test_random random = {ws.value};
        churn.opens++;
        jz_ws_subscribe(ws, TOPIC);
        for (size_t i = 0; i < 16; i++)
            churn.wrong += use_stale(any_stale(&random));
        jz_ws_send(ws, JZ_MESSAGE_BINARY, &ws.value, sizeof ws.value);
    } else if (event->type == JZ_EVENT_CLOSE) {
        churn.closes++;
    }
}

static void *hammer(void *context)
{
    test_random random = {(uint64_t)(uintptr_t)context};
    for (size_t i = 0; i < ROUNDS; i++)
        churn.wrong += use_stale(any_stale(&random));
    churn.hammers_at_work--;
    return NULL;
}

/* One client after the other, which is to be sent its handle and nothing else. */
typedef struct churner {
    fleet fleet;
    uint64_t ws;
    size_t failures;
} churner;

static void take_handle(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    churner *self = context;
    (void)number;
    if (opcode != JZ_OPCODE_BINARY || length != sizeof self->ws || self->ws != 0)
        self->failures++;
    else
        memcpy(&self->ws, start, sizeof self->ws);
}

static bool is_gone(jz_ws ws)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    uint64_t deadline = test_deadline();
    while (jz_ws_remote_address(ws, address) > 0) {
        if (!test_pause_before(deadline))
            return false;
    }
    return true;
}

/* While there is room for a further handle of each: hammers may take long. */
static bool goes_on(void)
{
    return churn.hammers_at_work > 0 && churn.stale_count < MOST_STALE - CHURNERS;
}

static void *come_and_go(void *context)
{
    churner *self = context;
    for (size_t i = 0; (i < LEAST_CHURN || goes_on()) && self->failures == 0; i++) {
        bool has_handle = false;
        self->ws = 0;
        if (fleet_open(&self->fleet, 0, jz_server_port(churn.server), "/", 0))
            FLEET_TURN_UNTIL(&self->fleet, self->ws != 0 || self->failures > 0, has_handle);
        fleet_close(&self->fleet, 0);
        if (!has_handle || !is_gone((jz_ws){self->ws}))
            self->failures++;
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&lock);
        if (churn.stale_count < MOST_STALE) {
            churn.stale[churn.stale_count] = self->ws;
            churn.stale_count++;
        }
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void stale_handles_are_closed_whoever_has_the_slot_by_now(void **state)
{
    (void)state;
    static churner churners[CHURNERS];
    size_t live = test_live_allocations();
    const jz_options options = serving_options(LOOPS);
    churn.server = serving_start(&options, &(serving_route){"/", greet, NULL, NULL}, 1);
    churn.hammers_at_work = HAMMERS;
    pthread_t threads[HAMMERS + CHURNERS];
    for (size_t i = 0; i < CHURNERS; i++) {
        assert_true(fleet_start(&churners[i].fleet, 1, take_handle, &churners[i]));
        assert_int_equal(pthread_create(&threads[HAMMERS + i], NULL, come_and_go, &churners[i]), 0);
    }
    assert_eventually(churn.stale_count >= LOOPS);
    for (uintptr_t i = 0; i < HAMMERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
    for (size_t i = 0; i < HAMMERS + CHURNERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < CHURNERS; i++) {
        assert_int_equal(churners[i].failures, 0);
        fleet_finish(&churners[i].fleet);
    }
    assert_int_equal(churn.wrong, 0);
    assert_true(churn.opens >= CHURNERS * LEAST_CHURN);
    assert_int_equal(churn.opens, churn.closes);
    assert_int_equal(churn.opens, churn.stale_count);
    jz_server_destroy(churn.server);
    /* Nor do they mean anything to the next server, which has the number of this one. */
    churn.server = serving_start(&options, &(serving_route){"/", greet, NULL, NULL}, 1);
    for (size_t i = 0; i < churn.stale_count; i++)
        assert_int_equal(use_stale((jz_ws){churn.stale[i]}), 0);
    jz_server_destroy(churn.server);
    assert_int_equal(test_live_allocations(), live);
}

/* Clients that are sent their handles, one for each, and then messages that are counted. */
typedef struct crowd {
    fleet fleet;
    uint64_t handles[64];
    size_t handle_count;
    size_t texts;
} crowd;

static void take_into_crowd(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    crowd *crowd = context;
    if (opcode == JZ_OPCODE_BINARY && length == sizeof(uint64_t)) {
        memcpy(&crowd->handles[number], start, sizeof(uint64_t));
        crowd->handle_count++;
    } else {
        crowd->texts++;
    }
}

static void open_crowd(crowd *crowd, const jz_server *server, size_t count)
{
    assert_true(fleet_start(&crowd->fleet, count, take_into_crowd, crowd));
    for (size_t i = 0; i < count; i++)
        assert_true(fleet_open(&crowd->fleet, i, jz_server_port(server), "/", 0));
    assert_turning(&crowd->fleet, crowd->handle_count == count);
}

static void connections_that_are_handed_over_are_spread_evenly(void **state)
{
    (void)state;
    enum { OF_EACH = 10 };
    static const uint32_t loops[] = {1, 2, 3, 5};
    for (size_t i = 0; i < COUNT_OF(loops); i++) {
        static crowd crowd;
        size_t counts[JZ_MAX_THREADS] = {0};
        const jz_options options = serving_options(loops[i]);
        memset(&crowd, 0, sizeof crowd);
        jz_server *server = serving_start(&options, &(serving_route){"/", greet, NULL, NULL}, 1);
        open_crowd(&crowd, server, OF_EACH * loops[i]);
        for (size_t j = 0; j < OF_EACH * loops[i]; j++)
            counts[jz_handle_loop((jz_ws){crowd.handles[j]})]++;
        for (size_t j = 0; j < loops[i]; j++)
            assert_int_equal(counts[j], OF_EACH);
        fleet_finish(&crowd.fleet);
        jz_server_destroy(server);
    }
}

static void on_a_shared_port_every_connection_is_served(void **state)
{
    (void)state;
    enum { CLIENTS = 60 };
    static crowd crowd;
    jz_options options = serving_options(LOOPS);
    options.accepting = JZ_ACCEPTING_SHARED_PORT;
    jz_server *server = serving_start(&options, &(serving_route){"/", greet, NULL, NULL}, 1);
    open_crowd(&crowd, server, CLIENTS);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_turning(&crowd.fleet, crowd.texts == CLIENTS);
    fleet_finish(&crowd.fleet);
    jz_server_destroy(server);
}

static void topics_of_two_servers_have_nothing_to_do_with_each_other(void **state)
{
    (void)state;
    enum { CLIENTS = 12 };
    static crowd crowds[2];
    jz_server *servers[2];
    const jz_options options = serving_options(2);
    for (size_t i = 0; i < 2; i++) {
        servers[i] = serving_start(&options, &(serving_route){"/", greet, NULL, NULL}, 1);
        open_crowd(&crowds[i], servers[i], CLIENTS);
    }
    assert_int_equal(jz_server_publish(servers[0], TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_turning(&crowds[0].fleet, crowds[0].texts == CLIENTS);
    const jz_ws sender = {crowds[1].handles[0]};
    assert_int_equal(jz_ws_publish(sender, TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_turning(&crowds[1].fleet, crowds[1].texts == CLIENTS - 1);
    fleet_finish(&crowds[0].fleet);
    jz_server_destroy(servers[0]);
    assert_true(jz_ws_is_open(sender));
    assert_int_equal(jz_server_publish(servers[1], TOPIC, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_turning(&crowds[1].fleet, crowds[1].texts == 2 * CLIENTS - 1);
    fleet_finish(&crowds[1].fleet);
    jz_server_destroy(servers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_handles_are_closed_whoever_has_the_slot_by_now),
        cmocka_unit_test(connections_that_are_handed_over_are_spread_evenly),
        cmocka_unit_test(on_a_shared_port_every_connection_is_served),
        cmocka_unit_test(topics_of_two_servers_have_nothing_to_do_with_each_other),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("threads", tests, NULL, NULL));
}
