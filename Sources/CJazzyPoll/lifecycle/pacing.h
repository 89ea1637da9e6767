/* Limits the rate of a connection's messages, if its route says so: closes, drops, or reads later. */
#ifndef JAZZY_LIFECYCLE_PACING_H
#define JAZZY_LIFECYCLE_PACING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Begins with a full allowance. False when there is no memory. */
bool jz_pacing_begin(jz_shard *shard, jz_connection *connection);

/*
 * A message was received on such a route: whether the handler gets it. If not, it was dropped, or the connection
 * closed. After the last message that the allowance has, reading may pause: then the connection is behind.
 */
bool jz_pacing_admits(jz_shard *shard, jz_connection *connection, jz_message_kind kind);

/* The connection was pinged to see whether the peer is there: the pong does not count. */
void jz_pacing_expect_pong(jz_shard *shard, const jz_connection *connection);

/*
 * The timer of an open WebSocket has expired, whose lifetime is not over: returns whether it ran for the allowance. If
 * there is one again, reading resumes, and the connection is watched as before.
 */
bool jz_pacing_expired(jz_shard *shard, jz_connection *connection);

#endif
