#include "served.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/texts.h"
#include "kernel.h"

enum { CROWD = 1000, MOST_INPUT = 4096, TEXT_FRAME = 0x81, IS_MASKED = 0x80, LENGTH_FOLLOWS = 126 };

static const char topic[] = "crowd";
/* A client that offers nothing, for scenarios that do not measure the handshake. */
static const char plain_request[] = "GET /chat HTTP/1.1\r\n"
                                    "Host: chat.example.com:8080\r\n"
                                    "Connection: Upgrade\r\n"
                                    "Upgrade: websocket\r\n"
                                    "Sec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                    "\r\n";

/* An empty close frame, masked with zeros. */
static const uint8_t close_frame[] = {0x88, 0x80, 0, 0, 0, 0};

/* A client that reads the metrics. */
static const char metrics_request[] = "GET /metrics HTTP/1.1\r\n"
                                      "Host: chat.example.com:8080\r\n"
                                      "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"
                                      "\r\n";

/* Where the request of texts.h comes from. */
static const char *const allowed_origin = "https://chat.example.com";

static const served_scenario *scenario;
static unsigned long turns_left, turns;
static size_t connected, greeted, opened, closed;
static kernel_sent sent_before;
static size_t calls_before;
static uint8_t input[MOST_INPUT];
static size_t input_length;

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "bench-instructions: %s: %s; `make test-c` tells whether the core is broken\n", scenario->name,
            what);
    exit(2);
}

static void require_ok(jz_status status, const jz_error *error)
{
    if (status != JZ_OK)
        require(false, error->message);
}

/* --- What the server does ------------------------------------------------------------------------------------------
 */

static void look(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)message;
    opened += event->type == JZ_EVENT_OPEN;
}

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
    else
        look(context, ws, event, message);
}

/* All but the first receive what the first publishes. */
static void publish(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_publish(ws, topic, sizeof topic - 1, message->kind, message->bytes, message->length);
    else if (event->type == JZ_EVENT_OPEN && opened > 0)
        jz_ws_subscribe(ws, topic, sizeof topic - 1);
    look(context, ws, event, message);
}

const served_scenario served_scenarios[] = {
    {"served-echo-20B-text", echo, 1, 1, 20, 1, 1, 22, NULL, false, 0},
    {"served-echo-20B-text-32-per-read", echo, 1, 1, 20, 32, 1, 32 * 22, NULL, false, 0},
    {"served-echo-1000B-text", echo, 1, 1, 1000, 1, 1, 1004, NULL, false, 0},
    {"served-publish-125B-to-1000", publish, 1 + CROWD, 1 + CROWD, 125, 1, CROWD, CROWD * 127, NULL, false, 0},
    {"served-publish-125B-to-1", publish, 2, 2, 125, 1, 1, 127, NULL, false, 0},
    {"served-publish-kept-125B-to-1", publish, 2, 2, 125, 1, 1, 127, NULL, true, 0},
    {"served-handshake", look, CROWD, 0, 0, 1, 1, 0, NULL, false, 0},
    /* Accept it, watch it, receive and send twice; leave the poll, shut down, close; and the three waits. */
    {"served-visit", look, 0, 0, 0, 1, 2, 0, NULL, false, 12},
    {"served-metrics-beside-1", look, 2, 1, 0, 1, 1, 0, metrics_request, false, 0},
    {"served-metrics-beside-1000", look, CROWD + 1, CROWD, 0, 1, 1, 0, metrics_request, false, 0},
};
const size_t served_scenario_count = sizeof served_scenarios / sizeof served_scenarios[0];

/* --- What its clients do -------------------------------------------------------------------------------------------
 */

/* A client's frame, of less than 64 KiB. */
static void add_message(const uint8_t *payload, size_t length)
{
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    uint8_t *end = input + input_length;
    *end++ = TEXT_FRAME;
    if (length < LENGTH_FOLLOWS) {
        *end++ = (uint8_t)(IS_MASKED | length);
    } else {
        *end++ = IS_MASKED | LENGTH_FOLLOWS;
        *end++ = (uint8_t)(length >> 8);
        *end++ = (uint8_t)length;
    }
    memcpy(end, key, sizeof key);
    end += sizeof key;
    for (size_t i = 0; i < length; i++)
        *end++ = payload[i] ^ key[i % sizeof key];
    input_length = (size_t)(end - input);
}

