/* The request that a connection began with, in the handler of its open event. */
#include "connection/first_request.h"
#include "handles/access.h"
#include "http/kept_request.h"
#include "shard/server.h"
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
    if (first == NULL || first->ws.value != ws.value || first->head.length == 0)
        return NULL;
    if (!first->has_asked)
        first->properties = jz_properties_take(&shard->turn.links, first->link);
    first->has_asked = true;
    return first;
}

/* False: the connection is gone. Where a proxy may have given the client its address, it is taken for one that has. */
static bool describe(const jz_first_request *first, jz_request_source *source)
{
    jz_shard *shard = jz_reach_shard(first->ws);
    if (shard == NULL)
        return false;
    jz_client_address naming = shard->server->options.client_address;
    jz_leave_reached_shard(first->ws, shard);
    *source = (jz_request_source){.head = first->head,
                                  .route = first->route->path,
                                  .is_secure = first->is_secure,
                                  .is_passed_on =
                                      naming == JZ_CLIENT_ADDRESS_PROXY_PROTOCOL || naming == JZ_CLIENT_ADDRESS_HEADER,
                                  .properties = first->properties};
    return jz_reach_peer(first->ws, &source->client);
}

const jz_request *jz_ws_request(jz_ws ws)
{
    jz_first_request *first = first_request_of(ws);
    jz_request_source source;
    if (first != NULL && first->request == NULL && describe(first, &source))
        first->request = jz_request_again(&source);
    return first != NULL ? first->request : NULL;
}

jz_kept_request *jz_ws_keep_request(jz_ws ws)
{
    const jz_first_request *first = first_request_of(ws);
    jz_request_source source;
    return first != NULL && describe(first, &source) ? jz_request_keep(&source) : NULL;
}
