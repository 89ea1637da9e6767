/* When connections are told that their server stops: all at once, or spread over a time. */
#ifndef JAZZY_LIFECYCLE_TELLING_H
#define JAZZY_LIFECYCLE_TELLING_H

#include "shard/shard.h"

/* Ends at once what is no WebSocket, and begins to tell the others. Outside of handlers, as all of these. */
void jz_telling_begin(jz_shard *shard);

/* Tells those whose time has come. */
void jz_telling_go_on(jz_shard *shard);

/* Those who were left may have left, or somebody asked for a shorter time: returns whether he has. In each turn. */
bool jz_telling_follow(jz_shard *shard);

/* Tells all the rest, now. Returns whether there may be any. */
bool jz_telling_finish(jz_shard *shard);

#endif
