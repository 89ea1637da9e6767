/* Subscriptions to topics with history, from a position on, on running servers. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "jazzy/broker.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

#define TOPIC "room/7", 6

typedef struct hall {
    jz_server *server;
    uint16_t port;
    _Atomic uint64_t ws; /* the last that has opened */
    atomic_size_t opened;
    atomic_int status;
    jz_subscribed subscribed; /* of the last that has opened */
    atomic_bool holds;        /* a handler has its loop until it is let go */
    atomic_bool is_let_go;
} hall;

static void subscribe(hall *hall, jz_ws ws)
{
    jz_subscribe_options options = {.announces = true};
    jz_string value;
    const jz_request *request = jz_ws_request(ws);
    if (jz_request_query_value(request, "since", &value)) {
        options.has_since = true;
        (void)jz_position_parse(value.start, value.length, &options.since);
    }
    if (jz_request_query_value(request, "recent", &value))
        options.recent = strtoul(value.start, NULL, 10);
    if (jz_request_query_value(request, "silent", &value))
        options.announces = false;
    if (jz_request_query_value(request, "plain", &value))
        hall->status = (int)jz_ws_subscribe(ws, TOPIC);
    else
        hall->status = (int)jz_ws_subscribe_from(ws, TOPIC, &options, &hall->subscribed);
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "opened", 6);
}

/* A message is published, or else does what it says. */
static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hall *hall = context;
    if (event->type == JZ_EVENT_OPEN) {
        hall->ws = ws.value;
        subscribe(hall, ws);
        hall->opened++;
    } else if (event->type == JZ_EVENT_MESSAGE && message->length == 4 && memcmp(message->bytes, "hold", 4) == 0) {
        hall->holds = true;
        test_hold_while(!hall->is_let_go);
        hall->status = (int)jz_ws_subscribe_from(ws, TOPIC, NULL, &hall->subscribed);
    } else if (event->type == JZ_EVENT_MESSAGE) {
        jz_ws_publish(ws, TOPIC, message->kind, message->bytes, message->length);
    }
}

static void open_hall(hall *hall, uint32_t loops, const jz_route_options *route)
{
    jz_options options = serving_options(loops);
    options.log_level = JZ_LOG_ERROR;
    *hall = (struct hall){0};
    hall->server = serving_start_with_history(&options, NULL, NULL, &(serving_route){"/", handle, hall, route});
    hall->port = jz_server_port(hall->server);
}

static void publish(const hall *hall, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "message %u", i);
        assert_int_equal(jz_server_publish(hall->server, TOPIC, JZ_MESSAGE_TEXT, text, (size_t)length), JZ_SEND_SENT);
    }
}

static void expect_messages(test_client *client, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "message %u", i);
        test_client_expect(client, JZ_OPCODE_TEXT, text, (size_t)length);
    }
}

static jz_position end_of(const hall *hall)
{
    jz_position end;
    jz_server_recent(hall->server, TOPIC, 0, NULL, NULL, &end);
    return end;
}

static void expect_announcement(test_client *client, const char *answer, uint64_t epoch, unsigned offset,
                                unsigned count)
{
    char text[160];
    int length = snprintf(text, sizeof text, "{\"epoch\":\"%016llx\",\"offset\":%u,\"recovered\":%s,\"count\":%u}",
                          (unsigned long long)epoch, offset, answer, count);
    test_client_expect(client, JZ_OPCODE_TEXT, text, (size_t)length);
}

static void open_client(const hall *hall, test_client *client, const char *query, int receive_buffer)
{
    char request[512];
    snprintf(request, sizeof request, UPGRADE_REQUEST("/?%s"), query);
    assert_true(test_client_connect(client, hall->port, receive_buffer));
    assert_true(test_client_upgrade(client, request));
}

/* A client that comes back with a position. */
static void come_back(const hall *hall, test_client *client, uint64_t epoch, unsigned offset)
{
    char query[64];
    snprintf(query, sizeof query, "since=%016llx:%u", (unsigned long long)epoch, offset);
    open_client(hall, client, query, 0);
}

