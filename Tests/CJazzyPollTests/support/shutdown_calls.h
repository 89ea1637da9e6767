/* The system call that shuts a socket down. The linker leads it here (Scripts/core.mk, --wrap). */
#ifndef JAZZY_TESTS_SHUTDOWN_CALLS_H
#define JAZZY_TESTS_SHUTDOWN_CALLS_H

#include <stddef.h>

/* How often it was called so far, by any thread. */
size_t test_shutdown_calls(void);

#endif
