/*
 * Positions where other servers publish, too: nobody has recovered who may have missed what came to the other servers
 * while this one did not hear of it.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "jazzy/broker.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

static const char topic[] = "room/7";

#define TOPIC topic, sizeof topic - 1

/* A broker that brings what the test publishes elsewhere, if the topic is wanted here. */
typedef struct hall {
    jz_server *server;
    uint16_t port;
    atomic_int wanted;   /* 1 while somebody here has subscribed */
    atomic_int most;     /* and the most that it was: more than 1 is an error */
    atomic_size_t times; /* that somebody was the first */
    atomic_bool holds;   /* a handler has its loop until it is let go */
    atomic_bool is_let_go;
    _Atomic uint64_t last; /* of the connections that were opened */
} hall;

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    (void)context;
    (void)server;
    (void)error;
    return JZ_OK;
}

static void stop(void *context)
{
    (void)context;
}

static void note_first(void *context, const char *name, size_t length)
{
    hall *hall = context;
    (void)name;
    (void)length;
    int wanted = ++hall->wanted;
    if (wanted > hall->most)
        hall->most = wanted;
    hall->times++;
}

static void note_last(void *context, const char *name, size_t length)
{
    hall *hall = context;
    (void)name;
    (void)length;
    hall->wanted--;
}

static jz_send_status take(void *context, const char *name, size_t name_length, jz_message_kind kind, const void *bytes,
                           size_t length)
{
    (void)context;
    (void)name;
    (void)name_length;
    (void)kind;
    (void)bytes;
    (void)length;
    return JZ_SEND_SENT;
}

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hall *hall = context;
    if (event->type == JZ_EVENT_MESSAGE && message->length == 4 && memcmp(message->bytes, "hold", 4) == 0) {
        hall->holds = true;
        test_hold_while(!hall->is_let_go);
    }
    if (event->type != JZ_EVENT_OPEN)
        return;
    jz_string value;
    jz_subscribe_options options = {.announces = true};
    const jz_request *request = jz_ws_request(ws);
    options.has_since = jz_request_query_value(request, "since", &value) &&
                        jz_position_parse(value.start, value.length, &options.since);
    if (!jz_request_query_value(request, "apart", &value))
        assert_int_equal(jz_ws_subscribe_from(ws, TOPIC, &options, NULL), JZ_SEND_SENT);
    hall->last = ws.value;
}

static void open_hall(hall *hall)
{
    jz_options options = serving_options(2);
    options.log_level = JZ_LOG_ERROR;
    *hall = (struct hall){0};
    const jz_broker broker = {.context = hall,
                              .start = start,
                              .stop = stop,
                              .subscribe = note_first,
                              .unsubscribe = note_last,
                              .publish = take};
    hall->server = serving_start_with_history(&options, &broker, NULL, &(serving_route){"/", handle, hall, NULL});
    hall->port = jz_server_port(hall->server);
}

static void close_hall(hall *hall)
{
    jz_server_destroy(hall->server);
    assert_int_equal(hall->most, 1);
    assert_true(hall->wanted >= 0);
}

/* On another server. */
static void publish_elsewhere(const hall *hall, const char *text)
{
    if (hall->wanted > 0)
        assert_int_equal(jz_broker_deliver(hall->server, TOPIC, JZ_MESSAGE_TEXT, text, strlen(text)), JZ_SEND_SENT);
}

/* With a query such as "since=..."; returns the position that is announced. */
static jz_position open_client(const hall *hall, test_client *client, const char *query, const char *answer,
                               size_t count)
{
    char request[512];
    char text[160] = "";
    char epoch[17];
    char given[6];
    unsigned long long offset;
    size_t given_count;
    test_received frame;
    snprintf(request, sizeof request, UPGRADE_REQUEST("/?%s"), query);
    assert_true(test_client_open(client, hall->port, request));
    assert_true(test_client_take_frame(client, &frame));
    assert_true(frame.opcode == JZ_OPCODE_TEXT && frame.length < sizeof text);
    memcpy(text, frame.payload, frame.length);
    assert_int_equal(sscanf(text, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%llu,\"recovered\":%5[a-z],\"count\":%zu}",
                            epoch, &offset, given, &given_count),
                     4);
    assert_string_equal(given, answer);
    assert_int_equal(given_count, count);
    return (jz_position){strtoull(epoch, NULL, 16), offset};
}

