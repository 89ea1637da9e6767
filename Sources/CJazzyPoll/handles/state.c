/* The application's state of a connection. */
#include "handles/access.h"
#include "workers/work.h"

/* The place of the state, if the calling thread may access it; else NULL. */
static void **place_of(jz_ws ws)
{
    if (jz_current_work != NULL && jz_current_work->ws.value == ws.value)
        return jz_current_work->is_finished ? NULL : &jz_current_work->state;
    jz_shard *shard = jz_own_shard(ws);
    jz_connection *connection = shard != NULL ? jz_slots_find(&shard->slots, ws) : NULL;
    if (connection == NULL || connection->phase != JZ_PHASE_WEBSOCKET ||
        jz_connection_route(connection)->options.execution != JZ_EXECUTION_LOOP)
        return NULL;
    return &connection->state;
}

void *jz_ws_state(jz_ws ws)
{
    void **place = place_of(ws);
    return place != NULL ? *place : NULL;
}

bool jz_ws_set_state(jz_ws ws, void *state)
{
    void **place = place_of(ws);
    if (place == NULL)
        return false;
    *place = state;
    return true;
}
