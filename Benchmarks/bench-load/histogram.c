#include "histogram.h"

#include <string.h>

/* Values below HISTOGRAM_DIVISIONS have a bucket each. */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift = 0;
    for (uint64_t rest = value >> HISTOGRAM_DIVISION_BITS; rest > 0; rest >>= 1)
        shift++;
    if (shift == 0)
        return (unsigned)value;
    /* The shift determines the top bit of the value; the next HISTOGRAM_DIVISION_BITS select the division. */
    unsigned division = (unsigned)(value >> (shift - 1)) & (HISTOGRAM_DIVISIONS - 1);
    return shift * HISTOGRAM_DIVISIONS + division;
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned bucket)
{
    unsigned shift = bucket / HISTOGRAM_DIVISIONS;
    uint64_t division = bucket % HISTOGRAM_DIVISIONS;
    if (shift == 0)
        return division;
    uint64_t width = UINT64_C(1) << (shift - 1);
    return (HISTOGRAM_DIVISIONS + division) * width + width / 2;
}

void histogram_clear(histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void histogram_record(histogram *histogram, uint64_t value, uint64_t times)
{
    histogram->buckets[bucket_of(value)] += times;
    histogram->count += times;
    if (value > histogram->maximum)
        histogram->maximum = value;
}

uint64_t histogram_quantile(const histogram *histogram, double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)histogram->count);
    if (wanted < 1)
        wanted = 1;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= wanted) {
            uint64_t value = value_of(bucket);
            return value < histogram->maximum ? value : histogram->maximum;
        }
    }
    return 0;
}