static jz_position come_back(const hall *hall, test_client *client, jz_position since, const char *answer, size_t count)
{
    char text[JZ_POSITION_SIZE];
    char query[JZ_POSITION_SIZE + 8];
    jz_position_format(since, text);
    snprintf(query, sizeof query, "since=%s", text);
    return open_client(hall, client, query, answer, count);
}

static void expect(test_client *client, const char *text)
{
    test_client_expect(client, JZ_OPCODE_TEXT, text, strlen(text));
}

/* It may have missed something, and is closed to come back. */
static void expect_gap(test_client *closed)
{
    test_received frame;
    assert_true(test_client_take_frame(closed, &frame));
    assert_true(frame.opcode == JZ_OPCODE_CLOSE && frame.length > 2);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_BEHIND);
}

static test_client client;
static test_client other;

static void who_was_alone_may_have_missed_what_was_published_elsewhere(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall);
    jz_position position = open_client(&hall, &client, "", "false", 0);
    publish_elsewhere(&hall, "one");
    expect(&client, "one");
    position.offset++;
    test_client_close(&client);
    assert_eventually(hall.wanted == 0);
    publish_elsewhere(&hall, "two");
    jz_position next = come_back(&hall, &client, position, "false", 0);
    assert_true(next.epoch != position.epoch);
    publish_elsewhere(&hall, "three");
    expect(&client, "three");
    test_client_close(&client);
    close_hall(&hall);
}

static void who_left_others_behind_has_missed_nothing(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall);
    jz_position position = open_client(&hall, &client, "", "false", 0);
    open_client(&hall, &other, "", "false", 0);
    for (int i = 0; i < 8; i++) {
        publish_elsewhere(&hall, "one");
        expect(&client, "one");
        position.offset++;
        test_client_close(&client);
        publish_elsewhere(&hall, "two");
        publish_elsewhere(&hall, "three");
        assert_true(come_back(&hall, &client, position, "true", 2).offset == position.offset);
        expect(&client, "two");
        expect(&client, "three");
        position.offset += 2;
    }
    assert_int_equal(hall.times, 1);
    test_client_close(&client);
    test_client_close(&other);
    close_hall(&hall);
}

static void a_position_of_when_nobody_had_subscribed_is_none_to_continue_at(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall);
    jz_position position;
    assert_int_equal(jz_server_publish(hall.server, TOPIC, JZ_MESSAGE_TEXT, "here", 4), JZ_SEND_SENT);
    assert_int_equal(jz_server_recent(hall.server, TOPIC, 0, NULL, NULL, &position), 0);
    publish_elsewhere(&hall, "missed");
    open_client(&hall, &other, "", "false", 0);
    come_back(&hall, &client, position, "false", 0);
    test_client_close(&client);
    test_client_close(&other);
    close_hall(&hall);
}

static void whose_server_had_lost_the_others_may_have_missed_something(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall);
    jz_position position = open_client(&hall, &client, "", "false", 0);
    open_client(&hall, &other, "", "false", 0);
    test_client_close(&client);
    hall.most = 0;
    jz_broker_set_joined(hall.server, false);
    jz_position between = come_back(&hall, &client, position, "false", 0);
    test_client_close(&client);
    assert_true(test_client_hears_nothing(&other)); /* it has what there is here */
    hall.wanted = 0;                                /* the broker has forgotten the topics, and is told of them again */
    jz_broker_set_joined(hall.server, true);
    expect_gap(&other);
    jz_position after = come_back(&hall, &client, between, "false", 0);
    test_client_close(&other);
    come_back(&hall, &other, after, "true", 0);
    test_client_close(&client);
    come_back(&hall, &client, after, "true", 0);
    test_client_close(&client);
    test_client_close(&other);
    close_hall(&hall);
}

