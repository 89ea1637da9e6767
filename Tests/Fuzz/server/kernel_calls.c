/* The system calls of the library that have to do with sockets and readiness. The names are the linker's. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "../../CJazzyPollTests/support/poison.h"
#include "kernel_state.h"
#include "wrapped.h"

static int failing(int error)
{
    errno = error;
    return -1;
}

static bool poisons = true;

void kernel_never_poison(void)
{
    poisons = false;
}

void kernel_unpoison(void)
{
    test_unpoison(kernel.poisoned, kernel.poisoned_length);
    kernel.poisoned_length = 0;
}

static void note_progress(void)
{
    kernel.idle_waits = 0;
}

int __wrap_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
    if (!kernel_is_ours(listener))
        return __real_accept4(listener, address, length, flags);
    note_progress();
    if (kernel_fails(KERNEL_ACCEPT))
        return -1;
    if (!kernel_may_accept())
        return failing(EAGAIN);
    size_t number = kernel.accepted_count++;
    kernel.sockets[number].is_accepted = true;
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)(KERNEL_FIRST_PORT + number)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(address, &from, sizeof from);
    *length = sizeof from;
    return KERNEL_FIRST_SOCKET + (int)number;
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags)
{
    if (!kernel_is_ours(descriptor))
        return __real_recv(descriptor, bytes, capacity, flags);
    kernel_socket *socket = kernel_socket_of(descriptor);
    note_progress();
    kernel_unpoison();
    if (kernel_fails(KERNEL_RECV)) {
        socket->told = 0; /* what there is comes after the failure */
        return -1;
    }
    if (socket->is_reset)
        return failing(ECONNRESET);
    size_t count = socket->readable - socket->position;
    if (count == 0)
        return socket->has_end && socket->position == socket->input->length ? 0 : failing(EAGAIN);
    if (count > capacity)
        count = capacity;
    memcpy(bytes, socket->input->bytes + socket->position, count);
    if ((flags & MSG_PEEK) == 0)
        socket->position += count;
    kernel.poisoned = (uint8_t *)bytes + count;
    kernel.poisoned_length = poisons ? capacity - count : 0;
    test_poison(kernel.poisoned, kernel.poisoned_length);
    return (ssize_t)count;
}

static ssize_t take(kernel_socket *socket, const struct iovec *pieces, size_t count)
{
    note_progress();
    if (kernel_fails(KERNEL_SEND))
        return -1;
    require(!socket->is_finished, "nothing is sent after the end of sending");
    if (socket->is_reset)
        return failing(EPIPE);
    size_t room = socket->window < kernel.most_sent ? socket->window : kernel.most_sent;
    if (room == 0)
        return failing(EAGAIN);
    size_t taken = 0;
    bool was_in_server = kernel.is_in_server;
    kernel.is_in_server = false; /* the output is the fuzzer's memory */
    for (size_t i = 0; i < count && taken < room; i++) {
        size_t length = pieces[i].iov_len < room - taken ? pieces[i].iov_len : room - taken;
        require(jz_buffer_append(&socket->output, pieces[i].iov_base, length), "the fuzzer has memory");
        taken += length;
    }
    kernel.is_in_server = was_in_server;
    socket->window -= socket->window == SIZE_MAX ? 0 : taken;
    return (ssize_t)taken;
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    if (!kernel_is_ours(descriptor))
        return __real_send(descriptor, bytes, length, flags);
    require((flags & MSG_NOSIGNAL) != 0, "no send raises a signal");
    const struct iovec piece = {(void *)(uintptr_t)bytes, length};
    return take(kernel_socket_of(descriptor), &piece, 1);
}

ssize_t __wrap_sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    if (!kernel_is_ours(descriptor))
        return __real_sendmsg(descriptor, message, flags);
    require((flags & MSG_NOSIGNAL) != 0, "no send raises a signal");
    return take(kernel_socket_of(descriptor), message->msg_iov, message->msg_iovlen);
}

int __wrap_shutdown(int descriptor, int how)
{
    if (!kernel_is_ours(descriptor))
        return __real_shutdown(descriptor, how);
    if (descriptor >= KERNEL_FIRST_SOCKET && how != SHUT_RD)
        kernel_socket_of(descriptor)->is_finished = true;
    return 0;
}

int __wrap_close(int descriptor)
{
    if (!kernel_is_ours(descriptor))
        return __real_close(descriptor);
    note_progress();
    if (descriptor == KERNEL_EPOLL)
        kernel.epoll_is_open = false;
    else if (descriptor == KERNEL_WAKE)
        kernel.wake_is_open = false;
    else if (descriptor == KERNEL_LISTENER)
        kernel.listener_is_open = false;
    else
        kernel_socket_of(descriptor)->is_closed = true;
    return 0;
}

