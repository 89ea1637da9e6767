#define _POSIX_C_SOURCE 200809L

#include "eventually.h"

#include <time.h>

#include "clock.h"

uint64_t test_deadline(void)
{
    return test_real_clock_ms() + TEST_DEADLINE_MS;
}

bool test_is_before(uint64_t deadline)
{
    return test_real_clock_ms() < deadline;
}

bool test_pause_before(uint64_t deadline)
{
    const struct timespec moment = {.tv_nsec = 500000};
    nanosleep(&moment, NULL);
    return test_is_before(deadline);
}
