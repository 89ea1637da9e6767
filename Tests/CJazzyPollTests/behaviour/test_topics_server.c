/* Topics of a running server with several loops, by way of its public functions and of clients over loopback. */
#define _POSIX_C_SOURCE 200809L

#include <linux/sockios.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/fleet.h"
#include "support/send_calls.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 4 };

static const char topic[] = "room/7";

#define TOPIC topic, sizeof topic - 1

/* What is published. */
typedef struct stamp {
    uint32_t publisher;
    uint32_t number;
} stamp;

static void subscribe_or_publish(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, TOPIC);
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "subscribed", 10);
    } else if (event->type == JZ_EVENT_MESSAGE) {
        jz_ws_publish(ws, TOPIC, message->kind, message->bytes, message->length);
    }
}

enum { MOST_PUBLISHERS = 64, MOST_RECEIVERS = 64 };

/* What the clients of a fleet have received. */
typedef struct receipts {
    size_t subscribed;
    size_t messages;
    uint32_t next[MOST_RECEIVERS][MOST_PUBLISHERS];
    size_t disorders;
} receipts;

static void take_stamp(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    receipts *receipts = context;
    stamp stamp;
    if (opcode == JZ_OPCODE_PONG)
        return;
    if (opcode == JZ_OPCODE_TEXT) {
        receipts->subscribed++;
        return;
    }
    memcpy(&stamp, start, sizeof stamp);
    if (opcode != JZ_OPCODE_BINARY || length < sizeof stamp || stamp.publisher >= MOST_PUBLISHERS ||
        stamp.number != receipts->next[number][stamp.publisher])
        receipts->disorders++;
    else
        receipts->next[number][stamp.publisher]++;
    receipts->messages++;
}

static void open_all(fleet *fleet, size_t count, const jz_server *server, const char *path)
{
    for (size_t i = 0; i < count; i++)
        assert_true(fleet_open(fleet, i, jz_server_port(server), path, 0));
}

static void publishing_reaches_every_subscriber_but_the_sender(void **state)
{
    (void)state;
    enum { CLIENTS = 24, MESSAGES = 10, NOBODY = CLIENTS };
    static receipts receipts;
    const jz_options options = serving_options(LOOPS);
    jz_server *server = serving_start(&options, &(serving_route){"/", subscribe_or_publish, NULL, NULL}, 1);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, take_stamp, &receipts));
    open_all(&fleet, CLIENTS, server, "/");
    assert_turning(&fleet, receipts.subscribed == CLIENTS);
    assert_int_equal(jz_server_subscriber_count(server, TOPIC), CLIENTS);
    for (uint32_t number = 0; number < MESSAGES; number++) {
        for (uint32_t i = 0; i < CLIENTS; i++)
            assert_true(fleet_send(&fleet, i, JZ_OPCODE_BINARY, &(stamp){i, number}, sizeof(stamp)));
        assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_BINARY, &(stamp){NOBODY, number}, sizeof(stamp)),
                         JZ_SEND_SENT);
    }
    assert_turning(&fleet, receipts.messages >= CLIENTS * CLIENTS * MESSAGES);
    assert_int_equal(receipts.disorders, 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        for (size_t j = 0; j <= CLIENTS; j++)
            assert_int_equal(receipts.next[i][j], i == j ? 0 : MESSAGES);
    }
    assert_int_equal(receipts.messages, CLIENTS * CLIENTS * MESSAGES);
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

/*
 * Publishers that take turns with a lock: other threads, and handlers on every loop, each in all possible ways. What is
 * published under the lock has one order, which all receivers must see.
 */
typedef struct turns {
    pthread_mutex_t lock;
    uint32_t next; /* guarded by `lock`, as is what follows */
    jz_ws senders[LOOPS];
    size_t sender_count;
    size_t refused;
    jz_server *server;
} turns;

