/* How a connection ends: it leaves its phase, its handler gets the close event, and its slot is given back. */
#ifndef JAZZY_LIFECYCLE_RELEASING_H
#define JAZZY_LIFECYCLE_RELEASING_H

#include "connection/connection.h"
#include "shard/shard.h"

/*
 * No more input is taken; the connection ends when its output is sent and, if it lingers, the peer has closed its side,
 * too.
 */
void jz_connection_finish(jz_shard *shard, jz_connection *connection, bool lingers);

/* Ends a connection for good. Its close event was delivered, or it never was a WebSocket. */
void jz_connection_release(jz_shard *shard, jz_connection *connection);

/* Delivers the last events, and ends the connection at once. Outside of handlers only, like the next two functions. */
void jz_connection_lose(jz_shard *shard, jz_connection *connection, jz_failure failure);

/* Ends the connection at once, in any state. */
void jz_connection_cut_off(jz_shard *shard, jz_connection *connection);

/* A worker has run the close event; after that, the topics and the address are no longer needed. */
void jz_connection_left(jz_shard *shard, jz_connection *connection);

#endif
