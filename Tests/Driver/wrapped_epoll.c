/* Readiness by epoll, with faults. */
#define _GNU_SOURCE

#include <errno.h>
#include <sys/epoll.h>

#include "faults_state.h"
#include "wrapped.h"

WRAPPED(int, epoll_ctl, int epoll, int operation, int descriptor, struct epoll_event *event);
WRAPPED(int, epoll_wait, int epoll, struct epoll_event *events, int most, int timeout);

int __wrap_epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
    if (operation == EPOLL_CTL_ADD && faults_happens(faults_now.broken)) {
        faults_note_broken(descriptor);
        return wrapped_failing(ENOMEM);
    }
    return __real_epoll_ctl(epoll, operation, descriptor, event);
}

static void shuffle(struct epoll_event *events, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int other = (int)faults_chance((size_t)i + 1);
        struct epoll_event event = events[i];
        events[i] = events[other];
        events[other] = event;
    }
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    wrapped_unpoison();
    if (faults_happens(faults_now.interrupted))
        return wrapped_failing(EINTR);
    int count = __real_epoll_wait(epoll, events, (int)wrapped_shortened((size_t)most), timeout);
    if (count > 1 && faults_now.shortened > 0)
        shuffle(events, count);
    return count;
}
