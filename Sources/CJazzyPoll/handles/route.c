/* The route of a connection, and the subprotocol, from its handle. */
#include "config/routes.h"
#include "handles/access.h"
#include "shard/server.h"
#include "workers/work.h"

/* The number of the route and the subprotocol; 0 if the connection is gone. */
static size_t number_of(const jz_shard *shard, jz_ws ws)
{
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    if (connection == NULL)
        return 0;
    size_t number = atomic_load_explicit(&connection->number, memory_order_acquire);
    return jz_slots_find(&shard->slots, ws) == connection ? number : 0;
}

const char *jz_ws_subprotocol(jz_ws ws)
{
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return "";
    size_t number = number_of(shard, ws);
    const jz_route *route = number != 0 ? jz_routes_find_number(&shard->server->routes, number) : NULL;
    const char *subprotocol = route != NULL ? jz_route_subprotocol_of(route, number) : "";
    jz_leave_reached_shard(ws, shard);
    return subprotocol;
}

bool jz_ws_visit_context(jz_ws ws, void (*visit)(void *visitor, void *context), void *visitor)
{
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return false;
    size_t number = number_of(shard, ws);
    const jz_route *route = number != 0 ? jz_routes_find_number(&shard->server->routes, number) : NULL;
    if (route != NULL)
        visit(visitor, route->context);
    jz_leave_reached_shard(ws, shard);
    return route != NULL;
}

jz_ws jz_current_ws(void)
{
    if (jz_current_work != NULL)
        return jz_current_work->ws;
    const jz_shard *shard = jz_current_shard;
    if (shard == NULL || shard->turn.current == NULL)
        return (jz_ws){0};
    return jz_shard_handle_of(shard, shard->turn.current);
}
