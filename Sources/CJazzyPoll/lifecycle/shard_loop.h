/*
 * lifecycle/: how one loop drives its connections: admit, read, deliver events, settle, time out, release. Not here:
 * public functions.
 *
 * The loop of a shard: readiness, letters, timers, and sending at the end of each iteration.
 */
#ifndef JAZZY_LIFECYCLE_SHARD_LOOP_H
#define JAZZY_LIFECYCLE_SHARD_LOOP_H

#include "shard/shard.h"

jz_status jz_shard_init(jz_shard *shard, jz_server *server, uint8_t number, uint32_t first_generation, jz_error *error);

/*
 * Returns a generation that is higher than in every handle of this shard. Remaining connections are ended without
 * events.
 */
uint32_t jz_shard_destroy(jz_shard *shard);

/* Runs the loop on the calling thread until the server is stopped and every connection has ended. */
void jz_shard_run(jz_shard *shard);

/*
 * The server gets a broker, whose owner of topics this is. From now on the broker is flushed at the end of each
 * iteration in which it was passed publications; without one, iterations do nothing for it. Before the loop runs.
 */
void jz_shard_join(jz_shard *shard, const jz_topics_owner *owner);

/* Settles all dirty connections, until there are none. */
void jz_shard_settle_dirty(jz_shard *shard);

#endif
