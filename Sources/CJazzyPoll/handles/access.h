/* From a handle to its shard: on the shard's own thread, or from any other. */
#ifndef JAZZY_HANDLES_ACCESS_H
#define JAZZY_HANDLES_ACCESS_H

#include <stdbool.h>

#include "shard/entry.h"
#include "connection/handle.h"
#include "shard/shard.h"

/* The shard that owns a connection, if it runs on this thread, else NULL. */
static inline jz_shard *jz_own_shard(jz_ws ws)
{
    jz_shard *shard = jz_current_shard;
    return shard != NULL && shard->handle_prefix == jz_handle_shard(ws) ? shard : NULL;
}

/* Private to jz_is_in_order: there are letters. */
bool jz_bring_in_order(jz_shard *shard);

/*
 * Whether all that was asked of a shard before is done, so that more can be done at once: sees to it, unless it is more
 * than goes into this turn. Where no more may be put behind it, all of it is done all the same: the limit is of what
 * other threads ask, and no handler is turned away for it. On the shard's own thread.
 */
static inline bool jz_is_in_order(jz_shard *shard)
{
    return JZ_LIKELY(!jz_loop_has_letters(&shard->turn.loop)) || jz_bring_in_order(shard);
}

/*
 * The same, to change something: what other threads asked of the shard before, as under a lock that this thread has
 * now, is done first. So all receivers see one order of what happened one after the other, on whichever threads. NULL,
 * as on another thread, also where more was asked than goes into this turn: what comes now then is put behind it.
 */
static inline jz_shard *jz_own_shard_in_order(jz_ws ws)
{
    jz_shard *shard = jz_own_shard(ws);
    return shard != NULL && jz_is_in_order(shard) ? shard : NULL;
}

/* As jz_enter_shard, where messages can be sent to the connection; else NULL. */
jz_shard *jz_enter_open_shard(jz_ws ws);

/* The shard that owns a connection, from any thread, to read what any may; NULL if it is gone. Unless NULL, it is left.
 */
static inline jz_shard *jz_reach_shard(jz_ws ws)
{
    jz_shard *own = jz_own_shard(ws);
    return own != NULL ? own : jz_enter_shard(ws);
}

/* Leaves a shard that was reached; its own thread never entered it. */
static inline void jz_leave_reached_shard(jz_ws ws, const jz_shard *shard)
{
    if (shard != jz_current_shard)
        jz_leave_shard(ws);
}

/* Whether a connection of this shard is there and as far as that. From any thread. */
bool jz_handle_is(const jz_shard *shard, jz_ws ws, jz_visible visible);

/* Whether messages can be sent to it. */
static inline bool jz_handle_is_open(const jz_shard *shard, jz_ws ws)
{
    return jz_handle_is(shard, ws, JZ_VISIBLE_OPEN);
}

#endif
