/*
 * The measured server, in C: /echo returns each message unchanged, /fan sends each message to every connection of the
 * route. It sends no greeting, and prints nothing per message.
 *
 *     bench-echo-c [--port N] [--max-message BYTES] [--deflate off|shared|dedicated] [--threads N] [--servers N]
 *                  [--with slow|metrics] [--level N]
 *
 * --threads: the loops of a server. --servers: several servers in this process, on consecutive ports, which share
 * nothing: to see the cost of what loops share. --with: routes whose handlers take a millisecond, or a page with
 * metrics at /metrics. --level: of compression.
 */
#include <jazzy.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

/* Parses a number from `lowest` to `highest`; else ends the program with an error. */
static unsigned long long number_of(const char *flag, const char *value, unsigned long long lowest,
                                    unsigned long long highest)
{
    char *end = NULL;
    unsigned long long number = value != NULL ? strtoull(value, &end, 10) : 0;
    if (value == NULL || end == value || *end != '\0' || value[0] == '-' || number < lowest || number > highest) {
        fprintf(stderr, "bench-echo-c: %s takes a number from %llu to %llu\n", flag, lowest, highest);
        exit(2);
    }
    return number;
}

static jz_deflate_mode deflate_mode_of(const char *value)
{
    static const char *const names[] = {
        [JZ_DEFLATE_OFF] = "off", [JZ_DEFLATE_SHARED] = "shared", [JZ_DEFLATE_DEDICATED] = "dedicated"};
    for (int mode = JZ_DEFLATE_OFF; value != NULL && mode <= JZ_DEFLATE_DEDICATED; mode++) {
        if (strcmp(value, names[mode]) == 0)
            return (jz_deflate_mode)mode;
    }
    fprintf(stderr, "bench-echo-c: --deflate takes off, shared or dedicated\n");
    exit(2);
}

enum { MOST_SERVERS = 16 };

static jz_server *servers[MOST_SERVERS];
static const char *extra = ""; /* of --with */

static jz_status add_extra(jz_server *server, jz_error *error)
{
    if (strcmp(extra, "slow") == 0)
        return bench_add_slow_routes(server, error);
    return strcmp(extra, "metrics") == 0 ? jz_server_route_metrics(server, "/metrics", error) : JZ_OK;
}

/* Makes a server listen; NULL, and why, where it cannot. */
static bool prepare(jz_server **server, const jz_options *options, const jz_route_options *route, uint16_t port,
                    jz_error *error)
{
    *server = jz_server_create(options, error);
    return *server != NULL && bench_add_routes(server, route, error) == JZ_OK && add_extra(*server, error) == JZ_OK &&
           jz_server_listen(*server, NULL, port, error) == JZ_OK;
}

/* The first runs here, the others on threads of their own and on the ports that follow. */
static bool run_all(const jz_options *options, const jz_route_options *route, uint16_t port, size_t count,
                    jz_error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t own = port == 0 ? 0 : (uint16_t)(port + i);
        if (!prepare(&servers[i], options, route, own, error) || (i > 0 && jz_server_start(servers[i], error) != JZ_OK))
            return false;
    }
    printf("listening on port %u\n", jz_server_port(servers[0]));
    fflush(stdout);
    return jz_server_run_until_signal(servers[0], error) == JZ_OK;
}

static int serve(const jz_options *options, const jz_route_options *route, uint16_t port, size_t count)
{
    jz_error error;
    bool has_run = run_all(options, route, port, count, &error);
    if (!has_run)
        fprintf(stderr, "bench-echo-c: %s\n", error.message);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && has_run) {
            jz_server_stop(servers[i]);
            jz_server_wait(servers[i]);
        }
        jz_server_destroy(servers[i]);
    }
    return has_run ? 0 : 1;
}

int main(int count, char **arguments)
{
    jz_options options = jz_options_default();
    options.max_message_size = 16 * 1024 * 1024;
    options.threads = 1;
    options.backpressure_limit = 256 * 1024 * 1024;
    jz_route_options route = jz_route_options_default();
    uint16_t port = 8080;
    size_t count_of_servers = 1;
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(arguments[i], "--port") == 0) {
            port = (uint16_t)number_of("--port", value, 0, 65535);
        } else if (strcmp(arguments[i], "--max-message") == 0) {
            options.max_message_size = (size_t)number_of("--max-message", value, 1, 1024 * 1024 * 1024);
        } else if (strcmp(arguments[i], "--threads") == 0) {
            options.threads = (uint32_t)number_of("--threads", value, 1, JZ_MAX_THREADS);
        } else if (strcmp(arguments[i], "--servers") == 0) {
            count_of_servers = (size_t)number_of("--servers", value, 1, MOST_SERVERS);
        } else if (strcmp(arguments[i], "--deflate") == 0) {
            route.deflate.mode = deflate_mode_of(value);
        } else if (strcmp(arguments[i], "--level") == 0) {
            route.deflate.level = (uint8_t)number_of("--level", value, 1, 9);
        } else if (strcmp(arguments[i], "--with") == 0 && value != NULL &&
                   (strcmp(value, "slow") == 0 || strcmp(value, "metrics") == 0)) {
            extra = value;
        } else {
            fprintf(stderr,
                    "bench-echo-c: unknown flag %s\n"
                    "usage: bench-echo-c [--port N] [--max-message BYTES] [--deflate off|shared|dedicated] "
                    "[--threads N] [--servers N] [--with slow|metrics] [--level N]\n",
                    arguments[i]);
            return 2;
        }
    }
    return serve(&options, &route, port, count_of_servers);
}
