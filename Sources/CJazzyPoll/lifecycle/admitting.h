/* A socket that was accepted, until it is a connection: let in, counted, and given to the shard that is to have it. */
#ifndef JAZZY_LIFECYCLE_ADMITTING_H
#define JAZZY_LIFECYCLE_ADMITTING_H

#include "shard/arrival.h"
#include "shard/shard.h"

/* Prepares the shard's acceptor. */
void jz_admitting_init(jz_shard *shard);

/* Makes it a connection of this shard, on its thread. Turns it away where there is no memory or descriptor for it. */
void jz_admitting_begin(jz_shard *shard, const jz_arrival *arrival);

#endif
