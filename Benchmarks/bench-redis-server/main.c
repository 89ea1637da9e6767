/*
 * The measured server: one of several that share their topics through Redis.
 *
 *     bench-redis-server --port N [--redis URL]
 *     bench-redis-server --redis URL --publish N [--size BYTES]
 *
 * /fan receives what is published, /publish publishes each message, and /topics is told, with a message such as
 * "subscribe 1000 500", to subscribe to so many topics (500), numbered from the first number on, or to unsubscribe.
 * --publish: publishes so many messages by itself, waits until Redis has taken all, and tells how long that took.
 */
#define _GNU_SOURCE

#include <jazzy.h>
#include <jazzy/redis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char fan_topic[] = "fan";

static void receive(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_subscribe(ws, fan_topic, strlen(fan_topic));
}

static void publish(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_server_publish(context, fan_topic, strlen(fan_topic), message->kind, message->bytes, message->length);
}

static void change_topics(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    char command[64], word[16];
    unsigned long first = 0, count = 0;
    if (event->type != JZ_EVENT_MESSAGE || message->length >= sizeof command)
        return;
    memcpy(command, message->bytes, message->length);
    command[message->length] = '\0';
    if (sscanf(command, "%15s %lu %lu", word, &first, &count) != 3)
        return;
    bool subscribes = strcmp(word, "subscribe") == 0;
    for (unsigned long number = first; number < first + count; number++) {
        char topic[32];
        size_t length = (size_t)snprintf(topic, sizeof topic, "topic-%lu", number);
        if (subscribes)
            jz_ws_subscribe(ws, topic, length);
        else
            jz_ws_unsubscribe(ws, topic, length);
    }
}

static jz_status add_routes(jz_server *server, jz_error *error)
{
    jz_route_options options = jz_route_options_default();
    jz_status status = jz_server_route_ws(server, "/fan", &options, receive, NULL, error);
    if (status == JZ_OK)
        status = jz_server_route_ws(server, "/publish", &options, publish, server, error);
    return status == JZ_OK ? jz_server_route_ws(server, "/topics", &options, change_topics, NULL, error) : status;
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void wait_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 100 * 1000};
    nanosleep(&moment, NULL);
}

/* Keeps half of the queue free, so that nothing is dropped. */
static void publish_by_itself(jz_server *server, jz_redis *redis, size_t queue_limit, size_t count, size_t size)
{
    enum { LOOK_EVERY = 256 };
    char *payload = malloc(size + 1);
    if (payload == NULL)
        return;
    memset(payload, 'x', size);
    double began = seconds_of(CLOCK_MONOTONIC);
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < count; i++) {
        while (i % LOOK_EVERY == 0 && jz_redis_statistics_of(redis).queue_bytes > queue_limit / 2)
            wait_a_moment();
        jz_server_publish(server, fan_topic, strlen(fan_topic), JZ_MESSAGE_TEXT, payload, size);
    }
    while (jz_redis_statistics_of(redis).queue_messages > 0)
        wait_a_moment();
    double seconds = seconds_of(CLOCK_MONOTONIC) - began;
    printf("{\"messages\":%zu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"dropped\":%llu}\n", count, seconds,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu, (unsigned long long)jz_redis_statistics_of(redis).dropped);
    free(payload);
}

typedef struct choices {
    const char *url;
    unsigned long port, publish, size;
    bool are_wrong;
} choices;

static choices choices_of(int count, char **arguments)
{
    choices choices = {.size = 100};
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : "";
        unsigned long number = strtoul(value, NULL, 10);
        if (strcmp(arguments[i], "--redis") == 0)
            choices.url = value;
        else if (strcmp(arguments[i], "--port") == 0 && number <= 65535)
            choices.port = number;
        else if (strcmp(arguments[i], "--publish") == 0)
            choices.publish = number;
        else if (strcmp(arguments[i], "--size") == 0 && number <= 1024 * 1024)
            choices.size = number;
        else
            choices.are_wrong = true;
    }
    choices.are_wrong |= (choices.port == 0) == (choices.publish == 0) || (choices.publish > 0 && choices.url == NULL);
    return choices;
}

/* Joins the server with the others through Redis. NULL, and why, where that fails. */
static jz_redis *join(jz_server *server, const jz_redis_options *options, jz_error *error)
{
    jz_redis *redis = jz_redis_create(options, error);
    if (redis != NULL && jz_server_join(server, jz_redis_broker(redis), error) == JZ_OK)
        return redis;
    jz_redis_free(redis);
    return NULL;
}

static bool run(jz_server *server, jz_redis *redis, const choices *choices, size_t queue_limit, jz_error *error)
{
    if (add_routes(server, error) != JZ_OK ||
        jz_server_listen(server, "127.0.0.1", (uint16_t)choices->port, error) != JZ_OK)
        return false;
    if (choices->publish == 0) {
        printf("listening on port %u\n", jz_server_port(server));
        fflush(stdout);
        return jz_server_run_until_signal(server, error) == JZ_OK;
    }
    if (jz_server_start(server, error) != JZ_OK)
        return false;
    publish_by_itself(server, redis, queue_limit, choices->publish, choices->size);
    jz_server_stop(server);
    jz_server_wait(server);
    return true;
}

int main(int count, char **arguments)
{
    choices choices = choices_of(count, arguments);
    if (choices.are_wrong) {
        fprintf(stderr,
                "usage: bench-redis-server (--port N [--redis URL] | --redis URL --publish N [--size BYTES])\n");
        return 2;
    }
    jz_error error;
    jz_options options = jz_options_default();
    options.threads = 1;
    options.backpressure_limit = 256 * 1024 * 1024;
    jz_redis_options redis_options = jz_redis_options_default();
    redis_options.url = choices.url;
    redis_options.prefix = "bench:";
    jz_server *server = jz_server_create(&options, &error);
    jz_redis *redis = server != NULL && choices.url != NULL ? join(server, &redis_options, &error) : NULL;
    bool has_run = server != NULL && (redis != NULL || choices.url == NULL) &&
                   run(server, redis, &choices, redis_options.queue_limit, &error);
    if (!has_run)
        fprintf(stderr, "bench-redis-server: %s\n", error.message);
    jz_server_destroy(server);
    jz_redis_free(redis);
    return has_run ? 0 : 1;
}