static void prepare_input(void)
{
    uint8_t payload[MOST_INPUT];
    if (scenario->request != NULL) {
        input_length = strlen(scenario->request);
        memcpy(input, scenario->request, input_length);
        return;
    }
    if (scenario->websockets == 0) {
        input_length = strlen(handshake_request);
        memcpy(input, handshake_request, input_length);
        return;
    }
    fill_text(payload, scenario->length, TEXT_ASCII);
    for (size_t i = 0; i < scenario->messages; i++)
        add_message(payload, scenario->length);
}

/* Does not wait for the server's end, whose cost depends on the past, and is not measured. */
static _Noreturn void finish(void)
{
    size_t calls = kernel_sent_so_far.calls - sent_before.calls;
    size_t bytes = kernel_sent_so_far.bytes - sent_before.bytes;
    require(calls == turns * scenario->sends, "the server did not send as often as it had to");
    require(scenario->sent == 0 || bytes == turns * scenario->sent, "the server did not send what it had to");
    require(opened == scenario->websockets + (scenario->websockets == 0 ? turns : 0),
            "not every handshake made a WebSocket");
    require(scenario->calls == 0 || kernel_calls_so_far - calls_before == turns * scenario->calls,
            "the server did not make the system calls that it had to, and no others");
    exit(0);
}

/* Who sends something in the next iteration. */
static size_t sender(void)
{
    if (scenario->request != NULL)
        return scenario->websockets;
    return scenario->websockets == 0 ? greeted++ : 0;
}

static void begin_turn(void)
{
    if (turns_left-- < turns)
        return;
    sent_before = kernel_sent_so_far;
    calls_before = kernel_calls_so_far;
}

/* The next step of a client, or the next client. */
static void go_on_with_visit(void)
{
    require(opened == greeted, "a handshake made no WebSocket");
    if (connected > greeted) {
        kernel_receive(greeted++, plain_request, sizeof plain_request - 1);
    } else if (closed < greeted) {
        kernel_receive(closed++, close_frame, sizeof close_frame);
    } else if (turns_left > 0) {
        begin_turn();
        connected++;
        kernel_connect(1);
    } else {
        finish();
    }
}

static void go_on(void)
{
    if (scenario->calls > 0) {
        go_on_with_visit();
    } else if (connected < scenario->clients) {
        /* The server accepts a part of them at a time. */
        size_t count = scenario->clients - connected < 100 ? scenario->clients - connected : 100;
        connected += count;
        kernel_connect(count);
    } else if (greeted < scenario->websockets) {
        kernel_receive(greeted++, plain_request, sizeof plain_request - 1);
    } else if (turns_left > 0) {
        begin_turn();
        kernel_receive(sender(), input, input_length);
    } else {
        finish();
    }
}

_Noreturn void serve(const served_scenario *chosen, unsigned long count)
{
    scenario = chosen;
    turns = turns_left = count;
    require(scenario->websockets > 0 || turns <= CROWD, "it has no more than 1000 turns");
    prepare_input();
    kernel_waits = go_on;
    jz_error error = {0};
    jz_options options = jz_options_default();
    options.threads = 1;
    jz_route_options route = jz_route_options_default();
    route.origin_policy = JZ_ORIGIN_LISTED;
    route.allowed_origins = &allowed_origin;
    route.allowed_origin_count = 1;
    jz_server *server = jz_server_create(&options, &error);
    require(server != NULL, error.message);
    require_ok(jz_server_route_ws(server, "/chat", &route, scenario->handler, NULL, &error), &error);
    if (scenario->keeps_history)
        require_ok(jz_server_history(server, topic, sizeof topic - 1, NULL, &error), &error);
    if (scenario->request != NULL)
        require_ok(jz_server_route_metrics(server, "/metrics", &error), &error);
    require_ok(jz_server_listen(server, "127.0.0.1", 0, &error), &error);
    require_ok(jz_server_run(server, &error), &error);
    require(false, "the server stopped by itself");
    exit(2);
}
