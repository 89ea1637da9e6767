#define _POSIX_C_SOURCE 200809L

#include "attack-routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event-line.h"
#include "guard.h"

/* The server that stops itself; there is one in this process. */
static jz_server *own_server;

static bool is_text(const jz_event *event, const jz_message *message)
{
    return event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT;
}

/* Any text is returned after its loop was blocked for so many milliseconds as it begins with. */
static void handle_block(jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (!is_text(event, message))
        return;
    char text[16] = "";
    memcpy(text, message->bytes, message->length < sizeof text - 1 ? message->length : sizeof text - 1);
    const unsigned long milliseconds = strtoul(text, NULL, 10);
    const struct timespec pause = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    nanosleep(&pause, NULL);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, message->bytes, message->length);
}

/* Closes twice, uses the connection in every way there is after that, and prints what that was answered. */
static void close_and_go_on(jz_ws ws, const char *name)
{
    static const char topic[] = "anything";
    jz_send_status closed = jz_ws_close(ws, 4001, "first", 5);
    const jz_send_status after[] = {
        jz_ws_close(ws, 4002, "second", 6),           jz_ws_send(ws, JZ_MESSAGE_TEXT, "late", 4),
        jz_ws_send(ws, JZ_MESSAGE_BINARY, "late", 4), jz_ws_send(ws, JZ_MESSAGE_PING, "late", 4),
        jz_ws_subscribe(ws, topic, strlen(topic)),    jz_ws_unsubscribe(ws, topic, strlen(topic)),
    };
    jz_ws_publish(ws, topic, strlen(topic), JZ_MESSAGE_TEXT, "late", 4); /* it may still speak to others */
    bool all_closed = !jz_ws_is_open(ws);
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
        all_closed = all_closed && after[i] == JZ_SEND_CLOSED;
    printf("{\"event\": \"%s\", \"closed\": \"%s\", \"all_closed\": %s}\n", name, send_status_word(closed),
           all_closed ? "true" : "false");
    fflush(stdout);
}

static void close_in(jz_event_type type, jz_ws ws, const jz_event *event)
{
    static const char *const names[] = {[JZ_EVENT_OPEN] = "open",
                                        [JZ_EVENT_MESSAGE] = "message",
                                        [JZ_EVENT_ERROR] = "error",
                                        [JZ_EVENT_CLOSE] = "close"};
    if (event->type == type) {
        close_and_go_on(ws, names[type]);
    } else {
        printf("{\"event\": \"%s\"}\n", names[event->type]);
        fflush(stdout);
    }
}

static void handle_close_in_open(jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    close_in(JZ_EVENT_OPEN, ws, event);
}

static void handle_close_in_message(jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    close_in(JZ_EVENT_MESSAGE, ws, event);
}

static void handle_close_in_error(jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    close_in(JZ_EVENT_ERROR, ws, event);
}

static void handle_close_in_close(jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    close_in(JZ_EVENT_CLOSE, ws, event);
}

/* Any text stops the server, more than once; messages sent just before are still delivered. */
static void handle_stop(jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (!is_text(event, message))
        return;
    jz_server_stop(own_server);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "stopping", 8);
    jz_server_stop(own_server);
}

/* Stops the server as soon as a client connects. */
static void handle_stop_in_open(jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_server_stop(own_server);
}

/* Any text is returned. */
static void handle_echo(jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (is_text(event, message))
        jz_ws_send(ws, JZ_MESSAGE_TEXT, message->bytes, message->length);
}

static const struct attack_route {
    const char *path;
    void (*handler)(jz_ws ws, const jz_event *event, const jz_message *message);
    jz_message_rate rate;
    jz_execution execution;
} routes[] = {
    {.path = "/block", .handler = handle_block},
    {.path = "/close-in-open", .handler = handle_close_in_open},
    {.path = "/close-in-message", .handler = handle_close_in_message},
    {.path = "/close-in-error", .handler = handle_close_in_error},
    {.path = "/close-in-close", .handler = handle_close_in_close},
    {.path = "/stop", .handler = handle_stop},
    {.path = "/stop-in-open", .handler = handle_stop_in_open},
    {.path = "/rate/close", .handler = handle_echo, .rate = {100, 20, JZ_EXCEEDING_CLOSE}},
    {.path = "/rate/pause", .handler = handle_echo, .rate = {100, 20, JZ_EXCEEDING_PAUSE}},
    {.path = "/rate/drop", .handler = handle_echo, .rate = {100, 20, JZ_EXCEEDING_DROP}},
    {.path = "/rate/pause/workers",
     .handler = handle_echo,
     .rate = {100, 20, JZ_EXCEEDING_PAUSE},
     .execution = JZ_EXECUTION_WORKERS},
};

static void call_guarded(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    const struct attack_route *route = context;
    guard_enter(route->path);
    route->handler(ws, event, message);
    guard_leave();
}

jz_status attack_register_routes(jz_server *server, jz_error *error)
{
    own_server = server;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        void *context = (void *)(uintptr_t)&routes[i];
        jz_route_options options = jz_route_options_default();
        options.message_rate = routes[i].rate;
        options.execution = routes[i].execution;
        jz_status status = jz_server_route_ws(server, routes[i].path, &options, call_guarded, context, error);
        if (status != JZ_OK)
            return status;
    }
    return JZ_OK;
}
