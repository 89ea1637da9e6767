/* Adding, changing, removing and taking events. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "queue.h"

enum { ACTIONS = EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE };

static void leave_line(queue *queue, knote *knote)
{
    if (knote->is_active)
        TAILQ_REMOVE(&queue->line, knote, line);
    knote->is_active = false;
}

static void join_line(queue *queue, knote *knote)
{
    static const uint64_t one = 1;
    if (knote->is_active)
        return;
    knote->is_active = true;
    TAILQ_INSERT_TAIL(&queue->line, knote, line);
    /* Others may wait. If it is full, they are woken. */
    if (write(queue->alarm, &one, sizeof one) < 0)
        return;
}

void shim_look(queue *queue, knote *knote)
{
    struct kevent told;
    if (knote->is_there && !knote->is_disabled && shim_filter_holds(knote, &told))
        join_line(queue, knote);
}

static void drop(queue *queue, knote *knote)
{
    leave_line(queue, knote);
    memset(knote, 0, sizeof *knote);
}

/* Tells epoll of a descriptor with its first knote. Returns 0 or an errno. */
static int tell_epoll(queue *queue, watched *watched, int descriptor)
{
    if (watched->is_told)
        return 0;
    watched->serial = ++queue->next_serial;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u64 = (uint64_t)watched->serial << 32 | (uint32_t)descriptor};
    if (epoll_ctl(queue->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        return errno;
    watched->is_told = true;
    return 0;
}

void shim_forget(queue *queue, int descriptor)
{
    watched *watched = &queue->watched[descriptor];
    drop(queue, &watched->read);
    drop(queue, &watched->write);
    if (watched->is_told)
        epoll_ctl(queue->epoll, EPOLL_CTL_DEL, descriptor, NULL);
    watched->is_told = false;
}

/* The knote of (ident, filter), or its place. NULL: errno says why. */
static knote *place_of(queue *queue, const struct kevent *change)
{
    bool is_descriptor = change->filter == EVFILT_READ || change->filter == EVFILT_WRITE;
    if (is_descriptor && change->ident < MOST_DESCRIPTORS) {
        watched *watched = &queue->watched[change->ident];
        return change->filter == EVFILT_READ ? &watched->read : &watched->write;
    }
    knote *place = NULL;
    for (size_t i = 0; change->filter == EVFILT_USER && i < MOST_USER_EVENTS; i++) {
        knote *user = &queue->users[i];
        if (user->is_there && user->event.ident == change->ident)
            return user;
        if (!user->is_there && place == NULL)
            place = user;
    }
    errno = is_descriptor ? EBADF : change->filter == EVFILT_USER ? ENOMEM : EINVAL;
    return place;
}

static bool is_open(uintptr_t descriptor)
{
    return fcntl((int)descriptor, F_GETFD) >= 0;
}

static int add(queue *queue, knote *knote, const struct kevent *change)
{
    if (change->filter == EVFILT_WRITE && shim_is_broken_pipe((int)change->ident))
        return EPIPE;
    if (change->filter != EVFILT_USER) {
        int refusal = tell_epoll(queue, &queue->watched[change->ident], (int)change->ident);
        if (refusal != 0)
            return refusal;
    }
    knote->event = *change;
    knote->event.flags &= (unsigned short)~ACTIONS;
    knote->event.fflags = change->filter == EVFILT_USER ? 0 : change->fflags;
    knote->is_there = true;
    return 0;
}

/* How the lower bits of a user event's fflags follow those of a change. */
static unsigned int combine(unsigned int old, unsigned int change)
{
    unsigned int bits = change & NOTE_FFLAGSMASK;
    switch (change & NOTE_FFCTRLMASK) {
    case NOTE_FFAND:
        return old & bits;
    case NOTE_FFOR:
        return old | bits;
    case NOTE_FFCOPY:
        return bits;
    default:
        return old;
    }
}

static void touch(knote *knote, const struct kevent *change)
{
    knote->event.udata = change->udata;
    if (change->filter == EVFILT_USER) {
        knote->event.fflags = combine(knote->event.fflags, change->fflags);
        knote->event.data = change->data;
        knote->is_triggered |= (change->fflags & NOTE_TRIGGER) != 0;
    } else {
        knote->event.fflags = change->fflags;
        knote->event.data = change->data;
    }
}

static void forget_unused(queue *queue, uintptr_t descriptor)
{
    if (!queue->watched[descriptor].read.is_there && !queue->watched[descriptor].write.is_there)
        shim_forget(queue, (int)descriptor);
}

int shim_change(queue *queue, const struct kevent *change)
{
    knote *knote = place_of(queue, change);
    if (knote == NULL)
        return errno;
    if (change->filter != EVFILT_USER && !is_open(change->ident))
        return EBADF;
    if (!knote->is_there) {
        int refusal = (change->flags & EV_ADD) != 0 ? add(queue, knote, change) : ENOENT;
        if (refusal != 0)
            return refusal;
    }
    if ((change->flags & EV_DELETE) != 0) {
        drop(queue, knote);
        if (change->filter != EVFILT_USER)
            forget_unused(queue, change->ident);
        return 0;
    }
    touch(knote, change);
    if ((change->flags & EV_DISABLE) != 0)
        knote->is_disabled = true;
    else if ((change->flags & (EV_ENABLE | EV_ADD)) != 0)
        knote->is_disabled = false;
    shim_look(queue, knote);
    return 0;
}

/* What follows for a knote whose event was given to the caller. */
static void follow_taking(queue *queue, knote *knote)
{
    unsigned short flags = knote->event.flags;
    uintptr_t ident = knote->event.ident;
    bool is_user = knote->event.filter == EVFILT_USER;
    if ((flags & EV_ONESHOT) != 0) {
        drop(queue, knote);
        if (!is_user)
            forget_unused(queue, ident);
        return;
    }
    if (is_user && (flags & EV_CLEAR) != 0) {
        knote->is_triggered = false;
        knote->event.fflags = 0;
        knote->event.data = 0;
    }
    if ((flags & EV_DISPATCH) != 0)
        knote->is_disabled = true;
    /* Without EV_CLEAR it is looked at again, behind all others, until its condition holds no more. */
    if ((flags & (EV_CLEAR | EV_DISPATCH)) == 0) {
        knote->is_active = true;
        TAILQ_INSERT_TAIL(&queue->line, knote, line);
    }
}

int shim_take(queue *queue, struct kevent *events, int most)
{
    int count = 0;
    size_t left = 0;
    knote *each;
    TAILQ_FOREACH(each, &queue->line, line)
    left++;
    for (; left > 0 && count < most; left--) {
        knote *first = TAILQ_FIRST(&queue->line);
        leave_line(queue, first);
        if (first->is_disabled || !shim_filter_holds(first, &events[count]))
            continue;
        count++;
        follow_taking(queue, first);
    }
    return count;
}
