/* From the accepted handshake to the open event. */
#ifndef JAZZY_LIFECYCLE_OPENING_H
#define JAZZY_LIFECYCLE_OPENING_H

#include "connection/connection.h"
#include "http/handshake.h"
#include "shard/shard.h"

/* Makes the connection an open WebSocket. Takes ownership of the state. */
void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted);

#endif
