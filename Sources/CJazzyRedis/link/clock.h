/* The time that only goes forward. Needs _POSIX_C_SOURCE. */
#ifndef JAZZY_REDIS_LINK_CLOCK_H
#define JAZZY_REDIS_LINK_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t jz_redis_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline uint64_t jz_redis_now_ms(void)
{
    return jz_redis_now_us() / 1000;
}

#endif
