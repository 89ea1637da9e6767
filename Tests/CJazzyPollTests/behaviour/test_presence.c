/* Who has subscribed to a topic, over all loops and from any thread; and the server that a handle leads to. */
#include <pthread.h>
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/fleet.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 4, CLIENTS = 24, MOST = 256 };

#define ROOM "room", 4

/* Handles of connections, in the order in which they were opened. */
static struct {
    pthread_mutex_t lock;
    jz_ws all[MOST];
    size_t count;
} opened = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note_opened(jz_ws ws)
{
    pthread_mutex_lock(&opened.lock);
    if (opened.count < MOST)
        opened.all[opened.count++] = ws;
    pthread_mutex_unlock(&opened.lock);
}

static size_t count_opened(void)
{
    pthread_mutex_lock(&opened.lock);
    size_t count = opened.count;
    pthread_mutex_unlock(&opened.lock);
    return count;
}

static void ignore_frame(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    (void)context, (void)number, (void)opcode, (void)start, (void)length;
}

static bool contains(const jz_ws *handles, size_t count, jz_ws ws)
{
    for (size_t i = 0; i < count; i++) {
        if (handles[i].value == ws.value)
            return true;
    }
    return false;
}

/* Whether these are the opened connections from `first` on, each once. */
static bool are_opened_from(size_t first, const jz_ws *handles, size_t count)
{
    if (count != opened.count - first)
        return false;
    for (size_t i = first; i < opened.count; i++) {
        if (!contains(handles, count, opened.all[i]))
            return false;
    }
    return true;
}

static void join_room(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, ROOM);
        note_opened(ws);
    }
}

static void note_only(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        note_opened(ws);
}

static const serving_route in_or_out[] = {{"/in", join_room, NULL, NULL}, {"/out", note_only, NULL, NULL}};

static void subscribers_are_those_of_all_loops_and_no_others(void **state)
{
    (void)state;
    opened.count = 0;
    const jz_options options = serving_options(LOOPS);
    jz_server *server = serving_start(&options, in_or_out, COUNT_OF(in_or_out));
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, ignore_frame, NULL));
    jz_ws found[MOST];
    assert_int_equal(jz_server_subscribers(server, ROOM, found, MOST), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(fleet_open(&fleet, i, jz_server_port(server), i < CLIENTS / 3 ? "/out" : "/in", 0));
        assert_turning(&fleet, count_opened() == i + 1);
    }
    assert_int_equal(jz_server_subscribers(server, ROOM, found, MOST), CLIENTS - CLIENTS / 3);
    assert_true(are_opened_from(CLIENTS / 3, found, CLIENTS - CLIENTS / 3));
    assert_int_equal(jz_server_subscribers(server, "rooms", 5, found, MOST), 0);
    assert_int_equal(jz_server_subscribers(server, NULL, 0, found, MOST), 0);
    fleet_finish(&fleet);
    assert_eventually(jz_server_subscribers(server, ROOM, found, MOST) == 0);
    jz_server_destroy(server);
}

/* With little room as many are written, and not one more. */
static void no_more_handles_are_written_than_there_is_room_for(void **state)
{
    (void)state;
    opened.count = 0;
    const jz_options options = serving_options(LOOPS);
    jz_server *server = serving_start(&options, in_or_out, COUNT_OF(in_or_out));
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, ignore_frame, NULL));
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(server), "/in", 0));
    assert_turning(&fleet, count_opened() == CLIENTS);
    assert_int_equal(jz_server_subscribers(server, ROOM, NULL, 0), CLIENTS);
    for (size_t room = 0; room <= CLIENTS + 1; room++) {
        jz_ws found[CLIENTS + 2] = {{0}};
        assert_int_equal(jz_server_subscribers(server, ROOM, found, room), CLIENTS);
        size_t written = room < CLIENTS ? room : CLIENTS;
        for (size_t i = 0; i < written; i++) {
            assert_true(contains(opened.all, CLIENTS, found[i]));
            assert_false(contains(found, i, found[i]));
        }
        for (size_t i = written; i < COUNT_OF(found); i++)
            assert_int_equal(found[i].value, 0);
    }
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

/* What handlers found, in their own room: on the loop or on a worker, also in the close event. */
static struct {
    atomic_size_t when_told;
    atomic_size_t when_closed; /* itself included */
    atomic_size_t strangers;   /* calls whose answer lacks the connection itself */
} in_handlers;