static void publish_in_turn(turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    const stamp stamp = {0, turns->next++};
    uint32_t way = stamp.number % (LOOPS + 1);
    jz_send_status status = way < LOOPS
                                ? jz_ws_publish(turns->senders[way], TOPIC, JZ_MESSAGE_BINARY, &stamp, sizeof stamp)
                                : jz_server_publish(turns->server, TOPIC, JZ_MESSAGE_BINARY, &stamp, sizeof stamp);
    turns->refused += status == JZ_SEND_SENT ? 0 : 1;
    pthread_mutex_unlock(&turns->lock);
}

static void take_turns(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    turns *turns = context;
    if (event->type == JZ_EVENT_MESSAGE)
        publish_in_turn(turns);
    if (event->type != JZ_EVENT_OPEN)
        return;
    pthread_mutex_lock(&turns->lock);
    turns->senders[turns->sender_count++] = ws;
    pthread_mutex_unlock(&turns->lock);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "ready", 5);
}

enum { OUTSIDE_THREADS = 8, TURNS_OF_EACH = 150 };

static void *publish_many(void *context)
{
    for (size_t i = 0; i < TURNS_OF_EACH; i++)
        publish_in_turn(context);
    return NULL;
}

static void what_is_published_under_a_lock_has_one_order_for_all(void **state)
{
    (void)state;
    enum { RECEIVERS = 3 * LOOPS, CLIENTS = RECEIVERS + LOOPS };
    static receipts receipts;
    static turns turns = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const jz_options options = serving_options(LOOPS);
    const serving_route routes[] = {{"/", subscribe_or_publish, NULL, NULL}, {"/sender", take_turns, &turns, NULL}};
    turns.server = serving_start(&options, routes, COUNT_OF(routes));
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, take_stamp, &receipts));
    open_all(&fleet, RECEIVERS, turns.server, "/");
    for (size_t i = RECEIVERS; i < CLIENTS; i++) /* handed over in turn: one for each loop */
        assert_true(fleet_open(&fleet, i, jz_server_port(turns.server), "/sender", 0));
    assert_turning(&fleet, receipts.subscribed == CLIENTS);
    pthread_t threads[OUTSIDE_THREADS];
    for (size_t i = 0; i < OUTSIDE_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_many, &turns), 0);
    for (size_t i = 0; i < LOOPS * TURNS_OF_EACH; i++)
        assert_true(fleet_send(&fleet, RECEIVERS + i % LOOPS, JZ_OPCODE_TEXT, "go", 2));
    for (size_t i = 0; i < OUTSIDE_THREADS; i++)
        pthread_join(threads[i], NULL);
    const size_t published = (OUTSIDE_THREADS + LOOPS) * TURNS_OF_EACH;
    assert_turning(&fleet, receipts.messages >= RECEIVERS * published);
    assert_int_equal(receipts.disorders, 0);
    assert_int_equal(receipts.messages, RECEIVERS * published);
    assert_int_equal(turns.refused, 0);
    fleet_finish(&fleet);
    jz_server_destroy(turns.server);
}

/* Successive calls of one thread take effect in order. */
static void subscribing_from_another_thread_is_in_order_with_publishing(void **state)
{
    (void)state;
    static receipts receipts;
    static turns turns = {.lock = PTHREAD_MUTEX_INITIALIZER};
    enum { ROUNDS = 200 };
    const jz_options options = serving_options(LOOPS);
    turns.server = serving_start(&options, &(serving_route){"/", take_turns, &turns, NULL}, 1);
    fleet fleet;
    assert_true(fleet_start(&fleet, LOOPS, take_stamp, &receipts));
    open_all(&fleet, LOOPS, turns.server, "/");
    assert_turning(&fleet, receipts.subscribed == LOOPS);
    for (uint32_t number = 0; number < ROUNDS; number++) {
        for (size_t i = 0; i < LOOPS; i++)
            assert_int_equal(jz_ws_subscribe(turns.senders[i], TOPIC), JZ_SEND_QUEUED);
        assert_int_equal(jz_server_publish(turns.server, TOPIC, JZ_MESSAGE_BINARY, &(stamp){0, number}, sizeof(stamp)),
                         JZ_SEND_SENT);
        for (size_t i = 0; i < LOOPS; i++)
            assert_int_equal(jz_ws_unsubscribe(turns.senders[i], TOPIC), JZ_SEND_QUEUED);
        /* There is no receiver for this. */
        assert_int_equal(
            jz_server_publish(turns.server, TOPIC, JZ_MESSAGE_BINARY, &(stamp){0, UINT32_MAX}, sizeof(stamp)),
            JZ_SEND_SENT);
    }
    assert_turning(&fleet, receipts.messages >= LOOPS * ROUNDS);
    assert_eventually(jz_server_subscriber_count(turns.server, TOPIC) == 0);
    assert_int_equal(receipts.disorders, 0);
    assert_int_equal(receipts.messages, LOOPS * ROUNDS);
    fleet_finish(&fleet);
    jz_server_destroy(turns.server);
}

