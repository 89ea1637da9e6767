#include "loop/histogram.h"

size_t jz_bounds_place(const jz_bounds *bounds, uint64_t ns)
{
    size_t place = 0;
    while (place < bounds->count && ns > bounds->bounds[place])
        place++;
    return place;
}

void jz_histogram_observe(jz_histogram *histogram, const jz_bounds *bounds, uint64_t ns)
{
    atomic_fetch_add_explicit(&histogram->counts[jz_bounds_place(bounds, ns)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, ns, memory_order_relaxed);
}

jz_distribution jz_histogram_read(const jz_histogram *histogram)
{
    jz_distribution read;
    for (size_t i = 0; i <= JZ_MOST_BOUNDS; i++)
        read.counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    read.sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
    return read;
}
