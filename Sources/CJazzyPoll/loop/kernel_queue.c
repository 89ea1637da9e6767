#define _DEFAULT_SOURCE

#include "loop/kernel_queue.h"

#if JZ_POLL_BY_KQUEUE

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { WAKE = 0 };

int jz_kernel_queue_apply(int queue, struct kevent *changes, int count)
{
    static const struct timespec at_once = {0};
    for (int i = 0; i < count; i++)
        changes[i].flags |= EV_RECEIPT;
    if (kevent(queue, changes, count, changes, count, &at_once) < 0)
        return errno;
    int refusal = 0;
    for (int i = count - 1; i >= 0; i--)
        refusal = changes[i].data != 0 ? (int)changes[i].data : refusal;
    return refusal;
}

int jz_kernel_queue_open(void)
{
    int queue = kqueue();
    if (queue < 0)
        return -1;
    /* A program that takes our place would inherit it. */
    fcntl(queue, F_SETFD, FD_CLOEXEC);
    struct kevent wakes = jz_kernel_queue_change(WAKE, EVFILT_USER, EV_ADD | EV_CLEAR);
    int refusal = jz_kernel_queue_apply(queue, &wakes, 1);
    if (refusal == 0)
        return queue;
    close(queue);
    errno = refusal;
    return -1;
}

void jz_kernel_queue_wake(int queue)
{
    int errno_before = errno; /* this may run in a signal handler, which must not change errno */
    struct kevent wake = jz_kernel_queue_change(WAKE, EVFILT_USER, 0);
    wake.fflags = NOTE_TRIGGER;
    kevent(queue, &wake, 1, NULL, 0, NULL);
    errno = errno_before;
}

#endif
