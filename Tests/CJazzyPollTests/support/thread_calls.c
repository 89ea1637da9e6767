#include "thread_calls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* The names are the linker's (ld, --wrap). */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);

static atomic_size_t threads_left = SIZE_MAX;
static atomic_int refusal;

void test_threads_fail_after(size_t allowed, int number)
{
    refusal = number;
    threads_left = allowed;
}

void test_threads_succeed(void)
{
    threads_left = SIZE_MAX;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context)
{
    if (threads_left != SIZE_MAX) {
        if (threads_left == 0)
            return refusal;
        threads_left--;
    }
    return __real_pthread_create(thread, attributes, run, context);
}
