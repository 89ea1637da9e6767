#include "shard/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/path.h"
#include "loop/report.h"
#include "loop/thread.h"
#include "platform/random.h"
#include "server/routing.h"
#include "shard/errand.h"
#include "shard/fetching.h"
#include "shard/registry.h"
#include "lifecycle/shard_loop.h"
#include "config/log.h"
#include "config/strings.h"
#include "workers/workers.h"

/* Destroys the first `count` shards; returns a generation that is higher than in all of their handles. */
static uint32_t destroy_shards(jz_server *server, uint32_t count, uint32_t generation)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = jz_shard_destroy(&server->shards[i]);
        if (next > generation)
            generation = next;
    }
    return generation;
}

static jz_status create_shards(jz_server *server, uint32_t first_generation, jz_error *error)
{
    server->shard_count = server->options.threads;
    server->shards = calloc(server->shard_count, sizeof *server->shards);
    server->threads = calloc(server->shard_count, sizeof *server->threads);
    if (server->shards == NULL || server->threads == NULL)
        return jz_report_system(error, ENOMEM, "create a server");
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_status status = jz_shard_init(&server->shards[i], server, (uint8_t)i, first_generation, error);
        if (status != JZ_OK) {
            destroy_shards(server, i, first_generation);
            return status;
        }
    }
    return JZ_OK;
}

static void free_server(jz_server *server)
{
    jz_routes_free(&server->routes);
    jz_company_runner_destroy(server->company);
    jz_membership_destroy(atomic_load(&server->membership));
    jz_history_destroy(server->history);
    jz_presence_teller_destroy(server->teller);
    jz_presence_destroy(server->presence);
    jz_admission_destroy(&server->admission);
    free(server->trusted_proxies);
    free(server->client_address_header);
    jz_workers_destroy(&server->workers);
    jz_workers_destroy(&server->readers);
    jz_packed_free(server->packed);
    pthread_mutex_destroy(&server->looking.lock);
    free(server->shards);
    free(server->threads);
    free(server);
}

static jz_status keep_proxies(jz_server *server, const jz_options *options, jz_error *error)
{
    if (options->trusted_proxy_count == 0)
        return JZ_OK;
    server->trusted_proxies = calloc(options->trusted_proxy_count, sizeof *server->trusted_proxies);
    if (server->trusted_proxies == NULL)
        return jz_report_system(error, ENOMEM, "create a server");
    server->trusted_proxy_count = options->trusted_proxy_count;
    return jz_options_parse_proxies(options, server->trusted_proxies, error);
}

static jz_status keep_presence(jz_server *server, jz_error *error)
{
    server->presence = jz_presence_create(&server->options);
    if (server->presence != NULL)
        server->teller =
            jz_presence_teller_create(server->presence, &server->workers, server->options.thread_stack_size);
    return server->teller != NULL ? JZ_OK : jz_report_system(error, ENOMEM, "create a server");
}

static jz_status keep_header(jz_server *server, const jz_options *options, jz_error *error)
{
    if (options->client_address_header == NULL)
        return JZ_OK;
    server->client_address_header = jz_string_copy(jz_text_of(options->client_address_header));
    return server->client_address_header != NULL ? JZ_OK : jz_report_system(error, ENOMEM, "create a server");
}

jz_server *jz_server_create(const jz_options *options, jz_error *error)
{
    const jz_options defaults = jz_options_default();
    if (options == NULL)
        options = &defaults;
    if (jz_options_check(options, error) != JZ_OK)
        return NULL;
    jz_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        jz_report_system(error, ENOMEM, "create a server");
        return NULL;
    }
    server->options = *options;
    server->options.trusted_proxies = NULL; /* the caller owns these */
    server->options.client_address_header = NULL;
    server->head_limits = (jz_head_limits){options->max_head_size, options->max_header_count};
    server->stop_by_ms = UINT64_MAX;
    server->silent_by_ms = UINT64_MAX;
    server->tell_by_ms = UINT64_MAX;
    server->drain_by_ms = UINT64_MAX;
    pthread_mutex_init(&server->looking.lock, NULL);
    server->topic_key = (jz_siphash_key){{jz_random(), jz_random()}};
    jz_workers_init(&server->workers, &jz_errand_mail);
    jz_workers_init(&server->readers, &jz_errand_mail);
    jz_admission_init(&server->admission, options);
    if (keep_proxies(server, options, error) != JZ_OK || keep_header(server, options, error) != JZ_OK ||
        keep_presence(server, error) != JZ_OK) {
        free_server(server);
        return NULL;
    }
    uint32_t first_generation = 1;
    server->number = jz_registry_reserve(&first_generation);
    if (server->number == 0) {
        jz_report(error, JZ_STATUS_TOO_MANY_SERVERS, "cannot create a server: there are %d already; destroy one first",
                  JZ_MAX_SERVERS);
        free_server(server);
        return NULL;
    }
    if (create_shards(server, first_generation, error) != JZ_OK) {
        jz_registry_release(server->number, first_generation);
        free_server(server);
        return NULL;
    }
    jz_registry_publish(server->number, server);
    return server;
}

