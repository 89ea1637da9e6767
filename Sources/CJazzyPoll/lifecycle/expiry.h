/* What happens to a connection whose timer has expired: jz_connection_expired, and what puts it off. */
#ifndef JAZZY_LIFECYCLE_EXPIRY_H
#define JAZZY_LIFECYCLE_EXPIRY_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Outside of handlers only: it may call one, and free the connection. */
void jz_connection_expired(jz_shard *shard, jz_connection *connection);

/*
 * Much of what was sent has been taken. Whoever goes on reading a page, or what came before a close frame, gets all of
 * it: what is timed is that nothing moves.
 */
void jz_expiry_prolong(jz_shard *shard, jz_connection *connection);

/*
 * A time-out has passed, and the timer is not set: takes what the peer has sent and waits in the kernel, as after a
 * stop of this process or in a turn with more sockets than one wait tells of. Returns whether the time-out is due all
 * the same; else the connection is to be settled.
 */
bool jz_expiry_is_due(jz_shard *shard, jz_connection *connection);

#endif
