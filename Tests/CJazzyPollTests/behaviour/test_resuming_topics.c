/* Several topics with history on one connection, whose messages come in envelopes. */
#define _POSIX_C_SOURCE 200809L

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

typedef struct hall {
    jz_server *server;
    uint16_t port;
    _Atomic uint64_t ws; /* the last that has opened */
    atomic_bool has_position;
    jz_position position; /* that the last had of room/1 */
} hall;

/* Those of the query that the client has a position of, and the others with the next message. */
static void subscribe(jz_ws ws, const char *topic, bool envelops)
{
    jz_subscribe_options options = {.announces = true, .envelops = envelops};
    options.has_since = jz_request_position(jz_ws_request(ws), topic, strlen(topic), &options.since);
    assert_int_equal(jz_ws_subscribe_from(ws, topic, strlen(topic), &options, NULL), JZ_SEND_SENT);
}

/* "/?none" subscribes to nothing, "/?plain" to room/1 as others do. A message is published to room/1. */
static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hall *hall = context;
    const jz_request *request = jz_ws_request(ws);
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_publish(ws, "room/1", 6, message->kind, message->bytes, message->length);
    if (event->type != JZ_EVENT_OPEN)
        return;
    hall->has_position = jz_request_position(request, "room/1", 6, &hall->position);
    if (jz_request_query_value(request, "plain", NULL)) {
        jz_ws_subscribe(ws, "room/1", 6);
    } else if (jz_request_query_value(request, "counted", NULL)) {
        subscribe(ws, "room/1", false);
    } else if (!jz_request_query_value(request, "none", NULL)) {
        subscribe(ws, "room/1", true);
        subscribe(ws, "room/2", true);
    }
    jz_ws_send(ws, JZ_MESSAGE_BINARY, "opened", 6);
    hall->ws = ws.value;
}

static void open_hall(hall *hall, uint32_t loops, const jz_route_options *route)
{
    jz_options options = serving_options(loops);
    options.log_level = JZ_LOG_ERROR;
    *hall = (struct hall){0};
    hall->server = serving_start_with_history(&options, NULL, NULL, &(serving_route){"/", handle, hall, route});
    hall->port = jz_server_port(hall->server);
}

static void publish(const hall *hall, const char *topic, const char *text)
{
    assert_int_equal(jz_server_publish(hall->server, topic, strlen(topic), JZ_MESSAGE_TEXT, text, strlen(text)),
                     JZ_SEND_SENT);
}

static jz_position end_of(const hall *hall, const char *topic)
{
    jz_position end;
    jz_server_recent(hall->server, topic, strlen(topic), 0, NULL, NULL, &end);
    return end;
}

static void expect_text(test_client *client, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    size_t length = (size_t)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    test_client_expect(client, JZ_OPCODE_TEXT, text, length);
}

static void expect_announcement(test_client *client, const hall *hall, const char *topic, unsigned offset,
                                const char *answer, unsigned count)
{
    expect_text(client, "{\"t\":\"%s\",\"epoch\":\"%016llx\",\"offset\":%u,\"recovered\":%s,\"count\":%u}", topic,
                (unsigned long long)end_of(hall, topic).epoch, offset, answer, count);
}

static void open_client(const hall *hall, test_client *client, const char *query, int receive_buffer)
{
    char request[1024];
    snprintf(request, sizeof request, UPGRADE_REQUEST("/?%s"), query);
    assert_true(test_client_connect(client, hall->port, receive_buffer));
    assert_true(test_client_upgrade(client, request));
}

static void expect_opened(test_client *client)
{
    test_client_expect(client, JZ_OPCODE_BINARY, "opened", 6);
}

/* The offset in an envelope of room/1. */
static unsigned long long offset_in(const test_received *frame)
{
    char text[64] = "";
    unsigned long long offset = 0;
    memcpy(text, frame->payload, frame->length < sizeof text ? frame->length : sizeof text - 1);
    assert_int_equal(frame->opcode, JZ_OPCODE_TEXT);
    assert_int_equal(sscanf(text, "{\"t\":\"room/1\",\"o\":%llu,", &offset), 1);
    return offset;
}

