/* After a connection was read, written to, or timed out: does what became due, and updates what the poll watches. */
#ifndef JAZZY_LIFECYCLE_SETTLING_H
#define JAZZY_LIFECYCLE_SETTLING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Whether the connection is open, but must not be read from. */
static inline bool jz_connection_is_held(const jz_connection *connection)
{
    return (connection->is_paused || connection->is_behind) && jz_session_is_open(&connection->session);
}

/* Whether there is nothing to do, as for nearly all connections after handling their messages. */
static inline bool jz_connection_is_settled(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
           connection->unsent == NULL && jz_session_is_open(&connection->session) && !connection->is_backed_up &&
           !connection->drop_is_due && !connection->is_paused && !connection->is_behind &&
           connection->interest == JZ_READABLE && !jz_link_is_channel(connection->link);
}

/*
 * Whether a connection is read whose output is put off. Not while that is the rest of a received message; and where too
 * much waits, only after the kernel was given all of it, and took it: what it refuses is backpressure.
 */
bool jz_connection_reads_on(jz_shard *shard, jz_connection *connection);

/* Private to jz_connection_settle, for when there is something to do. */
void jz_connection_settle_anyhow(jz_shard *shard, jz_connection *connection);

/*
 * Flushes, and does what became due meanwhile: ends broken and finished connections, sets timers, updates what the poll
 * watches. Outside of handlers only.
 */
static inline void jz_connection_settle(jz_shard *shard, jz_connection *connection)
{
    if (!JZ_LIKELY(jz_connection_is_settled(connection)))
        jz_connection_settle_anyhow(shard, connection);
}

#endif
