/* Whether the condition of an event holds, and what is told of it: from what poll and the sockets say. */
#define _GNU_SOURCE

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "queue.h"

static short look(int descriptor, short events)
{
    struct pollfd status = {.fd = descriptor, .events = events};
    return poll(&status, 1, 0) > 0 ? status.revents : 0;
}

/* An option of a socket; -1 if it is none. */
static int option_of(int descriptor, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static void tell_error(struct kevent *told, short status)
{
    told->flags |= EV_EOF;
    if ((status & POLLERR) != 0)
        told->fflags = ECONNRESET;
}

/* How many connections wait to be accepted; of others than TCP, whether any does. */
static int backlog_of(int descriptor, bool has_any)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    bool is_known = getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
    return has_any && is_known && info.tcpi_unacked > 0 ? (int)info.tcpi_unacked : has_any;
}

static bool input_holds(int descriptor, struct kevent *told)
{
    short status = look(descriptor, POLLIN | POLLRDHUP);
    int count = 0;
    bool is_listening = option_of(descriptor, SO_ACCEPTCONN) == 1;
    if (is_listening)
        count = backlog_of(descriptor, (status & POLLIN) != 0);
    else if (ioctl(descriptor, FIONREAD, &count) != 0)
        count = (status & POLLIN) != 0; /* an eventfd */
    int64_t mark = (told->fflags & NOTE_LOWAT) != 0 ? told->data : 0;
    told->fflags = 0;
    told->data = count;
    if ((status & (POLLRDHUP | POLLHUP | POLLERR)) != 0 && !is_listening) {
        tell_error(told, status);
        return true;
    }
    return (status & POLLIN) != 0 && count >= mark;
}

/* Whether we ended our own direction. Nothing is sent, not even a signal. */
static bool has_ended_sending(int descriptor)
{
    if (option_of(descriptor, SO_TYPE) != SOCK_STREAM)
        return false;
    return syscall(SYS_sendto, descriptor, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0) < 0 && errno == EPIPE;
}

static bool output_holds(int descriptor, struct kevent *told)
{
    short status = look(descriptor, POLLOUT);
    if (option_of(descriptor, SO_ACCEPTCONN) == 1)
        return false;
    int size = option_of(descriptor, SO_SNDBUF);
    int queued = 0;
    if (size < 0 || ioctl(descriptor, SIOCOUTQ, &queued) != 0)
        size = PIPE_BUF;
    int64_t space = size > queued ? size - queued : 0;
    int64_t mark = (told->fflags & NOTE_LOWAT) != 0 ? told->data : 0;
    mark = mark < size ? mark : size;
    told->fflags = 0;
    told->data = space;
    if ((status & (POLLHUP | POLLERR)) != 0 || has_ended_sending(descriptor)) {
        tell_error(told, status);
        return true;
    }
    return (status & POLLOUT) != 0 && space >= mark;
}

bool shim_is_broken_pipe(int descriptor)
{
    struct stat status;
    bool is_pipe = fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
    return is_pipe && (look(descriptor, POLLOUT) & (POLLHUP | POLLERR)) != 0;
}

bool shim_filter_holds(const knote *knote, struct kevent *told)
{
    *told = knote->event;
    switch (knote->event.filter) {
    case EVFILT_READ:
        return input_holds((int)told->ident, told);
    case EVFILT_WRITE:
        return output_holds((int)told->ident, told);
    default:
        return knote->is_triggered;
    }
}
