#define _GNU_SOURCE

#include "kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define WRAPPED(type, name, ...)                                                                                       \
    type __real_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(int, listen, int descriptor, int backlog);
WRAPPED(int, accept4, int listener, struct sockaddr *address, socklen_t *length, int flags);
WRAPPED(ssize_t, recv, int descriptor, void *bytes, size_t capacity, int flags);
WRAPPED(ssize_t, send, int descriptor, const void *bytes, size_t length, int flags);
WRAPPED(int, epoll_ctl, int epoll, int operation, int descriptor, struct epoll_event *event);
WRAPPED(int, epoll_wait, int epoll, struct epoll_event *events, int most, int timeout);
WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *now);
WRAPPED(time_t, time, time_t *now);

/* Above the descriptors of the process. */
enum { CLIENT = 100000 };

void (*kernel_waits)(void);
void (*kernel_sends)(const void *bytes, size_t length);

static int listener = -1;
static epoll_data_t listener_data, client_data;
static bool is_connecting;
static const uint8_t *input;
static size_t input_length;
static struct epoll_event ready;

static int failing(int error)
{
    errno = error;
    return -1;
}

void kernel_connect(void)
{
    is_connecting = true;
    ready = (struct epoll_event){.events = EPOLLIN, .data = listener_data};
}

void kernel_receive(const void *bytes, size_t length)
{
    input = bytes;
    input_length = length;
    ready = (struct epoll_event){.events = EPOLLIN, .data = client_data};
}

int __wrap_listen(int descriptor, int backlog)
{
    listener = descriptor;
    return __real_listen(descriptor, backlog);
}

int __wrap_accept4(int from, struct sockaddr *address, socklen_t *length, int flags)
{
    (void)from;
    (void)flags;
    if (!is_connecting)
        return failing(EAGAIN);
    is_connecting = false;
    const struct sockaddr_in client = {
        .sin_family = AF_INET, .sin_port = htons(50000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(address, &client, sizeof client);
    *length = sizeof client;
    return CLIENT;
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags)
{
    if (descriptor != CLIENT)
        return __real_recv(descriptor, bytes, capacity, flags);
    if (input_length == 0)
        return failing(EAGAIN);
    size_t length = capacity < input_length ? capacity : input_length;
    memcpy(bytes, input, length);
    if ((flags & MSG_PEEK) == 0) {
        input += length;
        input_length -= length;
    }
    return (ssize_t)length;
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    (void)descriptor;
    (void)flags;
    kernel_sends(bytes, length);
    return (ssize_t)length;
}

int __wrap_epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
    (void)epoll;
    if (operation == EPOLL_CTL_DEL)
        return 0;
    if (descriptor == listener)
        listener_data = event->data;
    else if (descriptor == CLIENT)
        client_data = event->data;
    return 0;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    (void)epoll;
    (void)most;
    (void)timeout;
    if (input_length == 0)
        kernel_waits();
    *events = ready;
    return 1;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){.tv_sec = KERNEL_NOW};
    return 0;
}

time_t __wrap_time(time_t *now)
{
    if (now != NULL)
        *now = KERNEL_NOW;
    return KERNEL_NOW;
}