int __wrap_getsockopt(int descriptor, int level, int name, void *value, socklen_t *length)
{
    if (!kernel_is_ours(descriptor))
        return __real_getsockopt(descriptor, level, name, value, length);
    int answer = 0;
    if (name == SO_TYPE)
        answer = SOCK_STREAM;
    else if (name == SO_ACCEPTCONN)
        answer = descriptor == KERNEL_LISTENER;
    else if (name == SO_ERROR && descriptor >= KERNEL_FIRST_SOCKET)
        answer = kernel_socket_of(descriptor)->is_reset ? ECONNRESET : 0;
    size_t room = *length < sizeof answer ? *length : sizeof answer;
    memcpy(value, &answer, room);
    return 0;
}

int __wrap_setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
    return kernel_is_ours(descriptor) ? 0 : __real_setsockopt(descriptor, level, name, value, length);
}

int __wrap_getsockname(int descriptor, struct sockaddr *address, socklen_t *length)
{
    if (!kernel_is_ours(descriptor))
        return __real_getsockname(descriptor, address, length);
    const struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(address, &own, sizeof own);
    *length = sizeof own;
    return 0;
}

/* Nothing that was sent waits to be acknowledged. */
int __wrap_ioctl(int descriptor, unsigned long request, void *argument)
{
    if (!kernel_is_ours(descriptor))
        return __real_ioctl(descriptor, request, argument);
    *(int *)argument = 0;
    return 0;
}

int __wrap_fcntl(int descriptor, int command, long argument)
{
    return kernel_is_ours(descriptor) ? 0 : __real_fcntl(descriptor, command, argument);
}

int __wrap_epoll_create1(int flags)
{
    (void)flags;
    kernel.epoll_is_open = true;
    return KERNEL_EPOLL;
}

int __wrap_eventfd(unsigned start, int flags)
{
    (void)flags;
    kernel.wakes = start;
    kernel.wake_is_open = true;
    return KERNEL_WAKE;
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t length)
{
    if (!kernel_is_ours(descriptor))
        return __real_read(descriptor, bytes, length);
    require(false, "wake-ups are not read");
    return -1;
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t length)
{
    if (!kernel_is_ours(descriptor))
        return __real_write(descriptor, bytes, length);
    require(descriptor == KERNEL_WAKE, "only wake-ups are written");
    kernel.wakes++;
    return (ssize_t)length;
}

static void watch(uint32_t *events, uint64_t *token, int operation, const struct epoll_event *event)
{
    *events = operation == EPOLL_CTL_DEL ? 0 : event->events;
    *token = operation == EPOLL_CTL_DEL ? 0 : event->data.u64;
}

int __wrap_epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
    require(epoll == KERNEL_EPOLL, "there is one epoll instance");
    note_progress();
    if (operation != EPOLL_CTL_DEL && kernel.is_in_server && kernel_fails(KERNEL_EPOLL_CTL))
        return -1;
    if (descriptor == KERNEL_WAKE) {
        require((event->events & EPOLLET) != 0, "each wake-up is told once");
        kernel.wake_token = event->data.u64;
    } else if (descriptor == KERNEL_LISTENER) {
        watch(&kernel.listener_events, &kernel.listener_token, operation, event);
    } else {
        kernel_socket *socket = kernel_socket_of(descriptor);
        if (operation != EPOLL_CTL_ADD && !socket->is_watched) /* a channel that was put off comes back, or ends */
            return failing(ENOENT);
        require(operation != EPOLL_CTL_ADD || !socket->is_watched, "what is watched is added once");
        watch(&socket->events, &socket->token, operation, event);
        socket->is_watched = operation != EPOLL_CTL_DEL;
        socket->told = 0;
    }
    return 0;
}

static void tell(struct epoll_event *events, int most, int *count, uint32_t what, uint64_t token)
{
    if (*count < most && what != 0)
        events[(*count)++] = (struct epoll_event){.events = what, .data.u64 = token};
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    enum { MOST_IDLE_WAITS = 64, PLACES = KERNEL_SOCKETS + 2 };
    require(epoll == KERNEL_EPOLL, "there is one epoll instance");
    kernel.timeout = timeout;
    kernel.is_in_server = false;
    kernel.waiting(kernel.context);
    kernel.is_in_server = true;
    int count = 0;
    for (size_t i = 0; i < PLACES; i++) {
        size_t place = (i + kernel.rotation) % PLACES;
        if (place == KERNEL_SOCKETS) {
            int before = count;
            tell(events, most, &count, kernel.wakes > 0 ? EPOLLIN : 0, kernel.wake_token);
            if (count > before) {
                kernel.wakes = 0;
                note_progress();
            }
        } else if (place == KERNEL_SOCKETS + 1) {
            tell(events, most, &count, kernel_may_accept() ? kernel.listener_events & EPOLLIN : 0,
                 kernel.listener_token);
        } else if (place < kernel.socket_count) {
            kernel_socket *socket = &kernel.sockets[place];
            int before = count;
            if (socket->is_watched && !socket->is_closed)
                tell(events, most, &count, kernel_news(socket), socket->token);
            if (count > before)
                kernel_note_told(socket);
        }
    }
    if (count > 0)
        require(kernel.idle_waits++ < MOST_IDLE_WAITS, "the loop does something about what it is told");
    return count;
}
