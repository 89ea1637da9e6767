/*
 * Several threads look at a server while clients storm it in all ways, and while it stops: nothing is torn, and what is
 * published is counted exactly once.
 */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 3, LOOKERS = 3, STORMERS = 3, SUBSCRIBERS = 3, ROUNDS = 150, PUBLISHED = 8, MOST_PERIODS = 1024 };

#define STEADY "steady", 6
#define PASSING "passing", 7

static struct {
    jz_server *server;
    atomic_size_t opens;
    atomic_size_t ready;    /* lookers that have looked */
    atomic_bool is_stopped; /* the server has stopped */
    atomic_uint faults;     /* of stormers and lookers */
} storm;

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_OPEN) {
        if (context != NULL)
            jz_ws_subscribe(ws, STEADY);
        else
            jz_ws_subscribe(ws, PASSING);
        storm.opens++;
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY) {
        jz_ws_publish(ws, PASSING, message->kind, message->bytes, message->length);
    }
}

static void start(void)
{
    static int is_steady;
    const serving_route routes[] = {{"/", handle, NULL, NULL}, {"/steady", handle, &is_steady, NULL}};
    jz_options options = serving_options(LOOPS);
    options.log_level = JZ_LOG_ERROR;
    storm.server = serving_start(&options, routes, COUNT_OF(routes));
}

/* Opens a WebSocket and ends it in one of several ways; some are refused. */
static bool storm_once(test_client *client, size_t round)
{
    static const char refused[] = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
    const uint16_t port = jz_server_port(storm.server);
    if (round % 4 == 0) {
        bool is_refused = test_client_connect(client, port, 0) &&
                          test_client_send(client, refused, sizeof refused - 1) && test_client_take_head(client) == 404;
        test_client_close(client);
        return is_refused;
    }
    if (!test_client_open(client, port, UPGRADE_REQUEST("/")))
        return false;
    static const uint8_t broken[] = {0x83, 0x80, 0, 0, 0, 0};
    bool is_sent = round % 4 != 1 || test_client_send(client, broken, sizeof broken);
    if (round % 4 == 2)
        test_client_reset(client);
    else
        test_client_close(client);
    return is_sent;
}

static void *go_on_storming(void *context)
{
    static const char payload[100];
    test_client *client = malloc(sizeof *client);
    (void)context;
    for (size_t round = 0; round < ROUNDS; round++) {
        storm.faults += storm_once(client, round) ? 0 : 1;
        for (size_t i = 0; i < PUBLISHED; i++)
            storm.faults +=
                jz_server_publish(storm.server, STEADY, JZ_MESSAGE_BINARY, payload, sizeof payload) != JZ_SEND_SENT;
        jz_server_publish(storm.server, PASSING, JZ_MESSAGE_BINARY, payload, sizeof payload);
    }
    free(client);
    return NULL;
}

/*
 * Of the steady topic, by period. A looker that stands still misses periods, but whoever ends one has it: together they
 * see all.
 */
static struct {
    pthread_mutex_t lock;
    struct {
        bool is_seen;
        uint64_t deliveries;
        uint64_t bytes;
    } periods[MOST_PERIODS];
    atomic_uint_least64_t deliveries; /* of all */
    atomic_uint_least64_t bytes;
} tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Whoever sees a period sees the same. */
static void add(const jz_look *look)
{
    uint64_t deliveries = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < look->topic_count; i++) {
        if (strcmp(look->topics[i].name, "steady") != 0)
            continue;
        deliveries += look->topics[i].deliveries;
        bytes += look->topics[i].bytes;
    }
    uint64_t period = look->topics_period;
    pthread_mutex_lock(&tally.lock);
    if (period >= MOST_PERIODS) {
        storm.faults++;
    } else if (tally.periods[period].is_seen) {
        storm.faults += tally.periods[period].deliveries != deliveries || tally.periods[period].bytes != bytes;
    } else {
        tally.periods[period].is_seen = true;
        tally.periods[period].deliveries = deliveries;
        tally.periods[period].bytes = bytes;
        tally.deliveries += deliveries;
        tally.bytes += bytes;
    }
    pthread_mutex_unlock(&tally.lock);
}

/* Whether the parts of a look fit together. */
static bool is_whole(const jz_look *look)
{
    uint64_t previous_ns = UINT64_MAX;
    for (size_t i = 0; i < look->incident_count; i++) {
        const jz_incident *incident = &look->incidents[i];
        if (incident->clock_ns > previous_ns || incident->loop >= look->loop_count || incident->text[0] == '\0' ||
            strncmp(incident->address, "127.0.0.1:", 10) != 0)
            return false;
        previous_ns = incident->clock_ns;
    }
    for (size_t i = 1; i < look->topic_count; i++) {
        if (look->topics[i].publications + look->topics[i].deliveries >
            look->topics[i - 1].publications + look->topics[i - 1].deliveries)
            return false;
    }
    for (size_t i = 1; i < look->receiver_count; i++) {
        if (look->receivers[i].unsent_bytes > look->receivers[i - 1].unsent_bytes)
            return false;
    }
    return look->loop_count == LOOPS;
}

/* Until the server has stopped. */
static void *go_on_looking(void *context)
{
    (void)context;
    bool is_ready = false;
    uint64_t deadline = test_deadline();
    while (!storm.is_stopped && test_is_before(deadline)) {
        jz_look *look = jz_server_look(storm.server, NULL, NULL);
        storm.faults += look == NULL || !is_whole(look) ? 1 : 0;
        if (look != NULL)
            add(look);
        jz_look_free(look);
        storm.ready += is_ready ? 0 : 1;
        is_ready = true;
        poll(NULL, 0, 3);
    }
    return NULL;
}

static void lookers_see_all_of_a_storm_and_a_stop(void **state)
{
    (void)state;
    static test_client subscribers[SUBSCRIBERS];
    pthread_t lookers[LOOKERS];
    pthread_t stormers[STORMERS];
    start();
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        assert_true(test_client_open(&subscribers[i], jz_server_port(storm.server), UPGRADE_REQUEST("/steady")));
        assert_eventually(storm.opens == i + 1);
    }
    for (size_t i = 0; i < LOOKERS; i++)
        assert_int_equal(pthread_create(&lookers[i], NULL, go_on_looking, NULL), 0);
    assert_eventually(storm.ready == LOOKERS);
    for (size_t i = 0; i < STORMERS; i++)
        assert_int_equal(pthread_create(&stormers[i], NULL, go_on_storming, NULL), 0);
    for (size_t i = 0; i < STORMERS; i++)
        pthread_join(stormers[i], NULL);
    const uint64_t published = STORMERS * ROUNDS * PUBLISHED;
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        test_received frame;
        for (uint64_t k = 0; k < published; k++)
            assert_true(test_client_take_frame(&subscribers[i], &frame));
    }
    uint64_t deadline = test_deadline();
    while (tally.deliveries < published * SUBSCRIBERS && test_pause_before(deadline))
        continue;
    jz_server_stop(storm.server);
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        test_client_close(&subscribers[i]);
    jz_server_wait(storm.server);
    storm.is_stopped = true;
    for (size_t i = 0; i < LOOKERS; i++)
        pthread_join(lookers[i], NULL);
    assert_int_equal(tally.deliveries, published * SUBSCRIBERS);
    assert_int_equal(tally.bytes, published * SUBSCRIBERS * 100);
    assert_int_equal(storm.faults, 0);
    jz_server_destroy(storm.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lookers_see_all_of_a_storm_and_a_stop)};
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("insight in a storm", tests, NULL, NULL));
}
