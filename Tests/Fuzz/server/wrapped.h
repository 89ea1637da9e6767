/* The linker's names of wrapped functions (ld, --wrap): the real one, and its replacement. */
#ifndef JAZZY_FUZZ_WRAPPED_H
#define JAZZY_FUZZ_WRAPPED_H

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define WRAPPED(type, name, ...)                                                                                       \
    type __real_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(int, accept4, int listener, struct sockaddr *address, socklen_t *length, int flags);
WRAPPED(ssize_t, recv, int descriptor, void *bytes, size_t capacity, int flags);
WRAPPED(ssize_t, send, int descriptor, const void *bytes, size_t length, int flags);
WRAPPED(ssize_t, sendmsg, int descriptor, const struct msghdr *message, int flags);
WRAPPED(int, shutdown, int descriptor, int how);
WRAPPED(int, close, int descriptor);
WRAPPED(int, getsockopt, int descriptor, int level, int name, void *value, socklen_t *length);
WRAPPED(int, setsockopt, int descriptor, int level, int name, const void *value, socklen_t length);
WRAPPED(int, getsockname, int descriptor, struct sockaddr *address, socklen_t *length);
WRAPPED(int, ioctl, int descriptor, unsigned long request, void *argument);
WRAPPED(int, fcntl, int descriptor, int command, long argument);
WRAPPED(ssize_t, read, int descriptor, void *bytes, size_t length);
WRAPPED(ssize_t, write, int descriptor, const void *bytes, size_t length);
WRAPPED(int, epoll_create1, int flags);
WRAPPED(int, eventfd, unsigned start, int flags);
WRAPPED(int, epoll_ctl, int epoll, int operation, int descriptor, struct epoll_event *event);
WRAPPED(int, epoll_wait, int epoll, struct epoll_event *events, int most, int timeout);
WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *now);
WRAPPED(time_t, time, time_t *now);
WRAPPED(int, getentropy, void *bytes, size_t length);
WRAPPED(void *, malloc, size_t size);
WRAPPED(void *, calloc, size_t count, size_t size);
WRAPPED(void *, realloc, void *bytes, size_t size);

#endif
