/* How a shard comes to its end: draining, stopping, and cutting off what is left. */
#ifndef JAZZY_LIFECYCLE_ENDING_H
#define JAZZY_LIFECYCLE_ENDING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Follows what was asked of the server. At the end of each turn; returns whether there is another. */
bool jz_ending_goes_on(jz_shard *shard);

/* The loop cannot wait any more: all of the shard ends at once, and the server stops. `reason` is an errno. */
void jz_ending_fail(jz_shard *shard, int reason);

/* The shard's end_timer has expired. */
void jz_ending_expired(jz_shard *shard);

/* A connection ends for good: counted, where the server stops. */
void jz_ending_count(jz_shard *shard, const jz_connection *connection);

#endif
