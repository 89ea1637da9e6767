/* Counters that one thread writes and any thread may read: as cheap as plain integers, but reads are never torn. */
#ifndef JAZZY_LOOP_COUNT_H
#define JAZZY_LOOP_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

/* Only on the thread that writes the counter. */
static inline void jz_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount, memory_order_relaxed);
}

/* The same for a count that falls. */
static inline void jz_uncount(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) - amount, memory_order_relaxed);
}

/* From any thread. */
static inline uint64_t jz_counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
