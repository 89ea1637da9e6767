/*
 * Histograms of times: how many fell between which bounds. Any thread may add to one, and any thread may read it. Each
 * addition costs a few locked instructions, so what happens for every message is only sampled.
 */
#ifndef JAZZY_LOOP_HISTOGRAM_H
#define JAZZY_LOOP_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { JZ_MOST_BOUNDS = 15 };

/* The upper bounds of a histogram's buckets, ascending, in nanoseconds. Above the last there is one more bucket. */
typedef struct jz_bounds {
    size_t count;
    uint64_t bounds[JZ_MOST_BOUNDS];
} jz_bounds;

/* All zero: nothing was observed. */
typedef struct jz_histogram {
    _Atomic uint64_t counts[JZ_MOST_BOUNDS + 1]; /* of each bucket alone */
    _Atomic uint64_t sum;                        /* nanoseconds */
} jz_histogram;

/* What a histogram had when it was read. */
typedef struct jz_distribution {
    uint64_t counts[JZ_MOST_BOUNDS + 1];
    uint64_t sum;
} jz_distribution;

/* The bucket of a time: of the first bound that is not less. */
size_t jz_bounds_place(const jz_bounds *bounds, uint64_t ns);

void jz_histogram_observe(jz_histogram *histogram, const jz_bounds *bounds, uint64_t ns);

jz_distribution jz_histogram_read(const jz_histogram *histogram);

#endif