static void who_comes_back_gets_what_was_missed_and_then_what_follows(void **state)
{
    (void)state;
    static test_client client;
    for (unsigned i = 0; i < 4; i++) {
        jz_route_options route = jz_route_options_default();
        route.execution = i % 2 == 0 ? JZ_EXECUTION_LOOP : JZ_EXECUTION_WORKERS;
        hall hall;
        open_hall(&hall, i < 2 ? 1 : 4, &route);
        uint64_t epoch = end_of(&hall).epoch;
        open_client(&hall, &client, "", 0);
        expect_announcement(&client, "false", epoch, 0, 0);
        test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
        publish(&hall, 1, 3);
        expect_messages(&client, 1, 3);
        test_client_close(&client);
        publish(&hall, 4, 9);
        come_back(&hall, &client, epoch, 3);
        expect_announcement(&client, "true", epoch, 3, 6);
        expect_messages(&client, 4, 9);
        test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
        assert_true(hall.subscribed.has_recovered);
        assert_int_equal(hall.subscribed.count, 6);
        publish(&hall, 10, 12);
        expect_messages(&client, 10, 12);
        test_client_close(&client);
        jz_server_destroy(hall.server);
    }
}

static void who_cannot_continue_is_told_so_and_gets_nothing_old(void **state)
{
    (void)state;
    static test_client client;
    static const char *const queries[] = {
        "since=",
        "since=0000000000000000:0",
        "since=0000000000000000:7",
        "since=nonsense",
        "since=ffffffffffffffff:18446744073709551615",
        "since=..%2F..%2Fetc",
    };
    hall hall;
    open_hall(&hall, 2, NULL);
    publish(&hall, 1, 150); /* of which 100 are kept */
    uint64_t epoch = end_of(&hall).epoch;
    for (size_t i = 0; i < COUNT_OF(queries) + 2; i++) {
        if (i < COUNT_OF(queries))
            open_client(&hall, &client, queries[i], 0);
        else
            come_back(&hall, &client, epoch, i == COUNT_OF(queries) ? 49 : 1000);
        expect_announcement(&client, "false", epoch, 150 + (unsigned)i, 0);
        test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
        publish(&hall, 151 + (unsigned)i, 151 + (unsigned)i);
        expect_messages(&client, 151 + (unsigned)i, 151 + (unsigned)i);
        test_client_close(&client);
    }
    jz_history_statistics kept;
    jz_server_history_statistics(hall.server, &kept);
    assert_int_equal(kept.messages, 100);
    assert_int_equal(kept.topics, 1);
    assert_int_equal(kept.recovered, 0);
    assert_int_equal(kept.not_recovered, COUNT_OF(queries) + 2);
    jz_server_destroy(hall.server);
}

