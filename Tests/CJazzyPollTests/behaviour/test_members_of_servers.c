/* Who subscribes as a member of a topic is one until it has left, however it leaves, on all loops and from any thread.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/fleet.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 3, CLIENTS = 12, CROWD = 200 };

#define ROOM "room", 4

/* What a watch was told, added up. */
typedef struct tally {
    pthread_mutex_t lock;
    size_t calls, joined, left, now;
    size_t released;
    size_t on_loops; /* calls on a thread of a handler's, or within another call */
    bool is_called;
    char joined_last[64];
} tally;

static void count_change(void *context, const jz_presence_change *change)
{
    tally *tally = context;
    pthread_mutex_lock(&tally->lock);
    tally->on_loops += tally->is_called || jz_current_ws().value != 0;
    tally->is_called = true;
    tally->calls++;
    tally->joined += change->joined_count;
    tally->left += change->left_count;
    tally->now = change->member_count;
    if (change->joined_count > 0) {
        const jz_member *last = &change->joined[change->joined_count - 1];
        snprintf(tally->joined_last, sizeof tally->joined_last, "%.*s=%.*s", (int)last->key_length, last->key,
                 (int)last->info_length, (const char *)last->info);
    }
    tally->is_called = false;
    pthread_mutex_unlock(&tally->lock);
}

static void note_released(void *context)
{
    tally *tally = context;
    pthread_mutex_lock(&tally->lock);
    tally->released++;
    pthread_mutex_unlock(&tally->lock);
}

static size_t read_of(tally *tally, const size_t *number)
{
    pthread_mutex_lock(&tally->lock);
    size_t read = *number;
    pthread_mutex_unlock(&tally->lock);
    return read;
}

static uint64_t watch_room(jz_server *server, tally *tally)
{
    uint64_t number = 0;
    jz_error error = {0};
    const jz_presence_watch watch = {
        .topic = "room", .topic_length = 4, .changed = count_change, .released = note_released, .context = tally};
    assert_int_equal(jz_server_on_presence(server, &watch, &number, &error), JZ_OK);
    return number;
}

static jz_member named(const char *key)
{
    return (jz_member){key, strlen(key), "info", 4};
}

static atomic_size_t opened_count;
static jz_ws opened[CROWD];
static pthread_mutex_t opened_lock = PTHREAD_MUTEX_INITIALIZER;

static void note_opened(jz_ws ws)
{
    pthread_mutex_lock(&opened_lock);
    if (opened_count < CROWD) {
        opened[opened_count] = ws;
        opened_count++; /* which says that it is there */
    }
    pthread_mutex_unlock(&opened_lock);
}

/* "/as" is a member, without a key; a message is what it does next. "/plain" subscribes only. */
static void be_member(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe_as(ws, ROOM, NULL, NULL);
        note_opened(ws);
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT) {
        if (message->length == 5)
            jz_ws_unsubscribe(ws, ROOM);
        else if (message->length == 6)
            jz_ws_terminate(ws);
        else
            jz_ws_close(ws, 1000, "", 0);
    }
}

static void subscribe_plainly(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type != JZ_EVENT_OPEN)
        return;
    jz_ws_subscribe(ws, ROOM);
    note_opened(ws);
}

static void note_only(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        note_opened(ws);
}

static const jz_route_options *on_workers(void)
{
    static jz_route_options options;
    options = jz_route_options_default();
    options.execution = JZ_EXECUTION_WORKERS;
    return &options;
}

static void ignore_frame(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    (void)context, (void)number, (void)opcode, (void)start, (void)length;
}

static jz_server *start(uint32_t loops, tally *tally, bool runs_on_workers)
{
    const jz_options options = serving_options(loops);
    const serving_route routes[] = {{"/as", be_member, NULL, runs_on_workers ? on_workers() : NULL},
                                    {"/plain", subscribe_plainly, NULL, NULL}};
    opened_count = 0;
    jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
    *tally = (struct tally){.lock = PTHREAD_MUTEX_INITIALIZER};
    return server;
}

/* How members leave. */
static const struct {
    const char *name;
    const char *message; /* NULL: the client leaves */
    bool resets;
} ways[] = {
    {"unsubscribe", "leave", false},    {"close", "bye", false},           {"terminate", "at end", false},
    {"the client closes", NULL, false}, {"the client resets", NULL, true},
};

