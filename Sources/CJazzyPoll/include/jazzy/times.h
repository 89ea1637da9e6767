/* How long things take in a server: distributions of times, for its operator. */
#ifndef JAZZY_TIMES_H
#define JAZZY_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "server.h"

JZ_BEGIN_DECLARATIONS

/* What is timed. All but the first only with jz_server_measure, or with a page for metrics. */
typedef enum jz_timing {
    JZ_TIMING_ITERATION, /* iterations of loops */
    JZ_TIMING_LATENESS,  /* how late loops run what is due, ten times a second */
    JZ_TIMING_HANDLER,   /* handlers, for about one text or binary message of 64 */
    JZ_TIMING_WEBSOCKET, /* WebSockets, from the open event to the close event */
    JZ_TIMING_PING,      /* from pings that the server sends by itself until the pong has come */
    JZ_TIMING_COUNT
} jz_timing;

#define JZ_MOST_BUCKETS 16

/* A histogram: how many times fell between which bounds. All counts are since the server was created. */
typedef struct jz_times {
    size_t bucket_count;
    uint64_t bounds[JZ_MOST_BUCKETS]; /* upper bounds, included, ascending, in nanoseconds; the last is UINT64_MAX */
    uint64_t counts[JZ_MOST_BUCKETS]; /* of each bucket alone */
    uint64_t sum;                     /* of all times, in nanoseconds */
} jz_times;

/* Fills in the times of all loops, and of all routes. From any thread, without waiting for a loop. */
JZ_PUBLIC void jz_server_times(const jz_server *server, jz_timing timing, jz_times *times);

/* How many times there are. */
JZ_PUBLIC uint64_t jz_times_count(const jz_times *times);

/*
 * What was added to `times` since `before`, which is of the same timing and the same server: for figures of the last
 * second. `before` may be `times`.
 */
JZ_PUBLIC jz_times jz_times_since(const jz_times *times, const jz_times *before);

/*
 * The time, in nanoseconds, that `percent` of all do not exceed, as far as the bounds tell: between two bounds it is
 * interpolated, and a time above the highest finite bound is told as that bound. 50 is the median; 100 the upper bound
 * of the longest. 0 if there are none.
 */
JZ_PUBLIC uint64_t jz_times_percentile(const jz_times *times, double percent);

/*
 * Lets the server measure times, as it does if it has a page for metrics (see jz_server_route_metrics), before it runs.
 * INVALID_STATE: it runs already.
 */
JZ_PUBLIC jz_status jz_server_measure(jz_server *server, jz_error *error);

JZ_END_DECLARATIONS

#endif
