/* After a connection was read, written to, or timed: what became due is done, and what is awaited is watched for. */
#ifndef JAZZY_LIFECYCLE_SETTLING_H
#define JAZZY_LIFECYCLE_SETTLING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Whether the connection is open, and not to be read from. */
static inline bool jz_connection_is_held(const jz_connection *connection)
{
    return (connection->is_paused || connection->is_behind) && jz_session_is_open(&connection->session);
}

/* Whether there is nothing to do: as with nearly every connection that has had its messages and has answered them. */
static inline bool jz_connection_is_settled(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
           connection->unsent == NULL && jz_session_is_open(&connection->session) && !connection->is_backed_up &&
           !connection->drop_is_due && !connection->is_paused && !connection->is_behind &&
           connection->interest == JZ_READABLE && !jz_link_is_channel(connection->link);
}

/* Private to jz_connection_settle: there is something to do. */
void jz_connection_settle_anyhow(jz_shard *shard, jz_connection *connection);

/* Flushes, and does what became due meanwhile: ends what broke or finished, sets timers, watches for what is awaited.
 * Outside of handlers only. */
static inline void jz_connection_settle(jz_shard *shard, jz_connection *connection)
{
    if (!JZ_LIKELY(jz_connection_is_settled(connection)))
        jz_connection_settle_anyhow(shard, connection);
}

#endif
