/* From an accepted handshake to the open event. */
#ifndef JAZZY_SERVER_OPENING_H
#define JAZZY_SERVER_OPENING_H

#include "connection.h"
#include "handshake.h"
#include "shard.h"

/* The connection speaks WebSocket from here on. Takes the state over. */
void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted);

#endif
