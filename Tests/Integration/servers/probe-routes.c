#include "probe-routes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event-line.h"
#include "guard.h"
#include "room.h"

enum { LARGE_PAGE_LENGTH = 16 << 20 };

static jz_send_status send_text(jz_ws ws, const char *text)
{
    return jz_ws_send(ws, JZ_MESSAGE_TEXT, text, strlen(text));
}

/* The message's bytes as a string, cut where it is longer than the buffer. */
static const char *copy_text(const jz_message *message, char *buffer, size_t size)
{
    size_t length = message->length < size ? message->length : size - 1;
    memcpy(buffer, message->bytes, length);
    buffer[length] = '\0';
    return buffer;
}

static bool is_text(const jz_event *event, const jz_message *message)
{
    return event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT;
}

static void handle_echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void handle_greet(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        send_text(ws, "hello");
}

static void handle_greet_and_close(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        send_text(ws, "hello");
        jz_ws_close(ws, 1000, "good-bye", 8);
    }
}

static void handle_close_on_open(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_close(ws, 4001, "because", 7);
}

/* "CODE REASON" closes with them; a refusal is answered with a text. */
static void handle_close_me(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (!is_text(event, message))
        return;
    char text[512];
    copy_text(message, text, sizeof text);
    char *reason = NULL;
    unsigned long code = strtoul(text, &reason, 10);
    if (*reason == ' ')
        reason++;
    jz_send_status status = jz_ws_close(ws, (uint16_t)code, reason, strlen(reason));
    if (status != JZ_SEND_SENT)
        send_text(ws, send_status_word(status));
}

static void handle_events(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    event_line_print(ws, event, message);
}

/* Text is sent back as a ping; received pings and pongs are reported as text. */
static void handle_ping_me(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    char payload[126];
    char answer[160];
    copy_text(message, payload, sizeof payload);
    if (message->kind == JZ_MESSAGE_TEXT) {
        jz_ws_send(ws, JZ_MESSAGE_PING, payload, strlen(payload));
    } else if (message->kind != JZ_MESSAGE_BINARY) {
        snprintf(answer, sizeof answer, "%s %s", message->kind == JZ_MESSAGE_PING ? "ping" : "pong", payload);
        send_text(ws, answer);
    }
}

static void handle_remote_address(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    char address[JZ_REMOTE_ADDRESS_SIZE];
    if (event->type == JZ_EVENT_OPEN && jz_ws_remote_address(ws, address) > 0)
        send_text(ws, address);
}

/* "COUNT LENGTH" sends so many binary messages, each beginning with its index, and prints what became of them. */
static void handle_burst(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    unsigned count = 0;
    size_t length = 0;
    char text[64];
    if (!is_text(event, message) || sscanf(copy_text(message, text, sizeof text), "%u %zu", &count, &length) != 2)
        return;
    uint8_t *bytes = calloc(length + sizeof count, 1);
    if (bytes == NULL)
        abort();
    unsigned totals[4] = {0};
    for (unsigned i = 0; i < count; i++) {
        memcpy(bytes, &i, sizeof i);
        totals[jz_ws_send(ws, JZ_MESSAGE_BINARY, bytes, length)]++;
    }
    free(bytes);
    printf("{\"sent\": %u, \"queued\": %u, \"dropped\": %u, \"buffered\": %zu}\n", totals[JZ_SEND_SENT],
           totals[JZ_SEND_QUEUED], totals[JZ_SEND_DROPPED], jz_ws_buffered_amount(ws));
    fflush(stdout);
}

typedef struct errand {
    jz_ws ws;
    unsigned count;
} errand;

static void *run_errand(void *argument)
{
    errand work = *(errand *)argument;
    free(argument);
    char text[32];
    for (unsigned i = 0; i < work.count; i++) {
        snprintf(text, sizeof text, "%u", i);
        send_text(work.ws, text);
    }
    jz_ws_close(work.ws, 1000, "done", 4);
    return NULL;
}

