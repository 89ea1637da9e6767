/* Doing what a loop was asked by an errand. */
#ifndef JAZZY_LIFECYCLE_ERRAND_RUNNER_H
#define JAZZY_LIFECYCLE_ERRAND_RUNNER_H

#include "shard/errand.h"
#include "shard/shard.h"

/*
 * Does what a letter asks, on the shard's own thread, and frees it. A handler may be running, which asks for something
 * itself: what may call the application (the log, the release of a state) is left for jz_errand_run_later.
 */
void jz_errand_run(jz_shard *shard, jz_letter *letter);
void jz_errand_run_later(jz_shard *shard, jz_letter *letter);

#endif