static void each_topic_continues_where_it_was(void **state)
{
    (void)state;
    static test_client client;
    for (unsigned i = 0; i < 2; i++) {
        hall hall;
        open_hall(&hall, i == 0 ? 1 : 4, NULL);
        publish(&hall, "room/2", "before");
        open_client(&hall, &client, "", 0);
        expect_announcement(&client, &hall, "room/1", 0, "false", 0);
        expect_announcement(&client, &hall, "room/2", 1, "false", 0);
        expect_opened(&client);
        publish(&hall, "room/1", "a");
        publish(&hall, "room/2", "b \"quoted\"");
        assert_int_equal(jz_server_publish(hall.server, "room/1", 6, JZ_MESSAGE_BINARY, "\0\xff", 2), JZ_SEND_SENT);
        expect_text(&client, "{\"t\":\"room/1\",\"o\":1,\"d\":\"a\"}");
        expect_text(&client, "{\"t\":\"room/2\",\"o\":2,\"d\":\"b \\\"quoted\\\"\"}");
        expect_text(&client, "{\"t\":\"room/1\",\"o\":2,\"b\":\"AP8=\"}");
        test_client_close(&client);
        publish(&hall, "room/1", "c");
        publish(&hall, "room/2", "d");
        publish(&hall, "room/1", "e");
        char query[160];
        snprintf(query, sizeof query, "since=%016llx%%3A1%%3Aroom%%2F1&since=%016llx:7:room/2",
                 (unsigned long long)end_of(&hall, "room/1").epoch, (unsigned long long)end_of(&hall, "room/2").epoch);
        open_client(&hall, &client, query, 0);
        expect_announcement(&client, &hall, "room/1", 1, "true", 3);
        expect_text(&client, "{\"t\":\"room/1\",\"o\":2,\"b\":\"AP8=\"}");
        expect_text(&client, "{\"t\":\"room/1\",\"o\":3,\"d\":\"c\"}");
        expect_text(&client, "{\"t\":\"room/1\",\"o\":4,\"d\":\"e\"}");
        /* All or nothing for each topic: this position is of the future. */
        expect_announcement(&client, &hall, "room/2", 3, "false", 0);
        expect_opened(&client);
        publish(&hall, "room/2", "f");
        expect_text(&client, "{\"t\":\"room/2\",\"o\":4,\"d\":\"f\"}");
        test_client_close(&client);
        jz_server_destroy(hall.server);
    }
}

/* Of one topic, each gets what it has asked for, and all count the same. */
static void with_and_without_envelopes_there_is_one_order(void **state)
{
    (void)state;
    static test_client enveloped;
    static test_client counting;
    static test_client plain;
    for (uint32_t loops = 1; loops <= 3; loops += 2) {
        hall hall;
        open_hall(&hall, loops, NULL);
        open_client(&hall, &plain, "plain", 0);
        expect_opened(&plain);
        publish(&hall, "room/1", "first");
        open_client(&hall, &enveloped, "", 0);
        expect_announcement(&enveloped, &hall, "room/1", 1, "false", 0);
        expect_announcement(&enveloped, &hall, "room/2", 0, "false", 0);
        expect_opened(&enveloped);
        open_client(&hall, &counting, "counted", 0);
        expect_text(&counting, "{\"epoch\":\"%016llx\",\"offset\":1,\"recovered\":false,\"count\":0}",
                    (unsigned long long)end_of(&hall, "room/1").epoch);
        expect_opened(&counting);
        /* Who counts gets its own, in whatever form. */
        test_client_send_frame(&enveloped, &(test_frame)TEXT("of the enveloped"));
        expect_text(&enveloped, "{\"t\":\"room/1\",\"o\":2,\"d\":\"of the enveloped\"}");
        test_client_send_frame(&plain, &(test_frame)TEXT("of the plain"));
        expect_text(&enveloped, "{\"t\":\"room/1\",\"o\":3,\"d\":\"of the plain\"}");
        for (unsigned i = 4; i <= 40; i++) {
            publish(&hall, "room/1", "x");
            expect_text(&enveloped, "{\"t\":\"room/1\",\"o\":%u,\"d\":\"x\"}", i);
        }
        expect_text(&plain, "first");
        expect_text(&plain, "of the enveloped");
        expect_text(&counting, "of the enveloped");
        expect_text(&counting, "of the plain");
        for (unsigned i = 4; i <= 40; i++) {
            expect_text(&plain, "x");
            expect_text(&counting, "x");
        }
        test_client_close(&enveloped);
        test_client_close(&counting);
        test_client_close(&plain);
        jz_server_destroy(hall.server);
    }
}

