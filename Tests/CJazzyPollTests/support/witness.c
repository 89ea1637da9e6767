#include "witness.h"

#include <stdlib.h>
#include <string.h>

#include "eventually.h"

static witness current = {.lock = PTHREAD_MUTEX_INITIALIZER};

witness *witness_begin(bool is_slow)
{
    memset(current.connections, 0, sizeof current.connections);
    current.count = 0;
    current.closes = 0;
    current.wrong = 0;
    current.states = 0;
    current.floods = 0;
    current.accepted = 0;
    current.is_slow = is_slow;
    return &current;
}

static void release_state(void *state)
{
    current.states--;
    free(state);
}

void witness_configure(jz_route_options *options)
{
    options->release_state = release_state;
}

static bool is_in_order(witness *witness, jz_ws ws, const jz_event *event)
{
    size_t i = 0;
    while (i < witness->count && witness->connections[i].ws.value != ws.value)
        i++;
    if (event->type == JZ_EVENT_OPEN) {
        if (i < witness->count || i == WITNESSED_CONNECTIONS)
            return false;
        witness->connections[witness->count++].ws = ws;
        return true;
    }
    if (i == witness->count || witness->connections[i].is_closed)
        return false;
    bool had_error = witness->connections[i].has_error;
    if (event->type == JZ_EVENT_ERROR)
        witness->connections[i].has_error = true;
    if (event->type == JZ_EVENT_CLOSE)
        witness->connections[i].is_closed = true;
    return event->type == JZ_EVENT_CLOSE || !had_error;
}

static void begin_connection(jz_ws ws)
{
    void *state = malloc(32);
    if (state != NULL) {
        current.states++;
        if (!jz_ws_set_state(ws, state))
            current.wrong++;
    }
    jz_ws_subscribe(ws, WITNESS_TOPIC, strlen(WITNESS_TOPIC));
    jz_ws_subscribe(ws, "another", 7);
    jz_ws_unsubscribe(ws, "another", 7);
}

static void send_flood(jz_ws ws)
{
    static const uint8_t much[FLOOD_MESSAGE_SIZE];
    for (int i = 0; i < FLOOD_MESSAGES; i++) {
        jz_send_status status = jz_ws_send_with(ws, JZ_MESSAGE_BINARY, much, sizeof much, JZ_COMPRESSION_NEVER);
        current.accepted += status == JZ_SEND_SENT || status == JZ_SEND_QUEUED ? 1 : 0;
    }
    current.floods++;
}

static bool says(const jz_message *message, const char *text)
{
    return message->length == strlen(text) && memcmp(message->bytes, text, message->length) == 0;
}

static void obey(jz_ws ws, const jz_message *message)
{
    static const uint8_t large[5000];
    if (says(message, "flood")) {
        send_flood(ws);
    } else if (says(message, "publish")) {
        jz_ws_publish(ws, WITNESS_TOPIC, strlen(WITNESS_TOPIC), JZ_MESSAGE_TEXT, "small", 5);
        jz_ws_publish(ws, WITNESS_TOPIC, strlen(WITNESS_TOPIC), JZ_MESSAGE_BINARY, large, sizeof large);
    } else if (message->kind <= JZ_MESSAGE_BINARY) {
        jz_ws_send(ws, message->kind, message->bytes, message->length);
    }
}

void witness_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    witness *witness = context;
    pthread_mutex_lock(&witness->lock);
    if (!is_in_order(witness, ws, event))
        witness->wrong++;
    pthread_mutex_unlock(&witness->lock);
    if (witness->is_slow)
        test_pause_before(0);
    if (event->type == JZ_EVENT_OPEN)
        begin_connection(ws);
    else if (event->type == JZ_EVENT_MESSAGE)
        obey(ws, message);
    else if (event->type == JZ_EVENT_CLOSE)
        witness->closes++;
}

jz_ws witness_connection(witness *witness, size_t number)
{
    pthread_mutex_lock(&witness->lock);
    jz_ws ws = number < witness->count ? witness->connections[number].ws : (jz_ws){0};
    pthread_mutex_unlock(&witness->lock);
    return ws;
}
