/* The system calls that send. The linker leads them here (Scripts/core.mk, --wrap). */
#ifndef JAZZY_TESTS_SEND_CALLS_H
#define JAZZY_TESTS_SEND_CALLS_H

#include <stddef.h>

/* How often send and sendmsg were called since the program began, also by clients. */
size_t test_send_count(void);

#endif