static void whose_server_has_missed_a_message_has_not_recovered(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall);
    jz_position position = open_client(&hall, &client, "", "false", 0);
    open_client(&hall, &other, "", "false", 0);
    publish_elsewhere(&hall, "one");
    expect(&client, "one");
    position.offset++;
    test_client_close(&client);
    jz_broker_missed(hall.server, "room/8", 6);
    jz_broker_missed(hall.server, "hall", 4); /* which has no history */
    come_back(&hall, &client, position, "true", 0);
    test_client_close(&client);
    jz_broker_missed(hall.server, TOPIC);
    expect(&other, "one");
    expect_gap(&other);
    publish_elsewhere(&hall, "three");
    jz_position after = come_back(&hall, &client, position, "false", 0);
    assert_true(after.epoch != position.epoch);
    test_client_close(&other);
    come_back(&hall, &other, after, "true", 0);
    test_client_close(&client);
    publish_elsewhere(&hall, "four");
    come_back(&hall, &client, after, "true", 1);
    test_client_close(&client);
    test_client_close(&other);
    close_hall(&hall);
}

static void who_comes_back_after_a_message_that_the_server_could_not_take_has_not_recovered(void **state)
{
    (void)state;
    hall hall;
    open_hall(&hall);
    jz_position position = open_client(&hall, &client, "", "false", 0);
    open_client(&hall, &other, "", "false", 0);
    test_client_close(&client);
    position = come_back(&hall, &client, position, "true", 0);
    test_client_close(&client);
    test_allocations_fail_after(0);
    jz_send_status status = jz_broker_deliver(hall.server, TOPIC, JZ_MESSAGE_TEXT, "one", 3);
    test_allocations_succeed();
    assert_int_equal(status, JZ_SEND_DROPPED);
    expect_gap(&other); /* as soon as there is memory to say so */
    position = come_back(&hall, &client, position, "false", 0);
    test_client_close(&client);
    come_back(&hall, &client, position, "true", 0);
    test_client_close(&client);
    test_client_close(&other);
    close_hall(&hall);
}

/* The topic stays wanted between the promise that nothing is missed and the subscription. */
static void a_subscription_on_its_way_keeps_the_topic(void **state)
{
    (void)state;
    static test_client holding;
    hall hall;
    open_hall(&hall);
    char query[] = "apart=";
    char request[512];
    snprintf(request, sizeof request, UPGRADE_REQUEST("/?%s"), query);
    assert_true(test_client_open(&holding, hall.port, request));
    assert_eventually(hall.last != 0);
    jz_ws ws = {.value = hall.last};
    test_client_send_frame(&holding, &(test_frame){.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {"hold", 4, 4}});
    assert_eventually(hall.holds);
    jz_position position = {0};
    jz_subscribed subscribed;
    assert_int_equal(jz_server_recent(hall.server, TOPIC, 0, NULL, NULL, &position), 0);
    assert_int_equal(
        jz_ws_subscribe_from(ws, TOPIC, &(jz_subscribe_options){.has_since = true, .since = position}, &subscribed),
        JZ_SEND_QUEUED);
    assert_false(subscribed.has_recovered); /* it is the first */
    assert_int_equal(hall.wanted, 1);
    publish_elsewhere(&hall, "one");
    assert_int_equal(jz_ws_subscribe_from(ws, TOPIC,
                                          &(jz_subscribe_options){.has_since = true, .since = subscribed.position},
                                          &subscribed),
                     JZ_SEND_QUEUED);
    assert_true(subscribed.has_recovered);
    assert_int_equal(subscribed.count, 1);
    hall.is_let_go = true;
    expect(&holding, "one"); /* because it is subscribed */
    expect(&holding, "one"); /* because it has asked for it */
    publish_elsewhere(&hall, "two");
    expect(&holding, "two");
    test_client_close(&holding);
    assert_eventually(hall.wanted == 0);
    assert_int_equal(hall.times, 1);
    /* Whoever has gone is not subscribed, and keeps nothing. */
    assert_int_equal(jz_ws_subscribe_from(ws, TOPIC, NULL, NULL), JZ_SEND_CLOSED);
    assert_int_equal(hall.wanted, 0);
    close_hall(&hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_alone_may_have_missed_what_was_published_elsewhere),
        cmocka_unit_test(who_left_others_behind_has_missed_nothing),
        cmocka_unit_test(a_position_of_when_nobody_had_subscribed_is_none_to_continue_at),
        cmocka_unit_test(whose_server_had_lost_the_others_may_have_missed_something),
        cmocka_unit_test(whose_server_has_missed_a_message_has_not_recovered),
        cmocka_unit_test(who_comes_back_after_a_message_that_the_server_could_not_take_has_not_recovered),
        cmocka_unit_test(a_subscription_on_its_way_keeps_the_topic),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("resuming through brokers", tests, NULL, NULL));
}