/* Topics are read from outside while their loops change them. */
static void count_topic(void *context, const char *name, size_t length)
{
    if (length == sizeof topic - 1 && memcmp(name, topic, length) == 0)
        ++*(size_t *)context;
}

static void other_threads_see_what_a_connection_is_subscribed_to(void **state)
{
    (void)state;
    static receipts receipts;
    static turns turns = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const jz_options options = serving_options(1);
    turns.server = serving_start(&options, &(serving_route){"/", take_turns, &turns, NULL}, 1);
    fleet fleet;
    assert_true(fleet_start(&fleet, 1, take_stamp, &receipts));
    open_all(&fleet, 1, turns.server, "/");
    assert_turning(&fleet, receipts.subscribed == 1);
    jz_ws ws = turns.senders[0];
    size_t found = 0;
    assert_false(jz_ws_is_subscribed(ws, TOPIC));
    assert_int_equal(jz_ws_topics(ws, count_topic, &found), 0);
    assert_int_equal(jz_ws_subscribe(ws, TOPIC), JZ_SEND_QUEUED);
    assert_int_equal(jz_ws_subscribe(ws, NULL, 0), JZ_SEND_QUEUED);
    assert_eventually(jz_ws_is_subscribed(ws, NULL, 0));
    assert_true(jz_ws_is_subscribed(ws, TOPIC));
    assert_int_equal(jz_ws_topics(ws, count_topic, &found), 2);
    assert_int_equal(found, 1);
    assert_int_equal(jz_server_subscriber_count(turns.server, TOPIC), 1);
    fleet_close(&fleet, 0);
    assert_eventually(jz_server_subscriber_count(turns.server, TOPIC) == 0);
    assert_false(jz_ws_is_subscribed(ws, TOPIC));
    fleet_finish(&fleet);
    jz_server_destroy(turns.server);
}

enum { BURST_RECEIVERS = 40, BURST_TOPICS = 3, BURST_MESSAGES = 10, SMALL = 100, LARGE = 4000 };

/* Everybody has all three topics; one message of a client makes for many, small and large, and some sent directly. */
typedef struct burst {
    jz_ws receivers[BURST_RECEIVERS];
    size_t count;
} burst;

static void burst_on_message(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const char *const names[BURST_TOPICS] = {"a", "b", "c"};
    static const uint8_t bytes[LARGE];
    burst *burst = context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        for (size_t i = 0; i < BURST_TOPICS; i++)
            jz_ws_subscribe(ws, names[i], 1);
        burst->receivers[burst->count++] = ws;
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "subscribed", 10);
    }
    for (size_t i = 0; event->type == JZ_EVENT_MESSAGE && i < BURST_MESSAGES; i++) {
        for (size_t j = 0; j < BURST_TOPICS; j++)
            jz_ws_publish(ws, names[j], 1, JZ_MESSAGE_BINARY, bytes, j == 0 ? LARGE : SMALL);
        for (size_t j = 0; j < BURST_RECEIVERS; j++)
            jz_ws_send(burst->receivers[j], JZ_MESSAGE_BINARY, bytes, SMALL);
    }
}

