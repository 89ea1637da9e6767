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
#include <sys/uio.h>
#include <time.h>

#include "jazzy/compiler.h"

#define WRAPPED(type, name, ...)                                                                                       \
    type __real_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(int, listen, int descriptor, int backlog);
WRAPPED(int, accept4, int listener, struct sockaddr *address, socklen_t *length, int flags);
WRAPPED(ssize_t, recv, int descriptor, void *bytes, size_t capacity, int flags);
WRAPPED(ssize_t, send, int descriptor, const void *bytes, size_t length, int flags);
WRAPPED(ssize_t, sendmsg, int descriptor, const struct msghdr *message, int flags);
WRAPPED(int, epoll_ctl, int epoll, int operation, int descriptor, struct epoll_event *event);
WRAPPED(int, epoll_wait, int epoll, struct epoll_event *events, int most, int timeout);
WRAPPED(int, shutdown, int descriptor, int how);
WRAPPED(int, close, int descriptor);
WRAPPED(int, getsockopt, int descriptor, int level, int name, void *value, socklen_t *length);
WRAPPED(int, setsockopt, int descriptor, int level, int name, const void *value, socklen_t length);
WRAPPED(int, getsockname, int descriptor, struct sockaddr *address, socklen_t *length);
WRAPPED(int, getpeername, int descriptor, struct sockaddr *address, socklen_t *length);
WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *now);
WRAPPED(time_t, time, time_t *now);
WRAPPED(int, getentropy, void *bytes, size_t length);

/* Above the descriptors of the process. */
enum { FIRST_DESCRIPTOR = 100000 };

void (*kernel_waits)(void);
void (*kernel_sends)(const void *bytes, size_t length);
time_t kernel_now = 1000000;
kernel_sent kernel_sent_so_far;
size_t kernel_calls_so_far;

static int listener = -1;
static epoll_data_t listener_data;
static epoll_data_t data[KERNEL_MOST_CONNECTIONS];
static size_t accepted, connecting;
static struct {
    int descriptor;
    const uint8_t *bytes;
    size_t length;
} input;
static struct epoll_event ready;

static int failing(int error)
{
    errno = error;
    return -1;
}

void kernel_connect(size_t clients)
{
    connecting = clients;
    ready = (struct epoll_event){.events = EPOLLIN, .data = listener_data};
}

void kernel_receive(size_t client, const void *bytes, size_t length)
{
    input.descriptor = FIRST_DESCRIPTOR + (int)client;
    input.bytes = bytes;
    input.length = length;
    ready = (struct epoll_event){.events = EPOLLIN, .data = data[client]};
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
    kernel_calls_so_far++;
    if (connecting == 0 || accepted == KERNEL_MOST_CONNECTIONS)
        return failing(EAGAIN);
    connecting--;
    struct sockaddr_in client = {
        .sin_family = AF_INET, .sin_port = htons(50000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(address, &client, sizeof client);
    *length = sizeof client;
    return FIRST_DESCRIPTOR + (int)accepted++;
}

/* What is rare stands apart, because the calls are counted, too: a part of the input, or another descriptor. */
static JZ_NEVER_INLINED ssize_t receive_part(int descriptor, void *bytes, size_t capacity, int flags)
{
    if (descriptor < FIRST_DESCRIPTOR)
        return __real_recv(descriptor, bytes, capacity, flags);
    if (descriptor != input.descriptor || input.length == 0)
        return failing(EAGAIN);
    size_t length = capacity < input.length ? capacity : input.length;
    memcpy(bytes, input.bytes, length);
    if ((flags & MSG_PEEK) == 0) {
        input.bytes += length;
        input.length -= length;
    }
    return (ssize_t)length;
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags)
{
    kernel_calls_so_far++;
    if (descriptor != input.descriptor || input.length == 0 || input.length > capacity || flags != 0)
        return receive_part(descriptor, bytes, capacity, flags);
    size_t length = input.length;
    memcpy(bytes, input.bytes, length);
    input.length = 0;
    return (ssize_t)length;
}

static JZ_NEVER_INLINED ssize_t pass_on(const void *bytes, size_t length)
{
    kernel_sends(bytes, length);
    return (ssize_t)length;
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    (void)descriptor;
    (void)flags;
    kernel_calls_so_far++;
    kernel_sent_so_far.calls++;
    kernel_sent_so_far.bytes += length;
    return kernel_sends != NULL ? pass_on(bytes, length) : (ssize_t)length;
}

ssize_t __wrap_sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    (void)descriptor;
    (void)flags;
    size_t length = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        length += message->msg_iov[i].iov_len;
    for (size_t i = 0; kernel_sends != NULL && i < message->msg_iovlen; i++)
        pass_on(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    kernel_calls_so_far++;
    kernel_sent_so_far.calls++;
    kernel_sent_so_far.bytes += length;
    return (ssize_t)length;
}

int __wrap_epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
    (void)epoll;
    kernel_calls_so_far++;
    if (operation == EPOLL_CTL_DEL)
        return 0;
    if (descriptor == listener)
        listener_data = event->data;
    else if (descriptor >= FIRST_DESCRIPTOR)
        data[descriptor - FIRST_DESCRIPTOR] = event->data;
    return 0;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    (void)epoll;
    (void)most;
    (void)timeout;
    kernel_calls_so_far++;
    if (input.length == 0 && connecting == 0)
        kernel_waits();
    *events = ready;
    return 1;
}

/* Nothing comes of what else is done to a client's descriptor. */
static bool is_of_client(int descriptor)
{
    kernel_calls_so_far += descriptor >= FIRST_DESCRIPTOR;
    return descriptor >= FIRST_DESCRIPTOR;
}

int __wrap_shutdown(int descriptor, int how)
{
    return is_of_client(descriptor) ? 0 : __real_shutdown(descriptor, how);
}

int __wrap_close(int descriptor)
{
    return is_of_client(descriptor) ? 0 : __real_close(descriptor);
}

int __wrap_getsockopt(int descriptor, int level, int name, void *value, socklen_t *length)
{
    return is_of_client(descriptor) ? failing(EBADF) : __real_getsockopt(descriptor, level, name, value, length);
}

int __wrap_setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
    return is_of_client(descriptor) ? 0 : __real_setsockopt(descriptor, level, name, value, length);
}

int __wrap_getsockname(int descriptor, struct sockaddr *address, socklen_t *length)
{
    return is_of_client(descriptor) ? failing(EBADF) : __real_getsockname(descriptor, address, length);
}

int __wrap_getpeername(int descriptor, struct sockaddr *address, socklen_t *length)
{
    return is_of_client(descriptor) ? failing(EBADF) : __real_getpeername(descriptor, address, length);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){.tv_sec = kernel_now};
    return 0;
}

time_t __wrap_time(time_t *now)
{
    if (now != NULL)
        *now = kernel_now;
    return kernel_now;
}

int __wrap_getentropy(void *bytes, size_t length)
{
    memset(bytes, 0x5A, length);
    return 0;
}