static void look_around(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    jz_ws found[MOST];
    jz_server *server = jz_ws_borrow_server(ws);
    if (server == NULL) {
        in_handlers.strangers++;
        return;
    }
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, ROOM);
        note_opened(ws);
    }
    /* On a worker the subscription is on its way to the loop. */
    size_t count = jz_server_subscribers(server, ROOM, found, MOST);
    if (event->type != JZ_EVENT_OPEN)
        in_handlers.strangers += contains(found, count, ws) ? 0 : 1;
    if (event->type == JZ_EVENT_MESSAGE)
        in_handlers.when_told = count;
    else if (event->type == JZ_EVENT_CLOSE)
        in_handlers.when_closed = count;
    jz_ws_return_server(ws);
}

static void handlers_see_their_own_server_and_all_of_their_room(void **state)
{
    (void)state;
    const jz_execution executions[] = {JZ_EXECUTION_LOOP, JZ_EXECUTION_WORKERS};
    for (size_t i = 0; i < COUNT_OF(executions); i++) {
        opened.count = 0;
        in_handlers.when_told = in_handlers.when_closed = in_handlers.strangers = 0;
        const jz_options options = serving_options(2);
        jz_route_options route = jz_route_options_default();
        route.execution = executions[i];
        jz_server *server = serving_start(&options, &(serving_route){"/", look_around, NULL, &route}, 1);
        test_client clients[2];
        for (size_t j = 0; j < COUNT_OF(clients); j++)
            assert_true(test_client_open(&clients[j], jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_eventually(jz_server_subscriber_count(server, ROOM) == COUNT_OF(clients));
        test_client_send_frame(&clients[0], &(test_frame)TEXT("who?"));
        assert_eventually(in_handlers.when_told == COUNT_OF(clients));
        test_client_reset(&clients[0]);
        assert_eventually(in_handlers.when_closed == COUNT_OF(clients));
        /* On a worker it is among them until its handler has returned. */
        assert_eventually(jz_server_subscriber_count(server, ROOM) == 1);
        test_client_close(&clients[1]);
        jz_server_destroy(server); /* whose last close event finds it, too */
        assert_int_equal(in_handlers.when_closed, 1);
        assert_int_equal(in_handlers.strangers, 0);
    }
}

/* Some stay, while others come and go on all loops, and topics of other names with them. */
enum { STAYING = 12, COMING = 12, LOOKERS = 3 };

static struct {
    jz_server *server;
    jz_ws staying[STAYING];
    atomic_bool is_over;
    atomic_size_t looks;
    atomic_size_t missing;
    atomic_size_t doubles;
} crowd;

static void come_and_go(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        note_opened(ws);
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    for (int i = 0; i < 20; i++) {
        jz_ws_subscribe(ws, ROOM);
        jz_ws_unsubscribe(ws, ROOM);
    }
    jz_ws_subscribe(ws, ROOM);
}

static void *look(void *context)
{
    (void)context;
    jz_ws found[MOST];
    while (!crowd.is_over) {
        size_t count = jz_server_subscribers(crowd.server, ROOM, found, MOST);
        for (size_t i = 0; i < STAYING; i++)
            crowd.missing += contains(found, count, crowd.staying[i]) ? 0 : 1;
        for (size_t i = 0; i < count; i++)
            crowd.doubles += contains(found, i, found[i]) ? 1 : 0;
        crowd.looks++;
    }
    return NULL;
}

static void who_stays_is_seen_once_while_others_come_and_go(void **state)
{
    (void)state;
    memset(&crowd, 0, sizeof crowd);
    opened.count = 0;
    const jz_options options = serving_options(LOOPS);
    const serving_route routes[] = {{"/in", join_room, NULL, NULL}, {"/go", come_and_go, NULL, NULL}};
    crowd.server = serving_start(&options, routes, COUNT_OF(routes));
    fleet fleet;
    assert_true(fleet_start(&fleet, STAYING + COMING, ignore_frame, NULL));
    for (size_t i = 0; i < STAYING; i++)
        assert_true(fleet_open(&fleet, i, jz_server_port(crowd.server), "/in", 0));
    assert_turning(&fleet, count_opened() == STAYING);
    memcpy(crowd.staying, opened.all, sizeof crowd.staying);
    pthread_t lookers[LOOKERS];
    for (size_t i = 0; i < LOOKERS; i++)
        assert_int_equal(pthread_create(&lookers[i], NULL, look, NULL), 0);
    for (int round = 0; round < 5; round++) {
        for (size_t i = STAYING; i < STAYING + COMING; i++) {
            assert_true(fleet_open(&fleet, i, jz_server_port(crowd.server), "/go", 0));
            assert_true(fleet_send(&fleet, i, JZ_OPCODE_TEXT, "go", 2));
        }
        size_t looks = crowd.looks;
        assert_turning(&fleet, jz_server_subscriber_count(crowd.server, ROOM) == STAYING + COMING);
        assert_turning(&fleet, crowd.looks > looks);
        for (size_t i = STAYING; i < STAYING + COMING; i++)
            fleet_reset(&fleet, i);
        assert_turning(&fleet, jz_server_subscriber_count(crowd.server, ROOM) == STAYING);
    }
    crowd.is_over = true;
    for (size_t i = 0; i < LOOKERS; i++)
        pthread_join(lookers[i], NULL);
    assert_int_equal(crowd.missing, 0);
    assert_int_equal(crowd.doubles, 0);
    fleet_finish(&fleet);
    jz_server_destroy(crowd.server);
}

/* Threads that find the server by a handle only, use it, and see its end. */
static struct {
    _Atomic uint64_t ws;
    atomic_size_t found;
    atomic_size_t ended; /* threads that have seen it */
} lost;

static void *use_until_it_is_gone(void *context)
{
    (void)context;
    const jz_ws ws = {lost.ws};
    jz_ws found[4];
    jz_server *server;
    while ((server = jz_ws_borrow_server(ws)) != NULL) {
        jz_server_publish(server, ROOM, JZ_MESSAGE_TEXT, "hello", 5);
        jz_server_subscribers(server, ROOM, found, COUNT_OF(found));
        jz_server_close_topic(server, "nobody", 6, JZ_CLOSE_NORMAL, "", 0);
        jz_ws_return_server(ws);
        lost.found++;
    }
    lost.ended++;
    return NULL;
}

static void a_handle_leads_to_its_server_until_that_ends_and_to_no_later_one(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    const jz_options options = serving_options(2);
    jz_ws before = {0};
    jz_ws server_before = {0};
    for (int round = 0; round < 3; round++) {
        opened.count = 0;
        lost.found = lost.ended = 0;
        jz_server *server = serving_start(&options, in_or_out, COUNT_OF(in_or_out));
        test_client client;
        assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/in")));
        assert_eventually(count_opened() == 1);
        lost.ws = opened.all[0].value;
        assert_ptr_equal(jz_ws_borrow_server(opened.all[0]), server);
        jz_ws_return_server(opened.all[0]);
        assert_null(jz_ws_borrow_server(before)); /* even if this server has its number */
        assert_null(jz_ws_borrow_server(server_before));
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use_until_it_is_gone, NULL), 0);
        assert_eventually(lost.found > THREADS);
        test_client_close(&client);
        assert_eventually(!jz_ws_is_open(opened.all[0]));
        /* The connection has ended, its server has not. */
        assert_ptr_equal(jz_ws_borrow_server(opened.all[0]), server);
        jz_ws_return_server(opened.all[0]);
        const jz_ws own = jz_server_handle(server);
        assert_ptr_equal(jz_ws_borrow_server(own), server);
        jz_ws_return_server(own);
        jz_server_destroy(server);
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_null(jz_ws_borrow_server(own));
        assert_int_equal(lost.ended, THREADS);
        assert_null(jz_ws_borrow_server(opened.all[0]));
        before = opened.all[0];
        server_before = own;
    }
    assert_null(jz_ws_borrow_server((jz_ws){0}));
    assert_null(jz_ws_borrow_server((jz_ws){UINT64_MAX}));
}