static void *wait_and_free(void *context)
{
    jz_server *server = context;
    jz_server_wait(server);
    jz_registry_withdraw(server->number);
    jz_fetching_expire(server, UINT64_MAX);
    uint32_t next_generation = destroy_shards(server, server->shard_count, 1);
    /* Higher than in jz_server_handle, too, which may be all that there was. */
    jz_registry_release(server->number, next_generation + 1);
    free_server(server);
    return NULL;
}

/* Waits and frees on a detached thread. If that cannot be started, the server stops, but its memory stays. */
static void wait_and_free_elsewhere(jz_server *server)
{
    const jz_thread_plan plan = {wait_and_free, "the end of a server", server->options.thread_stack_size};
    pthread_t thread;
    jz_error error;
    if (jz_thread_start(&thread, &plan, server, &error) == JZ_OK)
        pthread_detach(thread);
    else
        jz_log(&server->options, JZ_LOG_ERROR, "a server that was destroyed in a handler keeps its memory: %s",
               error.message);
}

void jz_server_destroy(jz_server *server)
{
    if (server == NULL)
        return;
    jz_server_stop(server);
    if (jz_in_handler())
        wait_and_free_elsewhere(server);
    else
        wait_and_free(server);
}

/* `normal` is the path in normal form (codec/path.h). */
static jz_status add_normal_route(jz_server *server, const char *path, const char *normal, jz_route **route,
                                  jz_error *error)
{
    size_t shortest = jz_route_pattern_shortest_path(normal) + strlen("GET  HTTP/1.1\r\n\r\n");
    if (shortest > server->options.max_head_size)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE,
                         "route \"%.100s\" would never match: a request for it has at least %zu bytes, and "
                         "max_head_size is %u",
                         path, shortest, server->options.max_head_size);
    const jz_route *before = jz_routes_find_covering(&server->routes, normal);
    if (before != NULL)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE,
                         "route \"%.60s\" would never match: \"%.60s\", which was added before, matches all of its "
                         "paths; add it later",
                         path, before->path);
    *route = jz_routes_add(&server->routes, normal);
    if (*route == NULL)
        return jz_report_system(error, ENOMEM, "add a route");
    if (strcmp((*route)->path, normal) != 0)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE,
                         "route \"%.60s\": \"%.60s\" is there already and matches the same paths; a page and a "
                         "WebSocket route of one path name its parameters alike",
                         path, (*route)->path);
    return JZ_OK;
}

jz_status jz_server_require_time_for_routes(jz_server *server, jz_error *error)
{
    int state = atomic_load(&server->state);
    if (state != JZ_SERVER_CREATED && state != JZ_SERVER_LISTENING)
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot add a route: do it before the server runs");
    return JZ_OK;
}

jz_status jz_server_add_route(jz_server *server, const char *path, jz_route **route, jz_error *error)
{
    if (jz_server_require_time_for_routes(server, error) != JZ_OK)
        return JZ_STATUS_INVALID_STATE;
    const char *why = "a path begins with '/' and has no '?', '#' or white space";
    if (path == NULL || path[0] != '/' || !jz_route_pattern_is_valid(path, &why))
        return jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": %s", path != NULL ? path : "", why);
    char *normal = calloc(1, JZ_NORMAL_PATH_SIZE(strlen(path)) + 1);
    if (normal == NULL)
        return jz_report_system(error, ENOMEM, "add a route");
    jz_path_normalise(jz_text_of(path), normal);
    jz_status status = add_normal_route(server, path, normal, route, error);
    free(normal);
    return status;
}

jz_status jz_server_route_ws(jz_server *server, const char *path, const jz_route_options *options, jz_handler handler,
                             void *context, jz_error *error)
{
    const jz_route_options defaults = jz_route_options_default();
    if (options == NULL)
        options = &defaults;
    jz_route *route = NULL;
    jz_status status = jz_route_options_check(options, error);
    if (status == JZ_OK && handler == NULL)
        status = jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": the handler is NULL",
                           path != NULL ? path : "");
    if (status == JZ_OK)
        status = jz_server_add_route(server, path, &route, error);
    if (status != JZ_OK)
        return status;
    if (route->handler != NULL)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": there is a WebSocket route already", path);
    size_t first_number = jz_routes_count_numbers(&server->routes) + 1;
    if (first_number + options->subprotocol_count > JZ_MAX_NUMBER)
        return jz_report(
            error, JZ_STATUS_INVALID_ROUTE,
            "route \"%.100s\": one server has at most %d WebSocket routes and subprotocols of them, in all", path,
            JZ_MAX_NUMBER);
    if (!jz_route_options_adopt(&route->options, options, &server->options))
        return jz_report_system(error, ENOMEM, "add a route");
    route->first_number = first_number;
    route->is_plain = options->execution == JZ_EXECUTION_LOOP && options->message_rate.per_second == 0;
    route->handler = handler;
    route->context = context;
    return JZ_OK;
}

void *jz_server_context(const jz_server *server)
{
    return server->options.context;
}

bool jz_in_handler(void)
{
    return jz_current_shard != NULL || jz_current_workers != NULL;
}

bool jz_server_runs_here(const jz_server *server)
{
    return (jz_current_shard != NULL && jz_current_shard->server == server) || jz_current_workers == &server->workers;
}
