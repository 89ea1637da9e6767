#include "link/backoff.h"

#include <limits.h>

/* xorshift64 (G. Marsaglia): it only spreads the attempts of many processes. */
static uint64_t next_random(jz_redis_backoff *backoff)
{
    backoff->random ^= backoff->random << 13;
    backoff->random ^= backoff->random >> 7;
    backoff->random ^= backoff->random << 17;
    return backoff->random;
}

uint64_t jz_redis_backoff_next(jz_redis_backoff *backoff, const jz_redis_options *options)
{
    uint64_t bound = options->backoff_least_ms;
    if (backoff->failures < UINT_MAX)
        backoff->failures++;
    for (unsigned i = 1; i < backoff->failures && bound < options->backoff_most_ms; i++)
        bound *= 2;
    if (bound > options->backoff_most_ms)
        bound = options->backoff_most_ms;
    return next_random(backoff) % (bound + 1);
}
