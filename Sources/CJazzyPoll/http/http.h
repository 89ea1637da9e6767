/* Request heads: those that come before a WebSocket, and those that ask for pages. */
#ifndef JAZZY_HTTP_HTTP_H
#define JAZZY_HTTP_HTTP_H

#include "connection/connection.h"
#include "http/handshake.h"
#include "shard/shard.h"

/*
 * Takes request heads from the input and answers them, until it is used up or the connection changes its phase. Returns
 * whether it is to be a WebSocket from here on: then `accepted` says on what terms, and the input is what follows.
 */
bool jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input, jz_accepted *accepted);

#endif
