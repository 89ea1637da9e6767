/* The clocks that the code under test reads, which a test may stop and set. The linker leads them here. */
#ifndef JAZZY_TESTS_CLOCK_H
#define JAZZY_TESTS_CLOCK_H

#include <stdint.h>

/* From now on clock_gettime returns this time, in milliseconds, until it is advanced. */
void test_clock_stop(uint64_t now_ms);
void test_clock_advance(uint64_t by_ms);
void test_clock_advance_ns(uint64_t by_ns);

/*
 * From now on the clock that is not stopped is later by so much more, in milliseconds; the clock on the wall, which has
 * a shift of its own, perhaps earlier.
 */
void test_clock_jump(uint64_t by_ms);
void test_wall_clock_jump(int64_t by_ms);

/* From now on time returns this number of seconds since 1970. */
void test_date_stop(int64_t now_seconds);

/* The real monotonic clock. */
uint64_t test_real_clock_ms(void);

/* Both return the real time again. */
void test_clocks_run(void);

#endif