/* "COUNT" lets a thread of the application's own send 0 to COUNT - 1 and close. */
static void handle_from_thread(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (!is_text(event, message))
        return;
    char text[32];
    errand *work = malloc(sizeof *work);
    pthread_t thread;
    if (work == NULL)
        abort();
    *work = (errand){ws, (unsigned)strtoul(copy_text(message, text, sizeof text), NULL, 10)};
    if (pthread_create(&thread, NULL, run_errand, work) != 0)
        abort();
    pthread_detach(thread);
}

static void visit_with_text(jz_ws ws, const void *text)
{
    send_text(ws, text);
}

static void visit_with_close(jz_ws ws, const void *reason)
{
    jz_ws_close(ws, 4002, reason, strlen(reason));
}

/* The chat of the examples: it sends to everyone while it holds its lock. */
static void handle_chat(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    char text[1024] = "User: ";
    if (event->type == JZ_EVENT_OPEN) {
        room_insert(room_of_chat(), ws);
    } else if (event->type == JZ_EVENT_CLOSE) {
        room_remove(room_of_chat(), ws);
    } else if (is_text(event, message)) {
        copy_text(message, text + 6, sizeof text - 6);
        room_visit(room_of_chat(), visit_with_text, text);
    }
}

/* Any text closes every connection of the route, the sender's own included, while the lock is held. */
static void handle_close_everyone(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN)
        room_insert(room_of_close_everyone(), ws);
    else if (event->type == JZ_EVENT_CLOSE)
        room_remove(room_of_close_everyone(), ws);
    else if (is_text(event, message))
        room_visit(room_of_close_everyone(), visit_with_close, "everyone out");
}

/* A text lets the server drain. */
static void handle_drain(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    jz_server *server = is_text(event, message) ? jz_ws_borrow_server(ws) : NULL;
    if (server == NULL)
        return;
    jz_server_drain(server, JZ_NEVER);
    jz_ws_return_server(ws);
}

static const struct probe_route {
    const char *path;
    jz_handler handler;
} routes[] = {
    {"/echo", handle_echo},
    {"/greet", handle_greet},
    {"/greet-and-close", handle_greet_and_close},
    {"/close-on-open", handle_close_on_open},
    {"/close-me", handle_close_me},
    {"/events", handle_events},
    {"/ping-me", handle_ping_me},
    {"/remote-address", handle_remote_address},
    {"/burst", handle_burst},
    {"/from-thread", handle_from_thread},
    {"/chat", handle_chat},
    {"/close-everyone", handle_close_everyone},
    {"/page-and-socket", handle_echo},
    {"/drain", handle_drain},
};

static void call_guarded(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    const struct probe_route *route = context;
    guard_enter(route->path);
    route->handler(NULL, ws, event, message);
    guard_leave();
}

static jz_status register_pages(jz_server *server, jz_error *error)
{
    static const char page[] = "<!doctype html><title>Probe</title><p>Grüße</p>\n";
    jz_status status = jz_server_route_get(server, "/", "text/html; charset=utf-8", page, sizeof page - 1, error);
    if (status == JZ_OK)
        status = jz_server_route_get(server, "/plain", "text/plain; charset=utf-8", "plain text\n", 11, error);
    if (status == JZ_OK)
        status = jz_server_route_get(server, "/empty", "text/plain; charset=utf-8", NULL, 0, error);
    if (status == JZ_OK)
        status = jz_server_route_get(server, "/page-and-socket", "text/plain; charset=utf-8", "page\n", 5, error);
    if (status != JZ_OK)
        return status;
    char *large = malloc(LARGE_PAGE_LENGTH);
    if (large == NULL)
        abort();
    for (size_t i = 0; i < LARGE_PAGE_LENGTH; i++)
        large[i] = (char)('a' + i % 26);
    status = jz_server_route_get(server, "/large", "application/octet-stream", large, LARGE_PAGE_LENGTH, error);
    free(large);
    if (status == JZ_OK)
        status = jz_server_route_metrics(server, "/metrics", error);
    return status == JZ_OK ? jz_server_route_health(server, "/health", error) : status;
}

jz_status probe_register_routes(jz_server *server, const jz_route_options *options, jz_error *error)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        void *context = (void *)(uintptr_t)&routes[i];
        jz_status status = jz_server_route_ws(server, routes[i].path, options, call_guarded, context, error);
        if (status != JZ_OK)
            return status;
    }
    return register_pages(server, error);
}
