#define _POSIX_C_SOURCE 200809L

#include "clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/* The names are the linker's (ld, --wrap). */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
time_t __real_time(time_t *now);
time_t __wrap_time(time_t *now);

static atomic_bool clock_is_stopped;
static _Atomic uint64_t clock_ns;
static _Atomic uint64_t clock_is_late_by_ms;
static _Atomic int64_t wall_clock_is_late_by_ms;
static atomic_bool date_is_stopped;
static _Atomic int64_t date_seconds;

void test_clock_stop(uint64_t now_ms)
{
    clock_ns = now_ms * 1000000;
    clock_is_stopped = true;
}

void test_clock_advance(uint64_t by_ms)
{
    clock_ns += by_ms * 1000000;
}

void test_clock_advance_ns(uint64_t by_ns)
{
    clock_ns += by_ns;
}

void test_clock_jump(uint64_t by_ms)
{
    clock_is_late_by_ms += by_ms;
}

void test_wall_clock_jump(int64_t by_ms)
{
    wall_clock_is_late_by_ms += by_ms;
}

uint64_t test_real_clock_ms(void)
{
    struct timespec now;
    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void test_date_stop(int64_t now_seconds)
{
    date_seconds = now_seconds;
    date_is_stopped = true;
}

void test_clocks_run(void)
{
    clock_is_stopped = false;
    date_is_stopped = false;
    clock_is_late_by_ms = 0;
    wall_clock_is_late_by_ms = 0;
}

static int late(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);
    int64_t by_ms = clock == CLOCK_REALTIME ? wall_clock_is_late_by_ms : (int64_t)clock_is_late_by_ms;
    if (by_ms == 0)
        return result;
    int64_t ns = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + by_ms * 1000000;
    *now = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    return result;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!clock_is_stopped)
        return late(clock, now);
    uint64_t ns = clock_ns;
    *now = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    return 0;
}

time_t __wrap_time(time_t *now)
{
    if (!date_is_stopped)
        return __real_time(now);
    time_t seconds = (time_t)date_seconds;
    if (now != NULL)
        *now = seconds;
    return seconds;
}
