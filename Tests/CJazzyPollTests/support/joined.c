#include "joined.h"

#include <stdio.h>

#include "codec/frame_header.h"
#include "serving.h"
#include "testing.h"

size_t joined_topic(uint32_t topic, char name[16])
{
    return (size_t)snprintf(name, 16, "topic/%u", topic);
}

static void obey(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (message->kind == JZ_MESSAGE_TEXT) {
        const char *text = (const char *)message->bytes;
        if (text[0] == '+')
            jz_ws_subscribe(ws, text + 1, message->length - 1);
        else
            jz_ws_unsubscribe(ws, text + 1, message->length - 1);
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "ok", 2);
    } else {
        char name[16];
        stamp stamp;
        memcpy(&stamp, message->bytes, sizeof stamp);
        jz_ws_publish(ws, name, joined_topic(stamp.topic, name), JZ_MESSAGE_BINARY, &stamp, sizeof stamp);
    }
}

static void take(void *context, size_t client, uint8_t opcode, const uint8_t *start, size_t length)
{
    receipts *receipts = context;
    stamp stamp;
    if (opcode == JZ_OPCODE_CLOSE)
        return;
    if (opcode == JZ_OPCODE_TEXT) {
        *(length == 2 ? &receipts->answers : &receipts->ends) += 1;
        return;
    }
    if (opcode != JZ_OPCODE_BINARY || length != sizeof stamp) {
        receipts->disorders++;
        return;
    }
    memcpy(&stamp, start, sizeof stamp);
    uint32_t *next = &receipts->next[client][stamp.publisher][stamp.topic];
    receipts->disorders += stamp.number < *next ? 1 : 0;
    receipts->gaps += stamp.number > *next ? 1 : 0;
    *next = stamp.number + 1;
    receipts->counts[client][stamp.publisher][stamp.topic]++;
    receipts->total++;
}

static jz_server *serve(joined *joined, size_t number)
{
    jz_error error = {0};
    jz_options options = serving_options(JOINED_LOOPS);
    log_lines_begin(&joined->logs[number], &options);
    jz_route_options workers = jz_route_options_default();
    workers.execution = JZ_EXECUTION_WORKERS;
    jz_server *server = jz_server_create(&options, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/loop", NULL, obey, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/workers", &workers, obey, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    const jz_broker broker = joining_broker_for(&joined->broker, number);
    assert_that(jz_server_join(server, &broker, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    return server;
}

size_t joined_server_of(size_t client)
{
    return client % JOINED_SERVERS;
}

joined *joined_set_up(uint64_t seed, unsigned losses_in_thousand)
{
    joined *joined = calloc(1, sizeof *joined);
    assert_non_null(joined);
    joining_broker_start(&joined->broker, seed, losses_in_thousand);
    for (size_t i = 0; i < JOINED_SERVERS; i++)
        joined->servers[i] = serve(joined, i);
    assert_true(fleet_start(&joined->fleet, JOINED_CLIENTS, take, &joined->receipts));
    for (size_t i = 0; i < JOINED_CLIENTS; i++)
        assert_true(fleet_open(&joined->fleet, i, jz_server_port(joined->servers[joined_server_of(i)]),
                               i < JOINED_CLIENTS / 2 ? "/loop" : "/workers", 0));
    return joined;
}

void joined_tear_down(joined *joined)
{
    fleet_finish(&joined->fleet);
    for (size_t i = 0; i < JOINED_SERVERS; i++)
        jz_server_destroy(joined->servers[i]);
    joining_broker_finish(&joined->broker);
    free(joined);
}

void joined_ask(joined *joined, size_t client, char what, uint32_t topic)
{
    char text[17] = {what};
    size_t length = 1 + joined_topic(topic, text + 1);
    size_t answers = joined->receipts.answers;
    assert_true(fleet_send(&joined->fleet, client, JZ_OPCODE_TEXT, text, length));
    assert_turning(&joined->fleet, joined->receipts.answers > answers);
}

bool joined_wants(size_t client, size_t topic)
{
    return client % JOINED_TOPICS == topic || (client + 1) % JOINED_TOPICS == topic;
}

void joined_subscribe_all(joined *joined)
{
    for (size_t client = 0; client < JOINED_CLIENTS; client++) {
        for (uint32_t topic = 0; topic < JOINED_TOPICS; topic++) {
            if (joined_wants(client, topic))
                joined_ask(joined, client, '+', topic);
        }
    }
}
