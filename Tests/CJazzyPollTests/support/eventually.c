#define _POSIX_C_SOURCE 200809L

#include "eventually.h"

#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t test_deadline(void)
{
    return now_ms() + TEST_DEADLINE_MS;
}

bool test_is_before(uint64_t deadline)
{
    return now_ms() < deadline;
}

bool test_pause_before(uint64_t deadline)
{
    const struct timespec moment = {.tv_nsec = 500000};
    nanosleep(&moment, NULL);
    return test_is_before(deadline);
}
