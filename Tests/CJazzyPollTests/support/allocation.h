/* Allocations that fail when a test wants them to. The linker leads every allocation here (core.mk, --wrap). */
#ifndef JAZZY_TESTS_ALLOCATION_H
#define JAZZY_TESTS_ALLOCATION_H

#include <stddef.h>

/* The next `count` allocations succeed, all after them fail, until test_allocations_succeed. */
void test_allocations_fail_after(size_t count);

void test_allocations_succeed(void);

/* How many allocations, successful or not, were asked for since the program began. */
size_t test_allocation_count(void);

#endif
