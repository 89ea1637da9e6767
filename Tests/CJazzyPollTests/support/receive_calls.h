/* The system call that receives. The linker leads it here (Scripts/core.mk, --wrap). */
#ifndef JAZZY_TESTS_RECEIVE_CALLS_H
#define JAZZY_TESTS_RECEIVE_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Limits the next calls of recv on other threads: the first to `sizes[0]` bytes, the next to `sizes[1]`, and so on;
 * later calls are not limited. `sizes` is borrowed until all were used, or until this is called again; a count of 0
 * ends it. Call it while no other thread receives.
 */
void test_receive_in_pieces(const size_t *sizes, size_t count);

/* Whether all sizes were used. */
bool test_received_all_pieces(void);

#endif
