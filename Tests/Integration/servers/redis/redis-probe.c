/*
 * The server that the tests of Redis probe: redis-probe --redis URL [--port N] [--redis-OPTION VALUE]...
 * The routes are in routes.h and members.h. With --conceal-gaps 1 it tells its clients nothing of gaps, to see that
 * tests notice. Prints "listening on port N" when it is ready. Exits with 1 and the library's own message when it
 * cannot start.
 */
#include <jazzy.h>
#include <jazzy/redis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "members.h"
#include "routes.h"

typedef struct settings {
    uint16_t port;
    probe probe;
    jz_options options;
    jz_redis_options redis;
    bool has_history; /* all topics have one */
} settings;

/* Flags of numbers, and where these go. */
static const struct {
    const char *flag;
    size_t offset;
    size_t size;
} numbers[] = {
#define NUMBER(flag, member)                                                                                           \
    {                                                                                                                  \
        flag, offsetof(settings, member), sizeof(((settings *)0)->member)                                              \
    }
    NUMBER("--port", port),
    NUMBER("--threads", options.threads),
    NUMBER("--stop-timeout-ms", options.stop_timeout_ms),
    NUMBER("--max-message", options.max_message_size),
    NUMBER("--backpressure-limit", options.backpressure_limit),
    NUMBER("--max-members", options.max_members),
    NUMBER("--presence-limit", options.presence_limit),
    NUMBER("--conceal-gaps", probe.conceals_gaps),
    NUMBER("--history", has_history),
    NUMBER("--redis-ordered", redis.is_ordered),
    NUMBER("--redis-starts-alone", redis.starts_alone),
    NUMBER("--redis-queue-limit", redis.queue_limit),
    NUMBER("--redis-publish-batch", redis.publish_batch),
    NUMBER("--redis-linger-ms", redis.linger_ms),
    NUMBER("--redis-probe-interval-ms", redis.probe_interval_ms),
    NUMBER("--redis-probe-timeout-ms", redis.probe_timeout_ms),
    NUMBER("--redis-connect-timeout-ms", redis.connect_timeout_ms),
    NUMBER("--redis-stop-timeout-ms", redis.stop_timeout_ms),
    NUMBER("--redis-backoff-least-ms", redis.backoff_least_ms),
    NUMBER("--redis-backoff-most-ms", redis.backoff_most_ms),
#undef NUMBER
};

static const struct {
    const char *flag;
    size_t offset;
} texts[] = {
    {"--redis", offsetof(settings, redis.url)},
    {"--redis-prefix", offsetof(settings, redis.prefix)},
    {"--redis-client-name", offsetof(settings, redis.client_name)},
    {"--redis-ca-file", offsetof(settings, redis.ca_file)},
    {"--redis-sentinel-user", offsetof(settings, redis.sentinel_user)},
    {"--redis-sentinel-password", offsetof(settings, redis.sentinel_password)},
};

static bool apply_number(settings *settings, const char *flag, const char *value)
{
    const unsigned long long number = strtoull(value, NULL, 10);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(flag, numbers[i].flag) != 0)
            continue;
        void *place = (char *)settings + numbers[i].offset;
        if (numbers[i].size == sizeof(bool))
            *(bool *)place = number != 0;
        else if (numbers[i].size == sizeof(uint16_t))
            *(uint16_t *)place = (uint16_t)number;
        else if (numbers[i].size == sizeof(uint32_t))
            *(uint32_t *)place = (uint32_t)number;
        else
            *(size_t *)place = (size_t)number;
        return true;
    }
    return false;
}

static bool apply_text(settings *settings, const char *flag, const char *value)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(flag, texts[i].flag) == 0) {
            *(const char **)(void *)((char *)settings + texts[i].offset) = value;
            return true;
        }
    }
    return false;
}

static jz_status serve(settings *settings, jz_error *error)
{
    probe *probe = &settings->probe;
    settings->redis.on_gap = probe_tell_gap;
    settings->redis.gap_context = probe;
    probe->redis = jz_redis_create(&settings->redis, error);
    probe->server = probe->redis != NULL ? jz_server_create(&settings->options, error) : NULL;
    if (probe->server == NULL)
        return error->status;
    jz_status status = jz_server_join(probe->server, jz_redis_broker(probe->redis), error);
    if (status == JZ_OK && settings->has_history)
        status = jz_server_history(probe->server, "", 0, NULL, error);
    if (status == JZ_OK)
        status = probe_register_redis_routes(probe, error);
    if (status == JZ_OK)
        status = probe_register_member_routes(probe->server, error);
    if (status == JZ_OK)
        status = jz_server_listen(probe->server, "127.0.0.1", settings->port, error);
    if (status != JZ_OK)
        return status;
    printf("listening on port %u\n", jz_server_port(probe->server));
    fflush(stdout);
    return jz_server_run_until_signal(probe->server, error);
}

int main(int argument_count, char **arguments)
{
    settings settings = {.options = jz_options_default(), .redis = jz_redis_options_default()};
    settings.options.threads = 2;
    settings.options.backpressure_limit = 16 << 20; /* tests compare all that Redis brought: no client is too slow */
    for (int i = 1; i < argument_count; i += 2) {
        if (i + 1 == argument_count || !(apply_number(&settings, arguments[i], arguments[i + 1]) ||
                                         apply_text(&settings, arguments[i], arguments[i + 1]))) {
            fprintf(stderr, "redis-probe: unknown flag or no value: %s\n", arguments[i]);
            return 2;
        }
    }
    jz_error error = {0};
    jz_status status = serve(&settings, &error);
    jz_server_destroy(settings.probe.server);
    jz_redis_free(settings.probe.redis);
    if (status == JZ_OK)
        return 0;
    fprintf(stderr, "redis-probe: %s\n", error.message);
    return 1;
}
