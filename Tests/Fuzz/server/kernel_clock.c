/* Time, chance and memory, as the kernel here gives them to the server. */
#include <errno.h>
#include <string.h>

#include "kernel_state.h"
#include "wrapped.h"

/* The real clock is read where no kernel of ours runs, as by the fuzzer itself. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    enum { NS_OF_A_LOOK = 200 };
    if (!kernel.epoll_is_open)
        return __real_clock_gettime(clock, now);
    kernel.now_ns += NS_OF_A_LOOK;
    *now = (struct timespec){.tv_sec = (time_t)(kernel.now_ns / 1000000000),
                             .tv_nsec = (long)(kernel.now_ns % 1000000000)};
    return 0;
}

time_t __wrap_time(time_t *now)
{
    if (!kernel.epoll_is_open)
        return __real_time(now);
    time_t seconds = (time_t)(kernel.now_ns / 1000000000);
    if (now != NULL)
        *now = seconds;
    return seconds;
}

/* The same in every run, so that an input shows the same each time. */
int __wrap_getentropy(void *bytes, size_t length)
{
    memset(bytes, 0x5A, length);
    return 0;
}

static bool is_refused(void)
{
    return kernel.is_in_server && kernel_fails(KERNEL_ALLOCATE);
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *bytes, size_t size)
{
    return is_refused() ? NULL : __real_realloc(bytes, size);
}
