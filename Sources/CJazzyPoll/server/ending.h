/* How a shard comes to its end: draining, stopping, and cutting off what is left. */
#ifndef JAZZY_SERVER_ENDING_H
#define JAZZY_SERVER_ENDING_H

#include "connection.h"
#include "shard.h"

/* Whether the server stops, and all its connections have been told so, or are as soon as their loops can. */
bool jz_ending_has_told_all(const jz_server *server);

/* Follows what was asked of the server. At the end of each turn; returns whether there is another. */
bool jz_ending_goes_on(jz_shard *shard);

/* The loop cannot wait any more: all of the shard ends at once, and the server stops. `reason` is an errno. */
void jz_ending_fail(jz_shard *shard, int reason);

/* The shard's end_timer has expired. */
void jz_ending_expired(jz_shard *shard);

/* How long a connection that ends may take, in milliseconds. */
uint32_t jz_ending_close_timeout(const jz_shard *shard);

/* Whether the server drains and nobody is left, nor can anybody come. It stays so. From any thread. */
bool jz_ending_has_drained(const jz_server *server);

/* One that the admission has let in has gone: the last wakes who waits for that. From any thread. */
void jz_ending_leave(jz_server *server, bool is_handshake);

/* A connection ends for good: counted, where the server stops. */
void jz_ending_count(jz_shard *shard, const jz_connection *connection);

#endif
