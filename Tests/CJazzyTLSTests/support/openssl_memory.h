/*
 * OpenSSL's allocations, which can be made to fail, and are counted. It must be told before it allocates anything.
 */
#ifndef JAZZY_TLS_TESTS_OPENSSL_MEMORY_H
#define JAZZY_TLS_TESTS_OPENSSL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The first call of a program's main. */
void openssl_memory_begin(void);

/* While this is on, allocations on this thread are counted, and the one with this number (from 0 on) fails, or all from
   then on. */
void openssl_memory_fail_at(size_t number, bool and_all_after);
void openssl_memory_watch(bool is_on);

/* How many were counted since fail_at. */
size_t openssl_memory_count(void);

/* Bytes that are allocated and not freed. */
size_t openssl_memory_live(void);

/*
 * Asserts that what `derives` does, which has succeeded before, fails with each of its allocations and leaves nothing
 * behind, until none fails and it succeeds.
 */
void openssl_memory_expect_failures(bool (*derives)(void *context), void *context);

#endif
