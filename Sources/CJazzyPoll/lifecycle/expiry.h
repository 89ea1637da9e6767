/* What happens when a connection's timer has expired, and what prolongs the time-out. */
#ifndef JAZZY_LIFECYCLE_EXPIRY_H
#define JAZZY_LIFECYCLE_EXPIRY_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Outside of handlers only: it may call a handler, and free the connection. */
void jz_connection_expired(jz_shard *shard, jz_connection *connection);

/*
 * The peer has taken much of its output. As long as it continues to read a page, or the output before a close frame, it
 * gets all of it: only lack of progress is timed.
 */
void jz_expiry_prolong(jz_shard *shard, jz_connection *connection);

/*
 * A time-out has passed, and the timer is not set. First takes the peer's input that waits in the kernel, as after a
 * suspension of this process, or if more sockets are ready than one wait reports. Returns whether the time-out is due
 * nevertheless; else settle the connection.
 */
bool jz_expiry_is_due(jz_shard *shard, jz_connection *connection);

#endif
