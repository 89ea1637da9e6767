/* The request that a connection began with, in the handler of its open event. */
#include "connection/first_request.h"
#include "handles/access.h"
#include "http/kept_request.h"
#include "workers/work.h"

/* The request of the open event that the calling thread handles, if it is this connection's; else NULL. */
static jz_first_request *first_request_of(jz_ws ws)
{
    jz_shard *shard = jz_own_shard(ws);
    jz_first_request *first = NULL;
    if (jz_current_work != NULL)
        first = jz_current_work->first_request;
    else if (shard != NULL)
        first = shard->first_request;
    return first != NULL && first->ws.value == ws.value && first->head.length > 0 ? first : NULL;
}

const jz_request *jz_ws_request(jz_ws ws)
{
    jz_first_request *first = first_request_of(ws);
    jz_address client;
    if (first != NULL && first->request == NULL && jz_reach_peer(ws, &client))
        first->request = jz_request_again(first->head, first->route->path, &client);
    return first != NULL ? first->request : NULL;
}

jz_kept_request *jz_ws_keep_request(jz_ws ws)
{
    const jz_first_request *first = first_request_of(ws);
    jz_address client;
    return first != NULL && jz_reach_peer(ws, &client) ? jz_request_keep(first->head, first->route->path, &client)
                                                       : NULL;
}
