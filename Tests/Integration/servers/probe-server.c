/*
 * The server that the integration tests probe: probe-server [--port N] [--host ADDRESS] [--OPTION N]...
 * Prints "listening on port N" when it is ready. Exits with 1 and the library's own message when it cannot start.
 */
#include <jazzy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe-routes.h"

typedef struct settings {
    const char *host;
    uint16_t port;
    jz_options options;
} settings;

static bool apply_flag(settings *settings, const char *flag, const char *value)
{
    unsigned long long number = strtoull(value, NULL, 10);
    if (strcmp(flag, "--host") == 0)
        settings->host = value;
    else if (strcmp(flag, "--port") == 0)
        settings->port = (uint16_t)number;
    else if (strcmp(flag, "--threads") == 0)
        settings->options.threads = (uint32_t)number;
    else if (strcmp(flag, "--backlog") == 0)
        settings->options.backlog = (uint32_t)number;
    else if (strcmp(flag, "--receive-buffer") == 0)
        settings->options.receive_buffer_size = (size_t)number;
    else if (strcmp(flag, "--max-message") == 0)
        settings->options.max_message_size = (size_t)number;
    else if (strcmp(flag, "--backpressure-limit") == 0)
        settings->options.backpressure_limit = (size_t)number;
    else if (strcmp(flag, "--handshake-timeout-ms") == 0)
        settings->options.handshake_timeout_ms = (uint32_t)number;
    else if (strcmp(flag, "--close-timeout-ms") == 0)
        settings->options.close_timeout_ms = (uint32_t)number;
    else
        return false;
    return true;
}

static jz_status serve(jz_server *server, const settings *settings, jz_error *error)
{
    jz_status status = probe_register_routes(server, error);
    if (status == JZ_OK)
        status = jz_server_listen(server, settings->host, settings->port, error);
    if (status != JZ_OK)
        return status;
    printf("listening on port %u\n", jz_server_port(server));
    fflush(stdout);
    return jz_server_run_until_signal(server, error);
}

int main(int argument_count, char **arguments)
{
    settings settings = {.options = jz_options_default()};
    settings.options.threads = 1;
    for (int i = 1; i < argument_count; i += 2) {
        if (i + 1 == argument_count || !apply_flag(&settings, arguments[i], arguments[i + 1])) {
            fprintf(stderr, "probe-server: unknown flag or no value: %s\n", arguments[i]);
            return 2;
        }
    }
    jz_error error = {0};
    jz_server *server = jz_server_create(&settings.options, &error);
    jz_status status = server != NULL ? serve(server, &settings, &error) : error.status;
    jz_server_destroy(server);
    if (status == JZ_OK)
        return 0;
    fprintf(stderr, "probe-server: %s\n", error.message);
    return 1;
}
