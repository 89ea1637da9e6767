#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* CLOCK_UPTIME_RAW */

#include "loop/timer.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "platform/clock.h"

uint64_t jz_clock_ns(void)
{
    struct timespec now;
    clock_gettime(JZ_CLOCK, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t jz_clock_ms(void)
{
    return jz_clock_ns() / 1000000;
}

uint64_t jz_wall_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void jz_timers_init(jz_timers *timers)
{
    memset(timers, 0, sizeof *timers);
    timers->now = jz_clock_ms() / JZ_TICK_MS;
    timers->earliest = UINT64_MAX;
}

static void link_into(jz_timer **list, jz_timer *timer)
{
    timer->next = *list;
    timer->link = list;
    if (*list != NULL)
        (*list)->link = &timer->next;
    *list = timer;
}

static void unlink_timer(jz_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    timer->link = NULL;
}

void jz_timer_set(jz_timers *timers, jz_timer *timer, uint32_t delay_ms)
{
    jz_timer_cancel(timers, timer);
    timer->tick = jz_tick_of(jz_clock_ms() + delay_ms) + 1;
    link_into(&timers->buckets[timer->tick % JZ_WHEEL_BUCKETS], timer);
    timers->count++;
    if (timer->tick < timers->earliest)
        timers->earliest = timer->tick;
}

void jz_timer_cancel(jz_timers *timers, jz_timer *timer)
{
    if (timer->link == NULL)
        return;
    unlink_timer(timer);
    timers->count--;
}

int jz_timers_wait_ms(const jz_timers *timers, uint64_t now_ms)
{
    if (timers->count == 0)
        return -1;
    uint64_t then = timers->earliest * JZ_TICK_MS;
    if (then <= now_ms)
        return 0;
    return then - now_ms < INT_MAX ? (int)(then - now_ms) : INT_MAX;
}

/* The tick of the next non-empty bucket. A lower bound: the bucket may only have timers of later rounds. */
static uint64_t earliest_after(const jz_timers *timers, uint64_t tick)
{
    if (timers->count == 0)
        return UINT64_MAX;
    for (uint64_t ahead = 1; ahead <= JZ_WHEEL_BUCKETS; ahead++) {
        if (timers->buckets[(tick + ahead) % JZ_WHEEL_BUCKETS] != NULL)
            return tick + ahead;
    }
    return tick + 1;
}

/* Moves due timers out of the buckets that the clock has passed. */
static void advance(jz_timers *timers, uint64_t now_ms)
{
    uint64_t now = now_ms / JZ_TICK_MS;
    if (now < timers->earliest) {
        timers->now = now;
        return;
    }
    uint64_t first = timers->now + 1;
    if (now - timers->now > JZ_WHEEL_BUCKETS)
        first = now - JZ_WHEEL_BUCKETS + 1;
    for (uint64_t tick = first; tick <= now; tick++) {
        jz_timer *next;
        for (jz_timer *timer = timers->buckets[tick % JZ_WHEEL_BUCKETS]; timer != NULL; timer = next) {
            next = timer->next;
            if (timer->tick <= now) {
                unlink_timer(timer);
                link_into(&timers->due, timer);
            }
        }
    }
    timers->now = now;
    timers->earliest = timers->due != NULL ? 0 : earliest_after(timers, now);
}

jz_timer *jz_timers_take_due(jz_timers *timers, uint64_t now_ms)
{
    if (timers->count == 0)
        return NULL;
    if (timers->due == NULL)
        advance(timers, now_ms);
    jz_timer *timer = timers->due;
    if (timer == NULL)
        return NULL;
    jz_timer_cancel(timers, timer);
    if (timers->due == NULL)
        timers->earliest = earliest_after(timers, timers->now);
    return timer;
}
