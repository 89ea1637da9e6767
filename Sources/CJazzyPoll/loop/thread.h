/*
 * Every thread of this library is started here, with a stack whose size does not depend on the system: the default of
 * pthreads is `ulimit -s` with one C library, and 128 KiB with another.
 */
#ifndef JAZZY_LOOP_THREAD_H
#define JAZZY_LOOP_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "jazzy/error.h"

/* `purpose` is for error messages, for instance "an event loop". */
typedef struct jz_thread_plan {
    void *(*run)(void *context);
    const char *purpose;
    size_t stack_size; /* bytes; rounded up to whole pages */
} jz_thread_plan;

/* On success fills in `thread`, which the caller must join. */
jz_status jz_thread_start(pthread_t *thread, const jz_thread_plan *plan, void *context, jz_error *error);

#endif
