/* Watches open WebSockets: whether the peer is still there, and the maximum lifetime. */
#ifndef JAZZY_LIFECYCLE_WATCH_H
#define JAZZY_LIFECYCLE_WATCH_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Begins with the open event. There is one timer for each connection; received bytes only record their time. */
void jz_watch_begin(jz_shard *shard, jz_connection *connection);

/* The socket is writable again: the peer has taken much of its output. */
void jz_watch_note_taken(jz_shard *shard, jz_connection *connection);

/* Restarts the timer, after an answer that was found at the last moment. */
void jz_watch_go_on(jz_shard *shard, jz_connection *connection);

/* Sets the timer to `delay_ms` from now, or to the end of the lifetime if that is earlier; JZ_NEVER: only to that. */
void jz_watch_wait(jz_shard *shard, jz_connection *connection, uint32_t delay_ms);

typedef enum jz_watch_verdict {
    JZ_WATCH_GOES_ON, /* the timer was restarted; a ping may have been sent */
    JZ_WATCH_IS_IDLE, /* nothing was received, not even the pong */
    JZ_WATCH_IS_OLD   /* its lifetime is over */
} jz_watch_verdict;

/* The timer of an open WebSocket has expired. */
jz_watch_verdict jz_watch_expired(jz_shard *shard, jz_connection *connection);

#endif