static void members_leave_however_their_connection_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(ways); i++) {
        size_t way = i / 2;
        tally room;
        jz_server *server = start(LOOPS, &room, i % 2 == 1);
        watch_room(server, &room);
        fleet fleet;
        assert_true(fleet_start(&fleet, CLIENTS, ignore_frame, NULL));
        for (size_t j = 0; j < CLIENTS; j++)
            assert_true(fleet_open(&fleet, j, jz_server_port(server), "/as", 0));
        assert_turning(&fleet, jz_server_member_count(server, ROOM) == CLIENTS);
        assert_turning(&fleet, read_of(&room, &room.joined) == CLIENTS);
        for (size_t j = 0; j < CLIENTS; j++) {
            if (ways[way].message != NULL)
                assert_true(fleet_send(&fleet, j, JZ_OPCODE_TEXT, ways[way].message, strlen(ways[way].message)));
            else if (ways[way].resets)
                fleet_reset(&fleet, j);
            else
                fleet_close(&fleet, j);
        }
        if (ways[way].message != NULL && strcmp(ways[way].message, "bye") == 0)
            fleet_finish(&fleet); /* the close handshake is not answered */
        else
            assert_turning(&fleet, jz_server_member_count(server, ROOM) == 0);
        assert_eventually(jz_server_member_count(server, ROOM) == 0);
        assert_eventually(read_of(&room, &room.left) == CLIENTS);
        assert_int_equal(room.now, 0);
        assert_int_equal(room.on_loops, 0);
        if (ways[way].message == NULL || strcmp(ways[way].message, "bye") != 0)
            fleet_finish(&fleet);
        jz_server_destroy(server);
        assert_int_equal(room.released, 1);
    }
}

static void when_the_server_stops_all_leave_and_that_is_told_last(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(LOOPS, &room, false);
    watch_room(server, &room);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, ignore_frame, NULL));
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/as", 0));
    assert_turning(&fleet, read_of(&room, &room.joined) == CLIENTS);
    jz_server_stop_within(server, 100); /* nobody answers the close handshake: all are cut off */
    jz_server_wait(server);
    assert_int_equal(room.left, CLIENTS);
    assert_int_equal(room.now, 0);
    const jz_presence_watch late = {.topic = "room", .topic_length = 4, .changed = count_change, .context = &room};
    jz_error error = {0};
    assert_int_equal(jz_server_on_presence(server, &late, NULL, &error), JZ_STATUS_INVALID_STATE);
    fleet_finish(&fleet);
    jz_server_destroy(server);
    assert_int_equal(room.released, 1);
}

/* Connections of one user on all loops, entered by another thread. */
static void connections_of_one_key_are_one_member_over_all_loops(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(LOOPS, &room, false);
    watch_room(server, &room);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, ignore_frame, NULL));
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/plain", 0));
    assert_turning(&fleet, opened_count == CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        jz_error error = {0};
        const jz_member ann = named("ann");
        assert_int_equal(jz_ws_subscribe_as(opened[i], ROOM, &ann, &error), JZ_SEND_QUEUED);
        assert_int_equal(jz_server_member_count(server, ROOM), 1); /* at once */
    }
    assert_turning(&fleet, read_of(&room, &room.joined) == 1);
    assert_string_equal(room.joined_last, "ann=info");
    for (size_t i = 0; i + 1 < CLIENTS; i++)
        fleet_close(&fleet, i);
    assert_turning(&fleet, jz_server_subscriber_count(server, ROOM) == 1);
    assert_int_equal(jz_server_member_count(server, ROOM), 1);
    assert_int_equal(read_of(&room, &room.left), 0);
    fleet_close(&fleet, CLIENTS - 1);
    assert_turning(&fleet, read_of(&room, &room.left) == 1);
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

/* Another key is another member; unsubscribing ends both the membership and the subscription. */
static void a_connection_is_one_member_of_a_topic_whose_key_may_change(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(1, &room, false);
    test_client client;
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/plain")));
    assert_eventually(opened_count == 1);
    const char *const keys[] = {"ann", "bob", "bob", "cy"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const jz_member who = named(keys[i]);
        assert_int_equal(jz_ws_subscribe_as(opened[0], ROOM, &who, NULL), JZ_SEND_QUEUED);
    }
    watch_room(server, &room);
    assert_eventually(read_of(&room, &room.joined) == 1);
    assert_string_equal(room.joined_last, "cy=info");
    assert_int_equal(jz_server_subscriber_count(server, ROOM), 1);
    assert_int_equal(jz_ws_unsubscribe(opened[0], ROOM), JZ_SEND_QUEUED);
    assert_eventually(jz_server_subscriber_count(server, ROOM) == 0);
    assert_eventually(jz_server_member_count(server, ROOM) == 0);
    test_client_close(&client);
    jz_server_destroy(server);
}

