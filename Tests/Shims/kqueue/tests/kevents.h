/* A kqueue, a connected pair of sockets, and what the queue has to tell. */
#ifndef JAZZY_SHIM_KEVENTS_H
#define JAZZY_SHIM_KEVENTS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/testing.h"

static const struct timespec at_once = {0};

typedef struct fixture {
    int queue;
    int ours;
    int peers; /* -1: closed */
} fixture;

static inline void start(fixture *f)
{
    int pair[2];
    f->queue = kqueue();
    assert_int_not_equal(f->queue, -1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    f->ours = pair[0];
    f->peers = pair[1];
}

static inline void peer_closes(fixture *f)
{
    close(f->peers);
    f->peers = -1;
}

static inline void finish(fixture *f)
{
    close(f->queue);
    close(f->ours);
    if (f->peers >= 0)
        close(f->peers);
}

/* Makes one change; returns 0, or the errno. */
static inline int change_with(const fixture *f, int ident, short filter, int flags, unsigned fflags, int64_t data)
{
    struct kevent change;
    EV_SET(&change, ident, filter, flags, fflags, data, (void *)(uintptr_t)(100 + ident));
    return kevent(f->queue, &change, 1, NULL, 0, NULL) == 0 ? 0 : errno;
}

static inline int change(const fixture *f, int ident, short filter, int flags)
{
    return change_with(f, ident, filter, flags, 0, 0);
}

static inline void add(const fixture *f, int ident, short filter, int flags)
{
    assert_int_equal(change(f, ident, filter, EV_ADD | flags), 0);
}

/* The one event that there is. */
static inline struct kevent take(const fixture *f)
{
    struct kevent events[4];
    assert_int_equal(kevent(f->queue, NULL, 0, events, 4, &at_once), 1);
    return events[0];
}

static inline void expect_none(const fixture *f)
{
    struct kevent event;
    assert_int_equal(kevent(f->queue, NULL, 0, &event, 1, &at_once), 0);
}

static inline void fill(const fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(write(f->peers, ".", 1), 1);
}

static inline void drain(const fixture *f, int count)
{
    char byte;
    for (int i = 0; i < count; i++)
        assert_int_equal(read(f->ours, &byte, 1), 1);
}

/* Sends until the buffer is full. */
static inline void fill_output(const fixture *f)
{
    static const char much[65536];
    while (write(f->ours, much, sizeof much) > 0)
        continue;
}

static inline void drain_output(const fixture *f)
{
    static char much[65536];
    while (read(f->peers, much, sizeof much) > 0)
        continue;
}

#endif
