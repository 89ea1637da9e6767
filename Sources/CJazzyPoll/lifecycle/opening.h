/* From an accepted handshake to the open event. */
#ifndef JAZZY_LIFECYCLE_OPENING_H
#define JAZZY_LIFECYCLE_OPENING_H

#include "connection/connection.h"
#include "http/handshake.h"
#include "shard/shard.h"

/* The connection speaks WebSocket from here on. Takes the state over. */
void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted);

#endif
