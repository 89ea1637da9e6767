/* The system call that receives. The linker leads it here (Scripts/core.mk, --wrap). */
#ifndef JAZZY_TESTS_RECEIVE_CALLS_H
#define JAZZY_TESTS_RECEIVE_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The next calls of recv on threads other than the one that calls this get at most so many bytes each: `sizes[0]`, then
 * `sizes[1]` and so on; those after the last get what they ask for. `sizes` is borrowed until all were used, or this is
 * called again; a count of 0 ends it. To be called while none of those threads receives.
 */
void test_receive_in_pieces(const size_t *sizes, size_t count);

/* Whether all sizes were used. */
bool test_received_all_pieces(void);

#endif
