/* The public functions that find a connection's server, for as long as the caller uses it. */
#include "connection/handle.h"
#include "shard/registry.h"
#include "shard/server.h"

/* Earlier servers with this number had only lower generations: see registry.h. */
static bool has_handle(const jz_server *server, jz_ws ws)
{
    return jz_handle_loop(ws) < server->shard_count &&
           jz_handle_generation(ws) >= server->shards[0].slots.first_generation;
}

/* Its slot is the last one that a handle can have: nothing but the server is looked up by it. */
jz_ws jz_server_handle(const jz_server *server)
{
    const jz_shard *shard = &server->shards[0];
    return jz_handle_make(shard->handle_prefix, JZ_MAX_SLOTS - 1, shard->slots.first_generation);
}

jz_server *jz_ws_borrow_server(jz_ws ws)
{
    jz_server *server = jz_registry_enter(jz_handle_server(ws));
    if (server == NULL || has_handle(server, ws))
        return server;
    jz_registry_leave(jz_handle_server(ws));
    return NULL;
}

void jz_ws_return_server(jz_ws ws)
{
    jz_registry_leave(jz_handle_server(ws));
}
