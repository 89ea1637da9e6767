/*
 * lifecycle/: how one loop drives its connections: admit, read, deliver events, settle, time out, release. Not here:
 * public functions.
 *
 * The loop of a shard: what is ready, what was asked, what is due, and what is sent at the end of each turn.
 */
#ifndef JAZZY_LIFECYCLE_SHARD_LOOP_H
#define JAZZY_LIFECYCLE_SHARD_LOOP_H

#include "shard/shard.h"

jz_status jz_shard_init(jz_shard *shard, jz_server *server, uint8_t number, uint32_t first_generation, jz_error *error);

/* Returns a generation higher than that of every handle made here. Connections that are left are ended, silently. */
uint32_t jz_shard_destroy(jz_shard *shard);

/* Turns the loop on the calling thread until the server is stopped and every connection has ended. */
void jz_shard_run(jz_shard *shard);

/* Flushes what was written to, and does what is due to it, until nothing is. */
void jz_shard_settle_dirty(jz_shard *shard);

#endif