/* Servers with the same number, one after the other, to which nobody ever connects. */
static void a_servers_own_handle_leads_to_no_later_server(void **state)
{
    (void)state;
    jz_ws earlier[8] = {0};
    for (size_t i = 0; i < COUNT_OF(earlier); i++) {
        jz_error error = {0};
        jz_server *server = jz_server_create(NULL, &error);
        assert_non_null(server);
        earlier[i] = jz_server_handle(server);
        assert_ptr_equal(jz_ws_borrow_server(earlier[i]), server);
        jz_ws_return_server(earlier[i]);
        assert_int_equal(jz_ws_send(earlier[i], JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
        for (size_t j = 0; j < i; j++)
            assert_null(jz_ws_borrow_server(earlier[j]));
        jz_server_destroy(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscribers_are_those_of_all_loops_and_no_others),
        cmocka_unit_test(no_more_handles_are_written_than_there_is_room_for),
        cmocka_unit_test(handlers_see_their_own_server_and_all_of_their_room),
        cmocka_unit_test(who_stays_is_seen_once_while_others_come_and_go),
        cmocka_unit_test(a_handle_leads_to_its_server_until_that_ends_and_to_no_later_one),
        cmocka_unit_test(a_servers_own_handle_leads_to_no_later_server),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("presence", tests, NULL, NULL));
}
