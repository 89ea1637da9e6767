/*
 * Prevents the compiler from moving work out of a loop because its inputs do not change, or from removing it because
 * the result is not used. In C17 a volatile object does this.
 */
#ifndef BENCH_MICRO_OPAQUE_H
#define BENCH_MICRO_OPAQUE_H

#include <stdint.h>

/* The same pointer, about which the compiler no longer knows anything. */
static inline void *opaque(void *pointer)
{
    void *volatile hidden = pointer;
    return hidden;
}

static inline const void *opaque_const(const void *pointer)
{
    const void *volatile hidden = pointer;
    return hidden;
}

/* A result that counts as used. */
static inline void consume(uint64_t result)
{
    volatile uint64_t sink = result;
    (void)sink;
}

#endif
