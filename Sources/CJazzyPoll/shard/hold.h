/*
 * Connections that are not read from for now, because they are behind. One bit of the connection says so; where there
 * may be several reasons, because its route limits the rate of messages, its allowance keeps them.
 */
#ifndef JAZZY_SHARD_HOLD_H
#define JAZZY_SHARD_HOLD_H

#include "connection/connection.h"
#include "shard/shard.h"

/* The allowance of a WebSocket; NULL if its route limits no rate, or if there was no memory for it. */
static inline jz_allowance *jz_allowance_of(const jz_shard *shard, const jz_connection *connection)
{
    bool is_limited =
        connection->phase == JZ_PHASE_WEBSOCKET && jz_connection_route(connection)->options.message_rate.per_second > 0;
    return is_limited ? jz_allowances_at(&shard->allowances, connection->slot) : NULL;
}

static inline void jz_hold_begin(jz_shard *shard, jz_connection *connection, jz_hold why)
{
    jz_allowance *allowance = jz_allowance_of(shard, connection);
    if (allowance != NULL)
        allowance->holds |= (uint8_t)why;
    connection->is_behind = true;
}

/* Whether nothing is delivered to its handler, because what that has said, or that it has ended it, has yet to be done.
 */
static inline bool jz_hold_is_for_letters(const jz_shard *shard, const jz_connection *connection)
{
    if (!connection->is_behind || connection->phase != JZ_PHASE_WEBSOCKET ||
        jz_connection_route(connection)->options.execution != JZ_EXECUTION_LOOP)
        return false;
    const jz_allowance *allowance = jz_allowance_of(shard, connection);
    return allowance == NULL || (allowance->holds & JZ_HOLD_WORK) != 0;
}

/* The connection stays behind if there is another reason. */
static inline void jz_hold_end(jz_shard *shard, jz_connection *connection, jz_hold why)
{
    jz_allowance *allowance = jz_allowance_of(shard, connection);
    if (allowance != NULL)
        allowance->holds &= (uint8_t)~why;
    connection->is_behind = allowance != NULL && allowance->holds != 0;
}

#endif
