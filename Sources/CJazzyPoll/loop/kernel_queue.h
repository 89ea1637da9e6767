/* The kernel's queue of events, where there is kqueue: as much of it as kqueue.c needs. */
#ifndef JAZZY_LOOP_KERNEL_QUEUE_H
#define JAZZY_LOOP_KERNEL_QUEUE_H

#include "loop/poll.h"

#if JZ_POLL_BY_KQUEUE

#include <sys/types.h>

#include <sys/event.h>

static inline struct kevent jz_kernel_queue_change(int descriptor, short filter, unsigned short flags)
{
    return (struct kevent){.ident = (uintptr_t)descriptor, .filter = filter, .flags = flags};
}

/* A new queue, which can be woken; -1: errno says why. A child that is forked does not have it. */
int jz_kernel_queue_open(void);

/* Makes changes at once. Returns 0, or the first refusal, an errno. Pending events stay where they are. */
int jz_kernel_queue_apply(int queue, struct kevent *changes, int count);

/* Adds an event that tells nothing. From any thread and from signal handlers. */
void jz_kernel_queue_wake(int queue);

#endif

#endif