typedef struct count_of_frames {
    size_t texts;
    size_t binaries;
} count_of_frames;

static void count_frame(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    count_of_frames *counted = context;
    (void)number;
    (void)start;
    (void)length;
    counted->texts += opcode == JZ_OPCODE_TEXT ? 1 : 0;
    counted->binaries += opcode == JZ_OPCODE_BINARY ? 1 : 0;
}

static void all_that_a_turn_brings_reaches_a_receiver_with_one_system_call(void **state)
{
    (void)state;
    static burst burst;
    count_of_frames counted = {0};
    const jz_options options = serving_options(1);
    jz_server *server = serving_start(&options, &(serving_route){"/", burst_on_message, &burst, NULL}, 1);
    fleet fleet;
    assert_true(fleet_start(&fleet, BURST_RECEIVERS, count_frame, &counted));
    open_all(&fleet, BURST_RECEIVERS, server, "/");
    assert_turning(&fleet, counted.texts == BURST_RECEIVERS);
    size_t sends = test_send_count();
    assert_true(fleet_send(&fleet, 0, JZ_OPCODE_TEXT, "go", 2));
    const size_t published = (BURST_RECEIVERS - 1) * BURST_TOPICS * BURST_MESSAGES;
    assert_turning(&fleet, counted.binaries >= published + BURST_RECEIVERS * BURST_MESSAGES);
    assert_int_equal(counted.binaries, published + BURST_RECEIVERS * BURST_MESSAGES);
    assert_int_equal(test_send_count() - sends, 1 + BURST_RECEIVERS); /* the first is the client's own */
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

/* A loop that is held in a handler, until every other client's message has come. */
static atomic_bool is_held;
static atomic_bool has_begun;

static void hold_or_publish(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_PING) {
        subscribe_or_publish(context, ws, event, message);
        return;
    }
    has_begun = true;
    test_hold_while(is_held);
}

static bool is_acknowledged(const fleet *fleet, size_t number)
{
    int unacknowledged = 0;
    return ioctl(fleet->clients[number].descriptor, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

static void receivers_that_publish_in_the_same_turn_take_one_system_call_each_too(void **state)
{
    (void)state;
    enum { CLIENTS = 30 };
    static receipts receipts;
    const jz_options options = serving_options(1);
    jz_server *server = serving_start(&options, &(serving_route){"/", hold_or_publish, NULL, NULL}, 1);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS + 1, take_stamp, &receipts));
    open_all(&fleet, CLIENTS + 1, server, "/");
    assert_turning(&fleet, receipts.subscribed == CLIENTS + 1);
    is_held = true;
    assert_true(fleet_send(&fleet, CLIENTS, JZ_OPCODE_PING, "", 0));
    assert_eventually(has_begun);
    for (uint32_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_send(&fleet, i, JZ_OPCODE_BINARY, &(stamp){i, 0}, sizeof(stamp)));
    for (uint32_t i = 0; i < CLIENTS; i++)
        assert_eventually(is_acknowledged(&fleet, i));
    size_t sends = test_send_count();
    is_held = false;
    assert_turning(&fleet, receipts.messages >= CLIENTS * CLIENTS);
    assert_int_equal(receipts.disorders, 0);
    /* One with the pong, which ends the iteration in which the loop was held, and one for each receiver. */
    assert_int_equal(test_send_count() - sends, 1 + CLIENTS + 1);
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishing_reaches_every_subscriber_but_the_sender),
        cmocka_unit_test(what_is_published_under_a_lock_has_one_order_for_all),
        cmocka_unit_test(subscribing_from_another_thread_is_in_order_with_publishing),
        cmocka_unit_test(other_threads_see_what_a_connection_is_subscribed_to),
        cmocka_unit_test(all_that_a_turn_brings_reaches_a_receiver_with_one_system_call),
        cmocka_unit_test(receivers_that_publish_in_the_same_turn_take_one_system_call_each_too),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("topics of a server", tests, NULL, NULL));
}
