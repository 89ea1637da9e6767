/* Linux: epoll, and an eventfd for wake-ups. */
#define _GNU_SOURCE

#include "loop/poll.h"

#if !JZ_POLL_BY_KQUEUE

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MOST_EVENTS = 1024 };

static const uint64_t wake_token = UINT64_MAX;

struct jz_poll {
    int epoll;
    int wake;
    struct epoll_event events[MOST_EVENTS];
};

static uint32_t epoll_events_of(unsigned interest)
{
    uint32_t events = 0;
    if ((interest & JZ_READABLE) != 0)
        events |= EPOLLIN;
    if ((interest & JZ_WRITABLE) != 0)
        events |= EPOLLOUT;
    /* An end of input is asked for, too: behind data it would not be told a second time. So would what follows urgent
       data. */
    if ((interest & JZ_ONCE) != 0)
        events |= EPOLLET | EPOLLRDHUP | EPOLLPRI;
    return events;
}

/*
 * Edge-triggered: each write is reported once, though nobody reads the eventfd, which saves a system call. Its counter
 * has room for 2^64 - 2 wake-ups.
 */
static bool watch_wakes(jz_poll *poll)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = wake_token};
    return epoll_ctl(poll->epoll, EPOLL_CTL_ADD, poll->wake, &event) == 0;
}

jz_poll *jz_poll_create(void)
{
    jz_poll *poll = malloc(sizeof *poll);
    if (poll == NULL)
        return NULL;
    poll->epoll = epoll_create1(EPOLL_CLOEXEC);
    poll->wake = poll->epoll >= 0 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    if (poll->wake < 0 || !watch_wakes(poll)) {
        int reason = errno;
        jz_poll_destroy(poll);
        errno = reason;
        return NULL;
    }
    return poll;
}

void jz_poll_destroy(jz_poll *poll)
{
    if (poll == NULL)
        return;
    if (poll->wake >= 0)
        close(poll->wake);
    if (poll->epoll >= 0)
        close(poll->epoll);
    free(poll);
}

/* A child has the parent's descriptors. */
bool jz_poll_begin(jz_poll *poll)
{
    (void)poll;
    return true;
}

static bool control(jz_poll *poll, int operation, int descriptor, unsigned interest, uint64_t token)
{
    struct epoll_event event = {.events = epoll_events_of(interest), .data.u64 = token};
    return epoll_ctl(poll->epoll, operation, descriptor, &event) == 0;
}

bool jz_poll_add(jz_poll *poll, int descriptor, unsigned interest, uint64_t token)
{
    return control(poll, EPOLL_CTL_ADD, descriptor, interest, token);
}

bool jz_poll_can_watch(int descriptor)
{
    struct epoll_event event = {.events = 0};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return false;
    bool can_watch = epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
    int reason = errno;
    close(epoll);
    errno = reason;
    return can_watch;
}

bool jz_poll_change(jz_poll *poll, int descriptor, unsigned interest, uint64_t token)
{
    return control(poll, EPOLL_CTL_MOD, descriptor, interest, token);
}

void jz_poll_remove(jz_poll *poll, int descriptor)
{
    control(poll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

/* Receiving, or sending if only that is awaited, finds out about a hang-up or an error. */
static unsigned special_of(uint32_t events)
{
    unsigned what = JZ_READABLE;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        what |= JZ_WRITABLE;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        what |= JZ_ENDING;
    if ((events & EPOLLHUP) != 0)
        what |= JZ_OVER;
    return (events & EPOLLPRI) != 0 ? what | JZ_URGENT : what;
}

int jz_poll_wait(jz_poll *poll, jz_ready *ready, size_t capacity, int timeout_ms)
{
    int most = capacity < MOST_EVENTS ? (int)capacity : MOST_EVENTS;
    int count = epoll_wait(poll->epoll, poll->events, most, timeout_ms);
    /* A signal interrupted the wait, or the process was stopped for a while: still report what is ready now. */
    if (count < 0 && errno == EINTR)
        count = epoll_wait(poll->epoll, poll->events, most, 0);
    if (count < 0 && errno != EINTR) {
        poll->epoll = -1; /* its number may belong to another file by now */
        return -1;
    }
    int filled = 0;
    for (int i = 0; i < count; i++) {
        const struct epoll_event *event = &poll->events[i];
        if (event->data.u64 == wake_token)
            continue;
        unsigned what = 0;
        if ((event->events & EPOLLIN) != 0)
            what |= JZ_READABLE;
        if ((event->events & EPOLLOUT) != 0)
            what |= JZ_WRITABLE;
        if (!JZ_LIKELY((event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) == 0))
            what |= special_of(event->events);
        ready[filled++] = (jz_ready){event->data.u64, what};
    }
    return filled;
}

void jz_poll_wake(jz_poll *poll)
{
    const uint64_t one = 1;
    int errno_before = errno; /* this may run in a signal handler, which must not change errno */
    /* A failure means that the counter is full, so a wake-up is pending already. */
    ssize_t written = write(poll->wake, &one, sizeof one);
    (void)written;
    errno = errno_before;
}

#endif
