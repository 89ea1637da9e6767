/*
 * Many coarse timers, each O(1) to set and to cancel: a hashed wheel (Varghese and Lauck, "Hashed and hierarchical
 * timing wheels", 1987, scheme 6) of one-tick buckets.
 */
#ifndef JAZZY_LOOP_TIMER_H
#define JAZZY_LOOP_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JZ_TICK_MS = 50, /* a timer fires up to one tick late, never early */
    JZ_WHEEL_BUCKETS = 512
};

/* Embedded in what it times. All zero is a timer that is not set. */
typedef struct jz_timer {
    struct jz_timer *next;
    struct jz_timer **link; /* what points to this timer; NULL when it is not set */
    uint32_t tick;          /* in units of JZ_TICK_MS since the clock began: enough for six years */
    uint32_t tag;           /* for the owner; the timers do not use it */
} jz_timer;

typedef struct jz_timers {
    jz_timer *buckets[JZ_WHEEL_BUCKETS];
    jz_timer *due;
    uint64_t now;      /* the tick up to which timers have fired */
    uint64_t earliest; /* no timer is set for an earlier tick; 0 while some are due */
    uint32_t count;
} jz_timers;

/* The clock of all timers, monotonic: in nanoseconds, in milliseconds, and in ticks. */
uint64_t jz_clock_ns(void);
uint64_t jz_clock_ms(void);

/* The clock on the wall: milliseconds since 1970. It may be set, so nothing is measured by it. */
uint64_t jz_wall_clock_ms(void);

static inline uint32_t jz_tick_of(uint64_t clock_ms)
{
    return (uint32_t)(clock_ms / JZ_TICK_MS);
}

void jz_timers_init(jz_timers *timers);

/* Sets a timer to fire in `delay_ms`; a timer that is already set is moved. */
void jz_timer_set(jz_timers *timers, jz_timer *timer, uint32_t delay_ms);
void jz_timer_cancel(jz_timers *timers, jz_timer *timer);

static inline bool jz_timer_is_set(const jz_timer *timer)
{
    return timer->link != NULL;
}

/* How long a wait that begins at `now_ms` may last before the next timer is due, in milliseconds; -1: none is set. */
int jz_timers_wait_ms(const jz_timers *timers, uint64_t now_ms);

/* Takes one timer that is due at `now_ms`; NULL if there is none. Timers may be set and cancelled between two calls. */
jz_timer *jz_timers_take_due(jz_timers *timers, uint64_t now_ms);

#endif
