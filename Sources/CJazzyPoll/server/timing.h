/* Distributions of times as they are told to the application. */
#ifndef JAZZY_SERVER_TIMING_H
#define JAZZY_SERVER_TIMING_H

#include "jazzy/times.h"
#include "loop/histogram.h"
#include "shard/shard.h"

/* No times, with these bounds; the same with more times. */
void jz_times_begin(jz_times *times, const jz_bounds *bounds);
void jz_times_add(jz_times *times, const jz_distribution *distribution);

/* Of one loop, from any thread. */
void jz_times_of_loop(const jz_shard *shard, jz_times *iterations, jz_times *lateness);

#endif
