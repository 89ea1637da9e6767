/*
 * Every text or binary message on /broadcast goes to all others who are connected, also to other processes that have
 * the same Redis: start it several times.
 *
 *     redis-broadcast-server [--redis redis://127.0.0.1:6379] [--port 8080] [--threads 1]
 */
#include <jazzy.h>
#include <jazzy/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char everybody[] = "everybody";

static void broadcast(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, everybody, sizeof everybody - 1);
    else if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_publish(ws, everybody, sizeof everybody - 1, message->kind, message->bytes, message->length);
}

/* Messages of other processes may have been lost. Whoever keeps them somewhere reads them again here. */
static void note_gap(void *context, const char *topic, size_t length)
{
    (void)context;
    fprintf(stderr, "redis-broadcast-server: messages to \"%.*s\" may have been lost\n", (int)length, topic);
}

/* The word behind an option; `otherwise` where it is not given. */
static const char *option(int count, char **arguments, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], name) == 0)
            return arguments[i + 1];
    }
    return otherwise;
}

static jz_status serve(jz_server *server, jz_redis *redis, unsigned long port, jz_error *error)
{
    jz_status status = jz_server_join(server, jz_redis_broker(redis), error);
    if (status == JZ_OK)
        status = jz_server_route_ws(server, "/broadcast", NULL, broadcast, NULL, error);
    if (status == JZ_OK)
        status = jz_server_listen(server, NULL, (uint16_t)port, error);
    if (status != JZ_OK)
        return status;
    printf("ws://localhost:%u/broadcast\n", jz_server_port(server));
    fflush(stdout);
    return jz_server_run_until_signal(server, error);
}

int main(int count, char **arguments)
{
    unsigned long port = strtoul(option(count, arguments, "--port", "8080"), NULL, 10);
    unsigned long threads = strtoul(option(count, arguments, "--threads", "1"), NULL, 10);
    if (count % 2 == 0 || port > 65535 || threads == 0 || threads > 1024) {
        fprintf(stderr, "redis-broadcast-server [--redis redis://127.0.0.1:6379] [--port 8080] [--threads 1]\n");
        return 2;
    }
    jz_redis_options redis_options = jz_redis_options_default();
    redis_options.url = option(count, arguments, "--redis", "redis://127.0.0.1:6379");
    redis_options.on_gap = note_gap;
    jz_options options = jz_options_default();
    options.threads = (uint32_t)threads;
    jz_error error;
    jz_server *server = NULL;
    jz_redis *redis = jz_redis_create(&redis_options, &error);
    if (redis != NULL)
        server = jz_server_create(&options, &error);
    jz_status status = server != NULL ? serve(server, redis, port, &error) : error.status;
    if (status != JZ_OK)
        fprintf(stderr, "redis-broadcast-server: %s\n", error.message);
    jz_server_destroy(server);
    jz_redis_free(redis);
    return status == JZ_OK ? 0 : 1;
}
