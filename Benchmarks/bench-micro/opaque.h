/*
 * What keeps the compiler from doing less than was asked: from moving work out of a loop because its inputs are the
 * same each time, or from dropping it because nobody uses the result. A volatile object is the means that C17 has for
 * it.
 */
#ifndef BENCH_MICRO_OPAQUE_H
#define BENCH_MICRO_OPAQUE_H

#include <stdint.h>

/* The same pointer, of which the compiler no longer knows what it points to, nor who else has it. */
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
