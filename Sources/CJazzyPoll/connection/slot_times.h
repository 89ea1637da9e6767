/*
 * When the connections of a shard were opened and pinged. Beside the slots, because only servers with a page for
 * metrics keep it.
 */
#ifndef JAZZY_CONNECTION_SLOT_TIMES_H
#define JAZZY_CONNECTION_SLOT_TIMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct jz_slot_time {
    _Atomic uint32_t opened; /* the tick of its open event. Read by any thread */
    uint32_t pinged;         /* the jz_ping_mark of the server's last ping; 0: there is none, or it was answered */
} jz_slot_time;

/* All zero: nothing is kept. */
typedef struct jz_slot_times {
    _Atomic(jz_slot_time *) *chunks; /* each of the size of a chunk of slots, once it is needed */
    uint32_t chunk_count;            /* all behind are NULL */
} jz_slot_times;

/* False when there is no memory. */
bool jz_slot_times_init(jz_slot_times *times);
void jz_slot_times_free(jz_slot_times *times);

/* The times of a slot; NULL when they are not kept, or there is no memory. On the shard's own thread. */
jz_slot_time *jz_slot_times_at(jz_slot_times *times, uint32_t slot);

/* The same for any thread, which may read `opened` only; NULL also if they were never kept. */
const jz_slot_time *jz_slot_times_find(const jz_slot_times *times, uint32_t slot);

/* A time of the timers' clock, never 0, in units of 2^14 ns (16 µs), which begin anew after 19 hours. */
static inline uint32_t jz_ping_mark(uint64_t clock_ns)
{
    return (uint32_t)(clock_ns >> 14) | 1;
}

/* How long ago the mark was made, in nanoseconds. */
static inline uint64_t jz_since_ping(uint32_t mark, uint64_t clock_ns)
{
    return (uint64_t)(jz_ping_mark(clock_ns) - mark) << 14;
}

#endif
