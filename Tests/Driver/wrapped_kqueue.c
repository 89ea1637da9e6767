/* Readiness by kqueue, with faults. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdbool.h>
#include <sys/event.h>

#include "faults_state.h"
#include "wrapped.h"

WRAPPED(int, kevent, int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
        const struct timespec *timeout);

/* Whether the kernel is to have no memory for a descriptor that is added. */
static bool is_refused(const struct kevent *change)
{
    bool is_adding = change->filter == EVFILT_READ && (change->flags & EV_ADD) != 0;
    if (!is_adding || !faults_happens(faults_now.broken))
        return false;
    faults_note_broken((int)change->ident);
    return true;
}

/* Whether it is to have none for the last change of a wait, a filter of output. */
static bool is_last_refused(const struct kevent *changes, int count)
{
    const struct kevent *last = count > 0 ? &changes[count - 1] : NULL;
    return last != NULL && last->filter == EVFILT_WRITE && (last->flags & EV_ADD) != 0 &&
           faults_happens(faults_now.broken);
}

static void shuffle(struct kevent *events, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int other = (int)faults_chance((size_t)i + 1);
        struct kevent event = events[i];
        events[i] = events[other];
        events[other] = event;
    }
}

int __wrap_kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
                  const struct timespec *timeout)
{
    if (change_count > 0 && (changes[0].flags & EV_RECEIPT) != 0) {
        if (is_refused(&changes[0]))
            return wrapped_failing(ENOMEM);
        return __real_kevent(queue, changes, change_count, events, event_count, timeout);
    }
    if (event_count == 0)
        return __real_kevent(queue, changes, change_count, events, event_count, timeout);
    wrapped_unpoison();
    if (is_last_refused(changes, change_count)) {
        struct kevent refused = changes[change_count - 1];
        refused.flags |= EV_ERROR;
        refused.data = ENOMEM;
        int result = __real_kevent(queue, changes, change_count - 1, NULL, 0, NULL);
        events[0] = refused;
        return result == 0 ? 1 : result;
    }
    if (faults_happens(faults_now.interrupted)) {
        /* "All changes in the changelist have been applied." A refusal comes before. */
        static const struct timespec at_once = {0};
        int count = __real_kevent(queue, changes, change_count, events, event_count, &at_once);
        return count != 0 ? count : wrapped_failing(EINTR);
    }
    int most = (int)wrapped_shortened((size_t)event_count);
    int count = __real_kevent(queue, changes, change_count, events, most < change_count ? change_count : most, timeout);
    if (count > 1 && faults_now.shortened > 0)
        shuffle(events, count);
    return count;
}
