/*
 * The server that the integration tests probe: probe-server [--port N] [--host ADDRESS] [--OPTION N]...
 * With --throttle N all bytes travel through a transport that passes on up to N at a time, whenever it likes. With
 * --memory N they travel through one that keeps them in memory, and the server sees no socket of a client, only a
 * bridge does (bridge.h); then it listens on 127.0.0.1, on the port for TCP alone. With --certificate FILE its port is
 * one of TLS (secure.h). --folder FOLDER: its files are pages. --deflate off|shared|dedicated: compression on all
 * routes. Prints "listening on port N" when it is ready. Exits with 1 and the library's own message when it cannot
 * start.
 */
#include <jazzy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../CJazzyPollTests/support/throttled_transport.h"
#include "attack-routes.h"
#include "bridge.h"
#include "page-routes.h"
#include "probe-routes.h"
#include "secure.h"

enum { MOST_PROXIES = 8 };

typedef struct settings {
    const char *host;
    const char *unix_path;
    const char *folder;
    uint16_t port;
    throttled throttle;    /* there is none where it passes on nothing */
    memory_network memory; /* the same */
    secure tls;            /* the same, without certificates */
    jz_options options;
    jz_route_options route;
    const char *proxies[MOST_PROXIES];
} settings;

/* Flags that take a number, and the options that it is put into. */
static const struct {
    const char *flag;
    size_t offset;
    size_t size;
} numbers[] = {
#define NUMBER(flag, option)                                                                                           \
    {                                                                                                                  \
        flag, offsetof(jz_options, option), sizeof(((jz_options *)0)->option)                                          \
    }
    NUMBER("--threads", threads),
    NUMBER("--backlog", backlog),
    NUMBER("--receive-buffer", receive_buffer_size),
    NUMBER("--max-message", max_message_size),
    NUMBER("--max-frames-per-message", max_frames_per_message),
    NUMBER("--backpressure-limit", backpressure_limit),
    NUMBER("--handshake-timeout-ms", handshake_timeout_ms),
    NUMBER("--keep-alive-timeout-ms", keep_alive_timeout_ms),
    NUMBER("--upgrade-timeout-ms", upgrade_timeout_ms),
    NUMBER("--idle-timeout-ms", idle_timeout_ms),
    NUMBER("--max-lifetime-ms", max_lifetime_ms),
    NUMBER("--close-timeout-ms", close_timeout_ms),
    NUMBER("--stop-timeout-ms", stop_timeout_ms),
    NUMBER("--min-send-rate", min_send_rate),
    NUMBER("--max-connections", max_connections),
    NUMBER("--max-connections-per-address", max_connections_per_address),
    NUMBER("--max-handshakes", max_handshakes),
    NUMBER("--max-head-size", max_head_size),
    NUMBER("--max-header-count", max_header_count),
    NUMBER("--log-level", log_level),
#undef NUMBER
};

static bool apply_number(jz_options *options, const char *flag, const char *value)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(flag, numbers[i].flag) != 0)
            continue;
        void *option = (char *)options + numbers[i].offset;
        uint64_t number = strtoull(value, NULL, 10);
        if (numbers[i].size == sizeof(uint32_t))
            *(uint32_t *)option = (uint32_t)number;
        else
            *(size_t *)option = (size_t)number;
        return true;
    }
    return false;
}

static bool apply_client_address(jz_options *options, const char *value)
{
    static const char *const words[] = {"peer", "x-forwarded-for", "forwarded", "proxy-protocol"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0) {
            options->client_address = (jz_client_address)i;
            return true;
        }
    }
    return false;
}

static bool apply_deflate(jz_route_options *route, const char *value)
{
    static const char *const words[] = {
        [JZ_DEFLATE_OFF] = "off", [JZ_DEFLATE_SHARED] = "shared", [JZ_DEFLATE_DEDICATED] = "dedicated"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0) {
            route->deflate.mode = (jz_deflate_mode)i;
            return true;
        }
    }
    return false;
}

