/*
 * Makes allocations fail when a test wants it, and counts them. The linker redirects every allocation of the program to
 * this (Scripts/core.mk, --wrap); zlib's allocations come here, too (zlib_calls.c).
 */
#ifndef JAZZY_TESTS_ALLOCATION_H
#define JAZZY_TESTS_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>

/* The next `count` allocations succeed, all after them fail, until test_allocations_succeed. */
void test_allocations_fail_after(size_t count);

/* The next `count` allocations succeed, the one after them fails, and all after that one succeed. */
void test_allocation_fails_once_after(size_t count);

/* From here on allocations succeed. Returns how many were made to fail since that was asked for. */
size_t test_allocations_succeed(void);

/* From here on munmap fails, or does not. */
void test_unmapping_fails(bool fails);

/* How many allocations, successful or not, and of how many bytes, were asked for since the program began. */
size_t test_allocation_count(void);
size_t test_allocated_bytes(void);

/* How many pieces of memory are allocated and not freed, by this program and not by libraries. */
size_t test_live_allocations(void);

/* How many bytes these have, and had at most since this was asked last. */
size_t test_live_bytes(void);
size_t test_most_live_bytes(void);

#endif
