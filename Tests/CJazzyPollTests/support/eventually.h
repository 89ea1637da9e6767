/* Waiting for what other threads and the kernel do: looking again and again, up to a deadline. */
#ifndef JAZZY_TESTS_EVENTUALLY_H
#define JAZZY_TESTS_EVENTUALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "testing.h"

enum { TEST_DEADLINE_MS = 20000 };

/* The time at which waiting that begins now has lasted too long. */
uint64_t test_deadline(void);

bool test_is_before(uint64_t deadline);

/* Lets a moment pass. False when the deadline has passed. */
bool test_pause_before(uint64_t deadline);

#define assert_eventually(condition)                                                                                   \
    do {                                                                                                               \
        uint64_t deadline_ = test_deadline();                                                                          \
        while (!(condition))                                                                                           \
            assert_that(test_pause_before(deadline_), "in vain: %s", #condition);                                      \
    } while (0)

/* Keeps a handler, which may not assert, as long as the condition holds, but not beyond a deadline. */
#define test_hold_while(condition)                                                                                     \
    do {                                                                                                               \
        uint64_t deadline_ = test_deadline();                                                                          \
        while ((condition) && test_pause_before(deadline_))                                                            \
            continue;                                                                                                  \
    } while (0)

#endif
