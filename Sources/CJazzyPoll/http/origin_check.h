/* Whether a web page may open a WebSocket here, by its origin (RFC 6455 §10.2). */
#ifndef JAZZY_HTTP_ORIGIN_CHECK_H
#define JAZZY_HTTP_ORIGIN_CHECK_H

#include <stdbool.h>

#include "codec/request_head.h"
#include "connection/connection.h"
#include "config/routes.h"
#include "shard/shard.h"

/*
 * Whether a request is no page's, or one's whose origin the route lets in. The peer is still who sent it. A refusal is
 * counted and told to the log: the first of each route as a warning, with the way out.
 */
bool jz_origin_is_let_in(jz_shard *shard, const jz_connection *connection, const jz_route *route,
                         const jz_request_head *head);

#endif