static void visit_member(void *context, const jz_member *member)
{
    char *text = context;
    size_t length = strlen(text);
    snprintf(text + length, 64 - length, "%.*s ", (int)member->key_length, member->key);
}

static void members_are_visited_in_the_order_in_which_they_have_come(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(LOOPS, &room, false);
    fleet fleet;
    assert_true(fleet_start(&fleet, 3, ignore_frame, NULL));
    for (size_t i = 0; i < 3; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/plain", 0));
    assert_turning(&fleet, opened_count == 3);
    const char *const keys[] = {"cy", "ann", "bob"};
    for (size_t i = 0; i < 3; i++) {
        const jz_member who = named(keys[i]);
        assert_int_equal(jz_ws_subscribe_as(opened[i], ROOM, &who, NULL), JZ_SEND_QUEUED);
    }
    char text[64] = "";
    assert_int_equal(jz_server_members(server, ROOM, visit_member, text, NULL), JZ_OK);
    assert_string_equal(text, "cy ann bob ");
    text[0] = '\0';
    assert_int_equal(jz_server_members(server, "hall", 4, visit_member, text, NULL), JZ_OK);
    assert_string_equal(text, "");
    jz_presence_statistics statistics;
    jz_server_presence_statistics(server, &statistics);
    assert_int_equal(statistics.members, 3);
    assert_int_equal(statistics.topics, 1);
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

static void who_cannot_be_a_member_is_told_why_and_has_not_subscribed(void **state)
{
    (void)state;
    jz_options options = serving_options(1);
    options.max_members = 1;
    const serving_route routes[] = {{"/", note_only, NULL, NULL}};
    opened_count = 0;
    jz_server *server = serving_start(&options, routes, 1);
    test_client clients[2];
    for (size_t i = 0; i < 2; i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_eventually(opened_count == i + 1);
    }
    jz_error error = {0};
    const jz_member ann = named("ann"), bob = named("bob");
    assert_int_equal(jz_ws_subscribe_as(opened[0], ROOM, &ann, &error), JZ_SEND_QUEUED);
    assert_int_equal(jz_ws_subscribe_as(opened[1], ROOM, &bob, &error), JZ_SEND_DROPPED);
    assert_int_equal(error.status, JZ_STATUS_LIMIT_REACHED);
    assert_non_null(strstr(error.message, "option max_members"));
    assert_eventually(jz_server_subscriber_count(server, ROOM) == 1);
    test_client_close(&clients[0]);
    assert_eventually(jz_ws_subscribe_as(opened[0], ROOM, &ann, NULL) == JZ_SEND_CLOSED);
    assert_eventually(jz_ws_subscribe_as(opened[1], ROOM, &bob, &error) == JZ_SEND_QUEUED);
    test_client_close(&clients[1]);
    jz_server_destroy(server);
}

/* A watch that blocks: the loops go on, and what happens meanwhile is told together. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_size_t gate_calls;

static void wait_at_the_gate(void *context, const jz_presence_change *change)
{
    gate_calls++;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    count_change(context, change);
}

static void a_watch_that_takes_its_time_holds_up_nobody(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(LOOPS, &room, false);
    const jz_presence_watch watch = {
        .topic = "ro", .topic_length = 2, .is_prefix = true, .changed = wait_at_the_gate, .context = &room};
    assert_int_equal(jz_server_on_presence(server, &watch, NULL, NULL), JZ_OK);
    pthread_mutex_lock(&gate);
    gate_calls = 0;
    fleet fleet;
    assert_true(fleet_start(&fleet, CROWD, ignore_frame, NULL));
    assert_true(fleet_open(&fleet, 0, jz_server_port(server), "/as", 0));
    assert_turning(&fleet, gate_calls == 1);
    for (size_t i = 1; i < CROWD; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/as", 0));
    assert_turning(&fleet, jz_server_member_count(server, ROOM) == CROWD);
    pthread_mutex_unlock(&gate);
    assert_turning(&fleet, read_of(&room, &room.joined) == CROWD);
    assert_int_equal(room.calls, 2);
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

/* In a watch everything may be called that does not wait for the end. */
static atomic_uint_fast64_t own_number;
static atomic_bool was_destroyed;

static void end_oneself(void *context, const jz_presence_change *change)
{
    jz_server *server = context;
    (void)change;
    assert_true(jz_in_handler());
    assert_true(jz_server_runs_here(server));
    jz_server_publish(server, ROOM, JZ_MESSAGE_TEXT, "hello", 5);
    jz_server_off_presence(server, own_number);
    jz_server_destroy(server);
    was_destroyed = true;
}

static void a_watch_may_publish_end_itself_and_destroy_its_server(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(2, &room, false);
    uint64_t number = 0;
    was_destroyed = false;
    const jz_presence_watch watch = {.topic = "room", .topic_length = 4, .changed = end_oneself, .context = server};
    assert_int_equal(jz_server_on_presence(server, &watch, &number, NULL), JZ_OK);
    own_number = number;
    test_client client;
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/as")));
    test_client_expect(&client, JZ_OPCODE_TEXT, "hello", 5);
    assert_eventually(was_destroyed);
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    test_client_close(&client);
    /* It ends on a thread of its own. */
    assert_eventually(jz_ws_borrow_server(opened[0]) == NULL);
}

/* Members come and go on all threads at once: what is told adds up, and in the end nobody is there. */
static jz_server *stormed;

static void *storm(void *context)
{
    size_t first = *(const size_t *)context;
    for (size_t i = 0; i < 400; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%zu", (first + i) % 7);
        const jz_member who = named(key);
        jz_ws ws = opened[(first * 5 + i) % CLIENTS];
        if (i % 3 == 2)
            jz_ws_unsubscribe(ws, ROOM);
        else
            jz_ws_subscribe_as(ws, ROOM, &who, NULL);
        if (i % 50 == 0)
            jz_server_member_count(stormed, ROOM);
    }
    return NULL;
}

static void members_may_come_and_go_on_all_threads_at_once(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    tally room;
    stormed = start(LOOPS, &room, false);
    watch_room(stormed, &room);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, ignore_frame, NULL));
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(stormed), "/plain", 0));
    assert_turning(&fleet, opened_count == CLIENTS);
    pthread_t threads[THREADS];
    size_t firsts[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        firsts[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, storm, &firsts[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    fleet_finish(&fleet);
    assert_eventually(jz_server_member_count(stormed, ROOM) == 0);
    jz_server_destroy(stormed);
    assert_int_equal(room.now, 0);
    assert_int_equal(room.on_loops, 0);
}

/* What is not there cannot be joined, and no memory means that nothing was done. */
static void without_memory_nobody_becomes_a_member(void **state)
{
    (void)state;
    tally room;
    jz_server *server = start(1, &room, false);
    test_client client;
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/plain")));
    assert_eventually(opened_count == 1);
    assert_eventually(jz_server_subscriber_count(server, ROOM) == 1);
    const jz_member who = named("ann");
    jz_send_status status = JZ_SEND_DROPPED;
    for (size_t i = 0; status == JZ_SEND_DROPPED; i++) {
        jz_error error = {0};
        test_allocations_fail_after(i);
        status = jz_ws_subscribe_as(opened[0], "hall", 4, &who, &error);
        /* If it was queued, let it arrive without memory, too: then the connection fails. */
        if (status == JZ_SEND_QUEUED)
            assert_eventually(jz_server_member_count(server, "hall", 4) == 0);
        test_allocations_succeed();
        assert_true(i < 20);
        if (status == JZ_SEND_DROPPED)
            assert_int_equal(error.status, JZ_STATUS_OUT_OF_MEMORY);
        assert_int_equal(jz_server_member_count(server, "hall", 4), 0);
    }
    assert_int_equal(status, JZ_SEND_QUEUED);
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_leave_however_their_connection_ends),
        cmocka_unit_test(when_the_server_stops_all_leave_and_that_is_told_last),
        cmocka_unit_test(connections_of_one_key_are_one_member_over_all_loops),
        cmocka_unit_test(a_connection_is_one_member_of_a_topic_whose_key_may_change),
        cmocka_unit_test(members_are_visited_in_the_order_in_which_they_have_come),
        cmocka_unit_test(who_cannot_be_a_member_is_told_why_and_has_not_subscribed),
        cmocka_unit_test(a_watch_that_takes_its_time_holds_up_nobody),
        cmocka_unit_test(a_watch_may_publish_end_itself_and_destroy_its_server),
        cmocka_unit_test(members_may_come_and_go_on_all_threads_at_once),
        cmocka_unit_test(without_memory_nobody_becomes_a_member),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("members_of_servers", tests, NULL, NULL));
}
