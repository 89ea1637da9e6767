/*
 * kqueue for Linux, as far as the library uses it, so that loop/kqueue.c can be run where there is no other: over
 * epoll, for tests alone. Names and numbers are those of FreeBSD.
 *
 * The manual pages of FreeBSD and macOS say what it does. Where they differ, it does what is harder for the caller:
 *   - flags such as EV_CLEAR stay as they were when the event was added first (FreeBSD)
 *   - a low-water mark for output counts as reached when the buffer is empty (macOS)
 *   - an error of a change is told before, and instead of, any event (both)
 *   - a filter of output is refused where the other end of a pipe is closed already: EPIPE (both, in their sources)
 * Linux cannot tell a socket's error without taking it: fflags is ECONNRESET whatever broke the connection. There are
 * sockets, pipes and eventfds, no files (EPERM).
 */
#ifndef JAZZY_SHIM_SYS_EVENT_H
#define JAZZY_SHIM_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_USER (-11)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

/* For EVFILT_READ and EVFILT_WRITE. */
#define NOTE_LOWAT 0x0001

/* For EVFILT_USER. */
#define NOTE_FFNOP 0x00000000U
#define NOTE_FFAND 0x40000000U
#define NOTE_FFOR 0x80000000U
#define NOTE_FFCOPY 0xc0000000U
#define NOTE_FFCTRLMASK 0xc0000000U
#define NOTE_FFLAGSMASK 0x00ffffffU
#define NOTE_TRIGGER 0x01000000U

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void *udata;
    uint64_t ext[4];
};

#define EV_SET(event, a, b, c, d, e, f)                                                                                \
    (*(event) = (struct kevent){.ident = (uintptr_t)(a),                                                               \
                                .filter = (b),                                                                         \
                                .flags = (unsigned short)(c),                                                          \
                                .fflags = (d),                                                                         \
                                .data = (e),                                                                           \
                                .udata = (f)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout);

#endif
