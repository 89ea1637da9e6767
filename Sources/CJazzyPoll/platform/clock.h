/* The clock of timers: it never goes back, and stands still while the machine sleeps. */
#ifndef JAZZY_PLATFORM_CLOCK_H
#define JAZZY_PLATFORM_CLOCK_H

#include <time.h>

/* On macOS the other one goes on while a laptop sleeps: when it wakes up, every connection would have timed out. */
#ifdef __APPLE__
#define JZ_CLOCK CLOCK_UPTIME_RAW
#else
#define JZ_CLOCK CLOCK_MONOTONIC
#endif

#endif
