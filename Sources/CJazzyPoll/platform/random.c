#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "platform/random.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "platform/clock.h"

/* Where it is there, it cannot fail. */
#if defined __APPLE__ || defined __FreeBSD__

uint64_t jz_random(void)
{
    uint64_t number;
    arc4random_buf(&number, sizeof number);
    return number;
}

#else

/* For a kernel that is too old for getentropy: the time, and the address at which the program was loaded. */
static uint64_t guessable(void)
{
    struct timespec now = {0};
    (void)clock_gettime(JZ_CLOCK, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return ms * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)(uintptr_t)&jz_random;
}

uint64_t jz_random(void)
{
    uint64_t number = 0;
    return getentropy(&number, sizeof number) == 0 ? number : guessable();
}

#endif
