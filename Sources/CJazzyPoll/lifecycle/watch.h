/* Watching over open WebSockets: whether the peer is still there, and for how long it may stay. */
#ifndef JAZZY_LIFECYCLE_WATCH_H
#define JAZZY_LIFECYCLE_WATCH_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Begins with the open event. One timer for each connection: what comes only leaves the time at which it came. */
void jz_watch_begin(jz_shard *shard, jz_connection *connection);

/* The socket is writable: the peer has taken much of what waited for it. */
void jz_watch_note_taken(jz_shard *shard, jz_connection *connection);

/* Sets the timer anew, after an answer that was found in the last moment. */
void jz_watch_go_on(jz_shard *shard, jz_connection *connection);

typedef enum jz_watch_verdict {
    JZ_WATCH_GOES_ON, /* the timer was set anew; a ping may have been sent */
    JZ_WATCH_IS_IDLE, /* nothing came, not even the answer to the ping */
    JZ_WATCH_IS_OLD   /* its lifetime is over */
} jz_watch_verdict;

/* The timer of an open WebSocket has expired. */
jz_watch_verdict jz_watch_expired(jz_shard *shard, jz_connection *connection);

#endif