static void the_last_subscription_says_whether_there_are_envelopes(void **state)
{
    (void)state;
    static test_client client;
    hall hall;
    open_hall(&hall, 2, NULL);
    open_client(&hall, &client, "none", 0);
    expect_opened(&client);
    assert_eventually(hall.ws != 0);
    jz_ws ws = {hall.ws};
    const jz_subscribe_options with = {.envelops = true};
    const jz_subscribe_options without = {0};
    for (unsigned i = 1; i <= 8; i += 2) {
        assert_int_equal(jz_ws_subscribe_from(ws, "room/1", 6, &with, NULL), JZ_SEND_QUEUED);
        publish(&hall, "room/1", "a");
        expect_text(&client, "{\"t\":\"room/1\",\"o\":%u,\"d\":\"a\"}", i);
        if (i == 3)
            assert_int_equal(jz_ws_unsubscribe(ws, "room/1", 6), JZ_SEND_QUEUED);
        assert_int_equal(jz_ws_subscribe_from(ws, "room/1", 6, &without, NULL), JZ_SEND_QUEUED);
        publish(&hall, "room/1", "b");
        expect_text(&client, "b");
    }
    /* While nobody had envelopes, the topic went on. */
    assert_int_equal(jz_ws_unsubscribe(ws, "room/1", 6), JZ_SEND_QUEUED);
    publish(&hall, "room/1", "c");
    const jz_subscribe_options recent = {.envelops = true, .recent = 2};
    assert_int_equal(jz_ws_subscribe_from(ws, "room/1", 6, &recent, NULL), JZ_SEND_QUEUED);
    expect_text(&client, "{\"t\":\"room/1\",\"o\":8,\"d\":\"b\"}");
    expect_text(&client, "{\"t\":\"room/1\",\"o\":9,\"d\":\"c\"}");
    publish(&hall, "room/1", "d");
    expect_text(&client, "{\"t\":\"room/1\",\"o\":10,\"d\":\"d\"}");
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

static void who_does_not_keep_up_with_envelopes_is_closed(void **state)
{
    (void)state;
    enum { LENGTH = 8000, MESSAGES = 400 };
    static test_client client;
    static char message[LENGTH + 1];
    jz_route_options route = jz_route_options_default();
    route.backpressure_limit = 16 * 1024;
    route.kernel_send_limit = 64 * 1024;
    hall hall;
    open_hall(&hall, 2, &route);
    open_client(&hall, &client, "", 4096);
    expect_announcement(&client, &hall, "room/1", 0, "false", 0);
    expect_announcement(&client, &hall, "room/2", 0, "false", 0);
    expect_opened(&client);
    memset(message, 'x', LENGTH);
    for (int i = 1; i <= MESSAGES; i++) {
        while (jz_server_publish(hall.server, "room/1", 6, JZ_MESSAGE_TEXT, message, LENGTH) != JZ_SEND_SENT)
            assert_true(test_pause_before(test_deadline()));
    }
    unsigned long long taken = 0;
    test_received frame;
    for (;;) {
        assert_that(test_client_take_frame(&client, &frame), "behind %llu", taken);
        if (frame.opcode == JZ_OPCODE_CLOSE)
            break;
        assert_int_equal(offset_in(&frame), ++taken);
    }
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_BEHIND);
    assert_true(taken < MESSAGES);
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

static void a_topic_in_an_envelope_has_a_name_of_utf_8(void **state)
{
    (void)state;
    static test_client client;
    hall hall;
    open_hall(&hall, 1, NULL);
    open_client(&hall, &client, "none", 0);
    expect_opened(&client);
    assert_eventually(hall.ws != 0);
    const jz_subscribe_options options = {.envelops = true};
    assert_int_equal(jz_ws_subscribe_from((jz_ws){hall.ws}, "room/\xff", 6, &options, NULL), JZ_SEND_DROPPED);
    assert_int_equal(jz_ws_subscribe_from((jz_ws){hall.ws}, "room/\xff", 6, NULL, NULL), JZ_SEND_QUEUED);
    test_client_close(&client);
    jz_server_destroy(hall.server);
}

static void the_position_of_a_topic_is_in_the_query(void **state)
{
    (void)state;
#define EPOCH "00000000000000ab"
    static const struct {
        const char *query;
        bool is_there;
        uint64_t offset;
    } cases[] = {
        {"none", false, 0},
        {"none&since=" EPOCH ":7", false, 0},
        {"none&since=" EPOCH ":7:", false, 0},
        {"none&since=" EPOCH ":7:room", false, 0},
        {"none&since=" EPOCH ":7:room/11", false, 0},
        {"none&since=" EPOCH ":7:room/1", true, 7},
        {"none&since=" EPOCH "%3a7%3Aroom%2F1", true, 7},
        {"none&since=" EPOCH ":7:r%6Fom/1", true, 7},
        {"none&since=" EPOCH ":7:room/1%", false, 0},
        {"none&since=" EPOCH ":7:room/1%0", false, 0},
        {"none&since=" EPOCH ":7:room/1%00", false, 0},
        {"none&since=" EPOCH ":7:room/1+", false, 0},
        {"none&since=" EPOCH ":07:room/1", false, 0},
        {"none&since=" EPOCH ":x:room/1", false, 0},
        {"none&since=:room/1", false, 0},
        {"none&since=::::::", false, 0},
        {"none&since=&since", false, 0},
        {"none&since=" EPOCH ":18446744073709551616:room/1", false, 0},
        {"none&since=" EPOCH ":18446744073709551615:room/1", true, UINT64_MAX},
        {"none&since=" EPOCH ":99999999999999999999999999999999999999999999999:room/1", false, 0},
        {"since=" EPOCH ":1:other&none&since=" EPOCH ":2:room/1&since=" EPOCH ":3:room/1", true, 2},
        {"none&Since=" EPOCH ":7:room/1", false, 0},
    };
    static test_client client;
    hall hall;
    open_hall(&hall, 1, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hall.position = (jz_position){0};
        open_client(&hall, &client, cases[i].query, 0);
        expect_opened(&client);
        assert_that(hall.has_position == cases[i].is_there, "%s", cases[i].query);
        assert_that(hall.position.offset == cases[i].offset, "%s", cases[i].query);
        assert_int_equal(hall.position.epoch, cases[i].is_there ? 0xab : 0);
        test_client_close(&client);
    }
    jz_server_destroy(hall.server);
}

/* Who has to get an envelope for which there is no memory is closed: it never misses one. */
static void without_memory_for_an_envelope_there_is_no_gap(void **state)
{
    (void)state;
    enum { ROUNDS = 40 };
    static test_client client;
    hall hall;
    open_hall(&hall, 1, NULL);
    size_t closed = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        jz_position end = end_of(&hall, "room/1");
        open_client(&hall, &client, "", 0);
        expect_announcement(&client, &hall, "room/1", (unsigned)end.offset, "false", 0);
        expect_announcement(&client, &hall, "room/2", 0, "false", 0);
        expect_opened(&client);
        test_received frame;
        test_allocation_fails_once_after(i % 8);
        bool is_sent = jz_server_publish(hall.server, "room/1", 6, JZ_MESSAGE_TEXT, "x", 1) == JZ_SEND_SENT;
        bool is_there = is_sent && test_client_take_frame(&client, &frame);
        test_allocations_succeed();
        if (is_there && frame.opcode == JZ_OPCODE_TEXT) {
            assert_int_equal(offset_in(&frame), end.offset + 1);
        } else if (is_there) {
            assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
            assert_int_equal(frame.payload[0] << 8 | frame.payload[1], JZ_CLOSE_BEHIND);
            closed++;
        }
        test_client_close(&client);
    }
    assert_true(closed > 0 && closed < ROUNDS);
    jz_server_destroy(hall.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_topic_continues_where_it_was),
        cmocka_unit_test(with_and_without_envelopes_there_is_one_order),
        cmocka_unit_test(the_last_subscription_says_whether_there_are_envelopes),
        cmocka_unit_test(who_does_not_keep_up_with_envelopes_is_closed),
        cmocka_unit_test(a_topic_in_an_envelope_has_a_name_of_utf_8),
        cmocka_unit_test(the_position_of_a_topic_is_in_the_query),
        cmocka_unit_test(without_memory_for_an_envelope_there_is_no_gap),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("resuming topics", tests, NULL, NULL));
}
