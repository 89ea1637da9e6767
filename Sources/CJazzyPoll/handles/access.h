/*
 * handles/: the public functions on a handle, from any thread: at once on the connection's own loop, else by an errand.
 * Not here: the protocol, ending connections.
 *
 * Finds the shard of a handle, on the shard's own thread or on any other.
 */
#ifndef JAZZY_HANDLES_ACCESS_H
#define JAZZY_HANDLES_ACCESS_H

#include <stdbool.h>

#include "shard/entry.h"
#include "connection/handle.h"
#include "shard/shard.h"

/* The shard that owns a connection, if it runs on the calling thread; else NULL. */
static inline jz_shard *jz_own_shard(jz_ws ws)
{
    jz_shard *shard = jz_current_shard;
    return shard != NULL && shard->handle_prefix == jz_handle_shard(ws) ? shard : NULL;
}

/* Private to jz_is_in_order, for when there are letters. */
bool jz_bring_in_order(jz_shard *shard);

/*
 * Whether all earlier errands of a shard are done, so that a call can act at once. Runs them, unless they are more than
 * one loop iteration may take. If the mailbox is full, runs as many more as make room for the call behind them: the
 * mailbox limit is for other threads, and must not refuse calls of handlers on this loop. On the shard's own thread.
 */
static inline bool jz_is_in_order(jz_shard *shard)
{
    return JZ_LIKELY(!jz_loop_has_letters(&shard->turn.loop)) || jz_bring_in_order(shard);
}

/*
 * jz_own_shard for calls that change something: first runs the errands that other threads have posted, so that all
 * receivers see calls in the order in which they were made, on any threads. Also returns NULL, as on another thread, if
 * there are too many errands for one iteration: the caller must then post its own behind them.
 */
static inline jz_shard *jz_own_shard_in_order(jz_ws ws)
{
    jz_shard *shard = jz_own_shard(ws);
    return shard != NULL && jz_is_in_order(shard) ? shard : NULL;
}

/* The connection whose handler the loop on this thread calls; zero: none, or another event's than a message's. */
jz_ws jz_called_here(void);

/*
 * A call for this connection waits in its loop's mailbox. If this is its own handler, nothing more is delivered to it
 * before that is done: an answer of the server's own, as to the peer's close, would come first, and what the handler
 * has said could not be sent any more.
 */
void jz_wait_for_queued(jz_ws ws);

/* The same for what a handler on this loop has said to many, perhaps to its own connection, too. */
void jz_wait_for_published(jz_shard *own, jz_ws except);

/* As jz_enter_shard, but NULL unless messages can be sent to the connection. */
jz_shard *jz_enter_open_shard(jz_ws ws);

/*
 * The shard that owns a connection, from any thread, to read what any thread may; NULL if it is gone. Unless NULL, call
 * jz_leave_reached_shard.
 */
static inline jz_shard *jz_reach_shard(jz_ws ws)
{
    jz_shard *own = jz_own_shard(ws);
    return own != NULL ? own : jz_enter_shard(ws);
}

/* Ends jz_reach_shard; the shard's own thread has not entered it. */
static inline void jz_leave_reached_shard(jz_ws ws, const jz_shard *shard)
{
    if (shard != jz_current_shard)
        jz_leave_shard(ws);
}

/*
 * The address of a connection's peer, or of the client according to a trusted proxy; false if it is gone. From any
 * thread.
 */
bool jz_reach_peer(jz_ws ws, jz_address *address);

/* Whether a connection of this shard exists and is in this state. From any thread. */
bool jz_handle_is(const jz_shard *shard, jz_ws ws, jz_visible visible);

/* Whether messages can be sent to it. */
static inline bool jz_handle_is_open(const jz_shard *shard, jz_ws ws)
{
    return jz_handle_is(shard, ws, JZ_VISIBLE_OPEN);
}

#endif
