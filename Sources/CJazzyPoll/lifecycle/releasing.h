/* How a connection comes to its end: it leaves its phase, its handler is told, and its slot is given back. */
#ifndef JAZZY_LIFECYCLE_RELEASING_H
#define JAZZY_LIFECYCLE_RELEASING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* No more input is taken; the connection ends when its output is sent and, if it lingers, the peer has ended too. */
void jz_connection_finish(jz_shard *shard, jz_connection *connection, bool lingers);

/* It is done with, and its close event was delivered, or it never was a WebSocket: ends it for good. */
void jz_connection_release(jz_shard *shard, jz_connection *connection);

/* Tells the handler how it ended, and ends it at once. Outside of handlers only, as with the other two below. */
void jz_connection_lose(jz_shard *shard, jz_connection *connection, jz_failure failure);

/* Ends the connection at once, whatever it is about to do. */
void jz_connection_cut_off(jz_shard *shard, jz_connection *connection);

/* A worker has run its close event, after which nobody asks for its topics or its address any more. */
void jz_connection_left(jz_shard *shard, jz_connection *connection);

#endif
