#include "shard/entry.h"

#include "connection/handle.h"
#include "shard/registry.h"
#include "shard/server.h"

jz_shard *jz_enter_shard(jz_ws ws)
{
    jz_server *server = jz_registry_enter(jz_handle_server(ws));
    if (server == NULL)
        return NULL;
    uint8_t number = jz_handle_loop(ws);
    if (number < server->shard_count)
        return &server->shards[number];
    jz_leave_shard(ws);
    return NULL;
}

void jz_leave_shard(jz_ws ws)
{
    jz_registry_leave(jz_handle_server(ws));
}
