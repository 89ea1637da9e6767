/* How a shard ends: draining, stopping, and cutting off the remaining connections. */
#ifndef JAZZY_LIFECYCLE_ENDING_H
#define JAZZY_LIFECYCLE_ENDING_H

#include "connection/connection.h"
#include "shard/shard.h"

/* Follows requests to stop or drain. At the end of each loop iteration; returns whether there is another. */
bool jz_ending_goes_on(jz_shard *shard);

/* The loop's poll has failed for good: the shard ends at once, and the server stops. `reason` is an errno. */
void jz_ending_fail(jz_shard *shard, int reason);

/* The shard's end_timer has expired. */
void jz_ending_expired(jz_shard *shard);

/* Counts how a connection ended, while the server stops. */
void jz_ending_count(jz_shard *shard, const jz_connection *connection);

#endif
