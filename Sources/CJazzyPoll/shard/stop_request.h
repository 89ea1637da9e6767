/* Requests to stop or drain a server, from any thread, and their state. How loops follow them: lifecycle/ending.h. */
#ifndef JAZZY_SHARD_STOP_REQUEST_H
#define JAZZY_SHARD_STOP_REQUEST_H

#include "jazzy/server.h"

/* Wakes all loops, so that they check these requests. */
void jz_server_wake_all(jz_server *server);

/*
 * A shard no longer listens. The last one wakes all shards, which may wait for connections that it could have handed
 * over.
 */
void jz_server_listens_less(jz_server *server);

/* Whether the server stops, and the time by which all connections are told so has passed. */
bool jz_server_has_told_all(const jz_server *server);

/* Whether the server drains, has no connections, and can get none. It stays true. From any thread. */
bool jz_server_has_drained(const jz_server *server);

/* A connection that was let in has ended. If the server drains, the last one wakes the loops. From any thread. */
void jz_server_leave(jz_server *server, bool is_handshake);

#endif
