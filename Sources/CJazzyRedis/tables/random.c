#define _DEFAULT_SOURCE

#include "tables/random.h"

#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

uint64_t jz_redis_random(void)
{
    uint64_t number = 0;
    if (getentropy(&number, sizeof number) == 0)
        return number;
    /* If the kernel is too old for it: the time, the process, and the address at which the program was loaded. */
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 40) *
               UINT64_C(0x9E3779B97F4A7C15) ^
           (uint64_t)(uintptr_t)&jz_redis_random;
}
