/*
 * The pauses between attempts to connect: anything from nothing to a bound that doubles with each failure ("full
 * jitter"), so that a Redis that comes back is not met by all processes at once.
 */
#ifndef JAZZY_REDIS_LINK_BACKOFF_H
#define JAZZY_REDIS_LINK_BACKOFF_H

#include <stdint.h>

#include "jazzy/redis.h"

typedef struct jz_redis_backoff {
    uint64_t random;   /* not 0 */
    unsigned failures; /* in a row */
} jz_redis_backoff;

/* The pause after one more failure, in milliseconds. */
uint64_t jz_redis_backoff_next(jz_redis_backoff *backoff, const jz_redis_options *options);

#endif
