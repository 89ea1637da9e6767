/* Starting threads. Every thread of this library is started here, with a stack whose size does not depend on where it
   runs: the default of pthreads is that of `ulimit -s` with one C library, and 128 KiB with another. */
#ifndef JAZZY_LOOP_THREAD_H
#define JAZZY_LOOP_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "jazzy/error.h"

/* What a thread is to be: `purpose` is for errors, as "an event loop". */
typedef struct jz_thread_plan {
    void *(*run)(void *context);
    const char *purpose;
    size_t stack_size; /* bytes; rounded up to whole pages */
} jz_thread_plan;

/* Fills in `thread`, which is to be joined, where it succeeds. */
jz_status jz_thread_start(pthread_t *thread, const jz_thread_plan *plan, void *context, jz_error *error);

#endif
