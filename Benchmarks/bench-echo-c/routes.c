#define _POSIX_C_SOURCE 200809L

#include "routes.h"

#include <string.h>
#include <time.h>

static const char fan_topic[] = "fan";

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void fan_out(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    jz_server *const *server = context;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, fan_topic, strlen(fan_topic));
    else if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_server_publish(*server, fan_topic, strlen(fan_topic), message->kind, message->bytes, message->length);
}

jz_status bench_add_routes(jz_server **server, const jz_route_options *options, jz_error *error)
{
    jz_status status = jz_server_route_ws(*server, "/echo", options, echo, NULL, error);
    return status != JZ_OK ? status : jz_server_route_ws(*server, "/fan", options, fan_out, server, error);
}

static void echo_slowly(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_MESSAGE)
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    echo(context, ws, event, message);
}

jz_status bench_add_slow_routes(jz_server *server, jz_error *error)
{
    jz_route_options options = jz_route_options_default();
    jz_status status = jz_server_route_ws(server, "/slow", &options, echo_slowly, NULL, error);
    options.execution = JZ_EXECUTION_WORKERS;
    return status != JZ_OK ? status : jz_server_route_ws(server, "/slow-worker", &options, echo_slowly, NULL, error);
}
