/*
 * Counts of latencies in log-linear buckets: each power of two is divided into 128 equal ones, so that a value read
 * from it is off by less than 1 %.
 */
#ifndef JAZZY_BENCH_HISTOGRAM_H
#define JAZZY_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_DIVISION_BITS = 7,
    HISTOGRAM_DIVISIONS = 1 << HISTOGRAM_DIVISION_BITS,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_DIVISION_BITS + 1) * HISTOGRAM_DIVISIONS
};

typedef struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t maximum; /* exact */
} histogram;

void histogram_clear(histogram *histogram);
void histogram_record(histogram *histogram, uint64_t value, uint64_t times);

/* The value that the part `quantile` (0 to 1) of all values does not exceed; 0 when there is none. */
uint64_t histogram_quantile(const histogram *histogram, double quantile);

#endif
