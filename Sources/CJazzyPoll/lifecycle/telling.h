/* Tells connections that their server stops: all at once, or spread over a time. */
#ifndef JAZZY_LIFECYCLE_TELLING_H
#define JAZZY_LIFECYCLE_TELLING_H

#include "shard/shard.h"

/* Ends connections that are not WebSockets, and begins to tell the others. Outside of handlers, like all of these. */
void jz_telling_begin(jz_shard *shard);

/* Tells the connections whose time has come. */
void jz_telling_go_on(jz_shard *shard);

/*
 * Call in each iteration: the remaining connections may have ended, or a call may have shortened the time. Returns
 * whether one has.
 */
bool jz_telling_follow(jz_shard *shard);

/* Tells all remaining connections now. */
void jz_telling_finish(jz_shard *shard);

#endif
