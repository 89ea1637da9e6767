/* How long ago something was. Threads read the clock before they have the lock, so "now" may lie a little before it. */
#ifndef JAZZY_REDIS_ENVELOPE_AGE_H
#define JAZZY_REDIS_ENVELOPE_AGE_H

#include <stdint.h>

static inline uint64_t jz_redis_age_ms(uint64_t then_ms, uint64_t now_ms)
{
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

#endif
