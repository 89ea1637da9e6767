/* From an accepted socket to a connection: lets it in, counts it, and gives it to its shard. */
#ifndef JAZZY_LIFECYCLE_ADMITTING_H
#define JAZZY_LIFECYCLE_ADMITTING_H

#include "shard/arrival.h"
#include "shard/shard.h"

/* Prepares the shard's acceptor. */
void jz_admitting_init(jz_shard *shard);

/* Makes it a connection of this shard, on the shard's thread. Turns it away if there is no memory or descriptor. */
void jz_admitting_begin(jz_shard *shard, const jz_arrival *arrival);

#endif
