/* The start of threads, which can be made to fail. The linker leads it here (Scripts/core.mk, --wrap). */
#ifndef JAZZY_TESTS_THREAD_CALLS_H
#define JAZZY_TESTS_THREAD_CALLS_H

#include <stddef.h>

/* Lets this many threads start, and no more: then pthread_create returns `number`. */
void test_threads_fail_after(size_t allowed, int number);
void test_threads_succeed(void);

#endif