static void newcomers_get_recent_messages_first(void **state)
{
    (void)state;
    static test_client client;
    hall hall;
    open_hall(&hall, 2, NULL);
    publish(&hall, 1, 30);
    open_client(&hall, &client, "recent=5", 0);
    expect_announcement(&client, "false", end_of(&hall).epoch, 25, 5);
    expect_messages(&client, 26, 30);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    publish(&hall, 31, 32);
    expect_messages(&client, 31, 32);
    test_client_close(&client);
    open_client(&hall, &client, "recent=2&silent=", 0);
    expect_messages(&client, 31, 32);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

/* Each message has an offset, so who counts them must get every one. Who does not, does not get its own. */
static void who_counts_gets_its_own_messages_too(void **state)
{
    (void)state;
    static test_client counting;
    static test_client plain;
    hall hall;
    open_hall(&hall, 2, NULL);
    open_client(&hall, &counting, "silent=", 0);
    open_client(&hall, &plain, "plain=", 0);
    test_client_expect(&counting, JZ_OPCODE_BINARY, "opened", 6);
    test_client_expect(&plain, JZ_OPCODE_BINARY, "opened", 6);
    test_client_send_frame(&counting, &(test_frame)TEXT("message 1"));
    expect_messages(&counting, 1, 1);
    expect_messages(&plain, 1, 1);
    test_client_send_frame(&plain, &(test_frame)TEXT("message 2"));
    expect_messages(&counting, 2, 2);
    publish(&hall, 3, 3);
    expect_messages(&counting, 3, 3);
    expect_messages(&plain, 3, 3);
    test_client_close(&counting);
    test_client_close(&plain);
    jz_server_destroy(hall.server);
}

/* Publishes what begins with its number. */
static void publish_number(const hall *hall, unsigned number, uint64_t deadline)
{
    static char message[8000];
    snprintf(message, sizeof message, "%u", number);
    while (jz_server_publish(hall->server, TOPIC, JZ_MESSAGE_TEXT, message, sizeof message) != JZ_SEND_SENT)
        assert_true(test_pause_before(deadline)); /* the loop has to take what waits for it first */
    assert_true(test_is_before(deadline));
}

static void who_does_not_keep_up_is_closed_and_comes_back_for_the_rest(void **state)
{
    (void)state;
    enum { KEPT = 100 };
    static test_client client;
    jz_route_options route = jz_route_options_default();
    route.backpressure_limit = 16 * 1024;
    route.kernel_send_limit = 64 * 1024;
    hall hall;
    open_hall(&hall, 2, &route);
    open_client(&hall, &client, "silent=", 4096);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    jz_ws ws = {hall.ws};
    uint64_t deadline = test_deadline();
    unsigned published = 0;
    /* The kernel decides how much it takes before the server has to keep any: at times 4 MB. */
    while (published < KEPT || jz_ws_is_open(ws))
        publish_number(&hall, ++published, deadline);
    unsigned taken = 0;
    test_received frame;
    for (;;) {
        assert_true(test_client_take_frame(&client, &frame));
        if (frame.opcode == JZ_OPCODE_CLOSE)
            break;
        assert_int_equal(strtoul((const char *)frame.payload, NULL, 10), ++taken);
    }
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_BEHIND);
    assert_true(taken < published);
    test_client_close(&client);
    /* The last 100 are kept, and all of them follow, although they are more than the limit. */
    come_back(&hall, &client, end_of(&hall).epoch, published - KEPT);
    expect_announcement(&client, "true", end_of(&hall).epoch, published - KEPT, KEPT);
    for (unsigned i = published - KEPT + 1; i <= published; i++) {
        assert_true(test_client_take_frame(&client, &frame));
        assert_int_equal(strtoul((const char *)frame.payload, NULL, 10), i);
    }
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

/* A loop that has much to do yet has not sent everything that is in the history. */
static void a_subscription_waits_behind_what_was_published_before(void **state)
{
    (void)state;
    enum { BEFORE = 20000 };
    static test_client client;
    static test_client other;
    hall hall;
    open_hall(&hall, 1, NULL);
    open_client(&hall, &other, "plain=", 0);
    test_client_expect(&other, JZ_OPCODE_BINARY, "opened", 6);
    open_client(&hall, &client, "plain=", 0);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    jz_ws ws = {hall.ws};
    assert_int_equal(jz_ws_unsubscribe(ws, TOPIC), JZ_SEND_QUEUED);
    test_client_send_frame(&client, &(test_frame)TEXT("hold"));
    assert_eventually(hall.holds);
    for (unsigned i = 1; i <= BEFORE; i++)
        assert_int_equal(jz_server_publish(hall.server, TOPIC, JZ_MESSAGE_BINARY, "before", 6), JZ_SEND_SENT);
    hall.status = -1;
    hall.is_let_go = true;
    assert_eventually(hall.status >= 0);
    assert_int_equal(hall.status, JZ_SEND_QUEUED);
    assert_int_equal(hall.subscribed.position.offset, BEFORE);
    publish(&hall, 1, 3);
    expect_messages(&client, 1, 3);
    for (unsigned i = 1; i <= BEFORE; i++)
        test_client_expect(&other, JZ_OPCODE_BINARY, "before", 6);
    expect_messages(&other, 1, 3);
    test_client_close(&client);
    test_client_close(&other);
    jz_server_destroy(hall.server);
}

static void other_threads_subscribe_connections_too(void **state)
{
    (void)state;
    static test_client client;
    hall hall;
    open_hall(&hall, 2, NULL);
    publish(&hall, 1, 8);
    open_client(&hall, &client, "plain=", 0);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    jz_ws ws = {hall.ws};
    assert_int_equal(jz_ws_unsubscribe(ws, TOPIC), JZ_SEND_QUEUED);
    const jz_subscribe_options options = {.has_since = true, .since = {end_of(&hall).epoch, 5}};
    jz_subscribed subscribed = {0};
    assert_int_equal(jz_ws_subscribe_from(ws, TOPIC, &options, &subscribed), JZ_SEND_QUEUED);
    assert_true(subscribed.has_recovered);
    assert_int_equal(subscribed.count, 3);
    assert_int_equal(subscribed.position.offset, 5);
    publish(&hall, 9, 9);
    expect_messages(&client, 6, 9);
    /* It is subscribed: it is sent again what it asks for. */
    assert_int_equal(jz_ws_subscribe_from(ws, TOPIC, &options, NULL), JZ_SEND_QUEUED);
    expect_messages(&client, 6, 9);
    publish(&hall, 10, 10);
    expect_messages(&client, 10, 10);
    test_client_close(&client);
    assert_eventually(jz_ws_subscribe_from(ws, TOPIC, &options, &subscribed) == JZ_SEND_CLOSED);
    jz_server_destroy(hall.server);
}

static void only_topics_with_history_have_positions(void **state)
{
    (void)state;
    static test_client client;
    hall hall;
    open_hall(&hall, 2, NULL);
    open_client(&hall, &client, "plain=", 0);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    jz_ws ws = {hall.ws};
    jz_position position = {1, 1};
    assert_int_equal(jz_ws_subscribe_from(ws, "lobby", 5, NULL, NULL), JZ_SEND_DROPPED);
    assert_false(jz_ws_is_subscribed(ws, "lobby", 5));
    assert_int_equal(jz_server_publish(hall.server, "lobby", 5, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_SENT);
    assert_int_equal(jz_server_recent(hall.server, "lobby", 5, 10, NULL, NULL, &position), 0);
    assert_true(position.epoch == 0 && position.offset == 0);
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

typedef struct seen {
    char texts[256];
} seen;

static void see(void *context, jz_message_kind kind, const void *bytes, size_t length)
{
    seen *seen = context;
    assert_int_equal(kind, JZ_MESSAGE_TEXT);
    strncat(seen->texts, bytes, length);
    strncat(seen->texts, "; ", 3);
}

static void recent_messages_can_be_looked_at_and_continued_from(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall, 2, NULL);
    seen seen = {""};
    jz_position position;
    assert_int_equal(jz_server_recent(hall.server, TOPIC, 3, see, &seen, &position), 0);
    assert_int_equal(position.offset, 0);
    publish(&hall, 1, 5);
    assert_int_equal(jz_server_recent(hall.server, TOPIC, 3, see, &seen, &position), 3);
    assert_string_equal(seen.texts, "message 3; message 4; message 5; ");
    assert_int_equal(position.offset, 5);
    jz_server_destroy(hall.server);
}

/* What a broker delivers is kept in the order in which it is sent, batches included. */
static void what_a_broker_delivers_is_kept(void **state)
{
    (void)state;
    static test_client client;
    hall hall;
    open_hall(&hall, 3, NULL);
    open_client(&hall, &client, "silent=", 0);
    test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
    jz_broker_batch *batch = jz_broker_batch_create(hall.server);
    for (unsigned i = 1; i <= 30; i++) {
        char text[16];
        size_t length = (size_t)snprintf(text, sizeof text, "message %u", i);
        jz_send_status status = i % 3 == 0
                                    ? jz_broker_deliver(hall.server, TOPIC, JZ_MESSAGE_TEXT, text, length)
                                    : jz_broker_batch_deliver(batch, (jz_ws){0}, TOPIC, JZ_MESSAGE_TEXT, text, length);
        assert_int_equal(status, JZ_SEND_SENT);
    }
    jz_broker_batch_free(batch);
    expect_messages(&client, 1, 30);
    test_client_close(&client);
    come_back(&hall, &client, end_of(&hall).epoch, 10);
    expect_announcement(&client, "true", end_of(&hall).epoch, 10, 20);
    expect_messages(&client, 11, 30);
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

static void wrong_histories_are_refused(void **state)
{
    (void)state;
    static const struct {
        jz_history_options options;
        const char *words;
    } cases[] = {
        {{0, 1000, 1}, "option keep of a history is 0; it has to be from 1 to 1000000"},
        {{1000001, 1000, 1}, "option keep of a history is 1000001;"},
        {{1, 999, 1}, "option for_ms of a history is 999; it has to be from 1000 to 2592000000"},
        {{1, UINT32_C(2592000001), 1}, "option for_ms of a history is 2592000001;"},
        {{1, 1000, 0}, "option bytes of a history is 0; it has to be from 1 to 4294967296"},
        {{1, 1000, (size_t)4294967297}, "option bytes of a history is 4294967297;"},
    };
    jz_error error;
    jz_server *server = jz_server_create(NULL, &error);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(jz_server_history(server, "a", 1, &cases[i].options, &error), JZ_STATUS_INVALID_OPTION);
        assert_that(strstr(error.message, cases[i].words) == error.message, "%s", error.message);
    }
    for (unsigned i = 0; i < JZ_MAX_HISTORIES; i++) {
        char prefix[16];
        size_t length = (size_t)snprintf(prefix, sizeof prefix, "room/%u/", i);
        assert_int_equal(jz_server_history(server, prefix, length, NULL, &error), JZ_OK);
    }
    assert_int_equal(jz_server_history(server, "room/7/", 7, NULL, &error), JZ_STATUS_INVALID_OPTION);
    assert_string_equal(error.message, "topics that begin with \"room/7/\" have a history already");
    assert_int_equal(jz_server_history(server, "more", 4, NULL, &error), JZ_STATUS_LIMIT_REACHED);
    jz_server_destroy(server);
    hall hall;
    open_hall(&hall, 1, NULL);
    assert_int_equal(jz_server_history(hall.server, "late", 4, NULL, &error), JZ_STATUS_INVALID_STATE);
    jz_server_destroy(hall.server);
}

/*
 * Allocations fail, one after another, while something is published and while a client comes back: a message is
 * published to all loops and kept, or neither; who is told that it has recovered gets everything, or is closed.
 */
static void without_memory_there_is_everything_or_nothing(void **state)
{
    (void)state;
    enum { STEPS = 60 };
    static test_client client;
    static test_client listener;
    hall hall;
    open_hall(&hall, 2, NULL);
    open_client(&hall, &listener, "silent=", 0);
    test_client_expect(&listener, JZ_OPCODE_BINARY, "opened", 6);
    unsigned published = 0;
    for (size_t step = 0; step < STEPS; step++) {
        char text[16];
        size_t length = (size_t)snprintf(text, sizeof text, "message %u", published + 1);
        test_allocation_fails_once_after(step % 10);
        bool is_sent = jz_server_publish(hall.server, TOPIC, JZ_MESSAGE_TEXT, text, length) == JZ_SEND_SENT;
        test_allocations_succeed();
        published += is_sent ? 1 : 0;
        assert_int_equal(end_of(&hall).offset, published);
    }
    assert_true(published > 0 && published < STEPS);
    test_received frame;
    unsigned heard = 0;
    while (heard < published && test_client_take_frame(&listener, &frame) && frame.opcode == JZ_OPCODE_TEXT)
        heard++; /* its loop may have had no memory to send it one: then it was closed */
    assert_true(heard == published || frame.opcode == JZ_OPCODE_CLOSE);
    size_t complete = 0;
    for (size_t step = 0; step < STEPS; step++) {
        open_client(&hall, &client, "plain=", 0);
        test_client_expect(&client, JZ_OPCODE_BINARY, "opened", 6);
        const jz_subscribe_options options = {.has_since = true, .since = {end_of(&hall).epoch, published - 5}};
        test_allocation_fails_once_after(step % 12);
        jz_send_status status = jz_ws_subscribe_from((jz_ws){hall.ws}, TOPIC, &options, NULL);
        bool is_there = status == JZ_SEND_QUEUED && test_client_take_frame(&client, &frame);
        test_allocations_succeed();
        for (unsigned taken = 1; is_there && taken < 5 && frame.opcode == JZ_OPCODE_TEXT; taken++)
            is_there = test_client_take_frame(&client, &frame);
        assert_true(status == JZ_SEND_QUEUED || status == JZ_SEND_DROPPED);
        complete += is_there && frame.opcode == JZ_OPCODE_TEXT ? 1 : 0;
        if (is_there && frame.opcode == JZ_OPCODE_CLOSE)
            assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_BEHIND);
        test_client_close(&client);
    }
    assert_true(complete > 0);
    test_client_close(&listener);
    jz_server_destroy(hall.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_back_gets_what_was_missed_and_then_what_follows),
        cmocka_unit_test(who_cannot_continue_is_told_so_and_gets_nothing_old),
        cmocka_unit_test(newcomers_get_recent_messages_first),
        cmocka_unit_test(who_counts_gets_its_own_messages_too),
        cmocka_unit_test(who_does_not_keep_up_is_closed_and_comes_back_for_the_rest),
        cmocka_unit_test(a_subscription_waits_behind_what_was_published_before),
        cmocka_unit_test(other_threads_subscribe_connections_too),
        cmocka_unit_test(only_topics_with_history_have_positions),
        cmocka_unit_test(recent_messages_can_be_looked_at_and_continued_from),
        cmocka_unit_test(what_a_broker_delivers_is_kept),
        cmocka_unit_test(wrong_histories_are_refused),
        cmocka_unit_test(without_memory_there_is_everything_or_nothing),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("resuming", tests, NULL, NULL));
}
