#include "server/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jazzy/metrics.h"
#include "jazzy/page.h"
#include "loop/report.h"
#include "shard/server.h"

enum { BODY_SIZE = 128 };

/* An iteration of a loop that takes longer will probably never end. */
static const uint64_t stuck_after_ns = UINT64_C(10) * 1000 * 1000 * 1000;

jz_health jz_health_judge(bool stops, bool drains, uint64_t lag_ns)
{
    if (lag_ns >= stuck_after_ns)
        return (jz_health){.state = "stuck"};
    if (stops)
        return (jz_health){.is_live = true, .state = "stopping"};
    if (drains)
        return (jz_health){.is_live = true, .state = "draining"};
    return (jz_health){.is_live = true, .is_ready = true, .state = "running"};
}

jz_health jz_health_of(const jz_server *server)
{
    uint64_t now = jz_clock_ns();
    uint64_t longest = 0;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        uint64_t lag = jz_loop_lag(&server->shards[i].turn.loop.times, now);
        longest = lag > longest ? lag : longest;
    }
    return jz_health_judge(atomic_load(&server->stop_is_requested), atomic_load(&server->drain_is_requested), longest);
}

static void answer(jz_page_request page, const jz_health *health, bool is_well)
{
    static const jz_response_header headers[] = {{"Cache-Control", "no-store"}};
    char body[BODY_SIZE];
    int length = snprintf(body, sizeof body, "{\"state\":\"%s\",\"live\":%s,\"ready\":%s}\n", health->state,
                          health->is_live ? "true" : "false", health->is_ready ? "true" : "false");
    const jz_page_response response = {.status = is_well ? 200 : 503,
                                       .content_type = "application/json",
                                       .body = body,
                                       .length = (size_t)length,
                                       .headers = headers,
                                       .header_count = 1};
    (void)jz_page_respond(page, &response);
}

static void answer_ready(void *context, jz_page_request page, const jz_request *request)
{
    (void)request;
    jz_health health = jz_health_of(context);
    answer(page, &health, health.is_ready);
}

static void answer_live(void *context, jz_page_request page, const jz_request *request)
{
    (void)request;
    jz_health health = jz_health_of(context);
    answer(page, &health, health.is_live);
}

/* Registers a page below a path. */
static jz_status route_below(jz_server *server, const char *path, const char *name, jz_page_handler handler,
                             jz_error *error)
{
    size_t length = strlen(path);
    bool has_slash = length > 0 && path[length - 1] == '/';
    size_t size = length + 1 + strlen(name) + 1;
    char *below = malloc(size);
    if (below == NULL)
        return jz_report(error, JZ_STATUS_OUT_OF_MEMORY, "cannot add a route: there is no memory");
    snprintf(below, size, "%s%s%s", path, has_slash ? "" : "/", name);
    jz_status status = jz_server_route_page(server, below, NULL, handler, server, error);
    free(below);
    return status;
}

jz_status jz_server_route_health(jz_server *server, const char *path, jz_error *error)
{
    jz_status status = jz_server_route_page(server, path, NULL, answer_ready, server, error);
    if (status == JZ_OK)
        status = route_below(server, path, "live", answer_live, error);
    if (status == JZ_OK)
        status = route_below(server, path, "ready", answer_ready, error);
    return status;
}
