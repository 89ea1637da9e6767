/* Whether a web page may open a WebSocket here, by its origin (RFC 6455 §10.2). */
#ifndef JAZZY_HTTP_ORIGIN_CHECK_H
#define JAZZY_HTTP_ORIGIN_CHECK_H

#include <stdbool.h>

#include "codec/request_head.h"
#include "connection/connection.h"
#include "config/routes.h"
#include "shard/shard.h"

/*
 * Whether a request has no origin, or one that the route allows. `is_secure`: the client's connection is. Call it while
 * the connection's peer is still the TCP peer. A refusal is counted and logged: the first of each route as a warning
 * that says what to do.
 */
bool jz_origin_is_let_in(jz_shard *shard, const jz_connection *connection, const jz_route *route,
                         const jz_request_head *head, bool is_secure);

#endif