static bool apply_flag(settings *settings, const char *flag, char *value)
{
    if (strcmp(flag, "--host") == 0)
        settings->host = value;
    else if (strcmp(flag, "--port") == 0)
        settings->port = (uint16_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--throttle") == 0)
        settings->throttle = (throttled){
            .seed = 1, .most_received = strtoul(value, NULL, 10), .most_sent = strtoul(value, NULL, 10), .steps = 1};
    else if (strcmp(flag, "--memory") == 0)
        /* As much is sent as there is room for: by what has to wait, and is taken, servers see that a peer is there. */
        settings->memory =
            (memory_network){.seed = 1, .most_received = strtoul(value, NULL, 10), .room = BRIDGE_ROOM, .steps = 1};
    else if (strcmp(flag, "--folder") == 0)
        settings->folder = value;
    else if (strcmp(flag, "--unix") == 0)
        settings->unix_path = value;
    else if (strcmp(flag, "--trusted-proxy") == 0 && settings->options.trusted_proxy_count < MOST_PROXIES)
        settings->proxies[settings->options.trusted_proxy_count++] = value;
    else if (strcmp(flag, "--client-address") == 0)
        return apply_client_address(&settings->options, value);
    else if (strcmp(flag, "--deflate") == 0)
        return apply_deflate(&settings->route, value);
    else
        return apply_number(&settings->options, flag, value) || secure_apply_flag(&settings->tls, flag, value);
    return true;
}

/* What the listeners' bytes travel through. */
static jz_listen_options way_of(settings *settings)
{
    if (settings->memory.most_received > 0)
        return (jz_listen_options){.transport = &memory_transport, .transport_context = &settings->memory};
    if (settings->throttle.most_received > 0)
        return (jz_listen_options){.transport = &throttled_transport, .transport_context = &settings->throttle};
    return (jz_listen_options){0};
}

/* The bridge to a server that listens with the memory transport, on the port that it was to listen on. */
static bridge *start_bridge(settings *settings, const jz_server *server)
{
    bridge *between = bridge_start(&settings->memory, settings->port, jz_server_port(server));
    if (between == NULL)
        fprintf(stderr, "probe-server: port %u is in use\n", settings->port);
    return between;
}

static jz_status serve(jz_server *server, settings *settings, bridge **between, jz_error *error)
{
    const bool is_bridged = settings->memory.most_received > 0;
    jz_listen_options through = way_of(settings);
    jz_status status = secure_begin(&settings->tls, &through, error);
    const jz_unix_options local = {.listening = through};
    if (status == JZ_OK)
        status = probe_register_routes(server, &settings->route, error);
    if (status == JZ_OK)
        status = attack_register_routes(server, error);
    if (status == JZ_OK)
        status = page_register_routes(server, settings->folder, error);
    if (status == JZ_OK)
        status = secure_register_routes(&settings->tls, server, error);
    if (status == JZ_OK)
        status = jz_server_listen_with(server, settings->host, is_bridged ? 0 : settings->port, &through, error);
    if (status == JZ_OK && settings->unix_path != NULL)
        status = jz_server_listen_unix_with(server, settings->unix_path, &local, error);
    if (status != JZ_OK)
        return status;
    if (is_bridged && (*between = start_bridge(settings, server)) == NULL)
        exit(EXIT_FAILURE);
    printf("listening on port %u\n", is_bridged ? bridge_port(*between) : jz_server_port(server));
    fflush(stdout);
    return jz_server_run_until_signal(server, error);
}

int main(int argument_count, char **arguments)
{
    settings settings = {.options = jz_options_default(), .route = jz_route_options_default(), .tls = secure_default()};
    settings.options.threads = 1;
    for (int i = 1; i < argument_count; i += 2) {
        if (i + 1 == argument_count || !apply_flag(&settings, arguments[i], arguments[i + 1])) {
            fprintf(stderr, "probe-server: unknown flag or no value: %s\n", arguments[i]);
            return 2;
        }
    }
    settings.options.trusted_proxies = settings.proxies;
    jz_error error = {0};
    jz_server *server = jz_server_create(&settings.options, &error);
    bridge *between = NULL;
    memory_network_begin(&settings.memory);
    jz_status status = server != NULL ? serve(server, &settings, &between, &error) : error.status;
    jz_server_destroy(server);
    if (between != NULL)
        bridge_end(between);
    memory_network_end(&settings.memory);
    secure_end(&settings.tls);
    if (status == JZ_OK)
        return 0;
    fprintf(stderr, "probe-server: %s\n", error.message);
    return 1;
}
