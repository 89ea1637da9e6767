/*
 * http/: everything before a WebSocket is open: PROXY header, request heads, pages, refusals, handshake, upgrade hook.
 * Not here: events of open WebSockets.
 *
 * Handles request heads: for WebSockets and for pages.
 */
#ifndef JAZZY_HTTP_HTTP_H
#define JAZZY_HTTP_HTTP_H

#include "connection/connection.h"
#include "http/handshake.h"
#include "shard/shard.h"

/*
 * Takes request heads from the input and answers them, until the input is used up or the connection leaves its phase.
 * Returns whether the connection becomes a WebSocket: then `accepted` has the terms, and the input has what follows.
 */
bool jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input, jz_accepted *accepted);

#endif
