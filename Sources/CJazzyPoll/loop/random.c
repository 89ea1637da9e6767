#define _DEFAULT_SOURCE

#include "loop/random.h"

#include <unistd.h>

#include "loop/timer.h"

uint64_t jz_random(void)
{
    uint64_t number = 0;
    /* If the kernel is too old for it: the time, and the address at which the program was loaded. */
    if (getentropy(&number, sizeof number) != 0)
        number = jz_clock_ms() * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)(uintptr_t)&jz_random;
    return number;
}
