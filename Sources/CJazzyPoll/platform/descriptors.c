#define _GNU_SOURCE /* accept4 */
#define _DARWIN_C_SOURCE

#include "platform/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef SOCK_NONBLOCK

int jz_socket_open(int family, int type, int protocol)
{
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int jz_socket_take(int listener, struct sockaddr *address, socklen_t *length)
{
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#else

static int prepare(int descriptor)
{
    if (descriptor < 0)
        return descriptor;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0) {
        jz_socket_raise_no_signal(descriptor);
        return descriptor;
    }
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

int jz_socket_open(int family, int type, int protocol)
{
    return prepare(socket(family, type, protocol));
}

int jz_socket_take(int listener, struct sockaddr *address, socklen_t *length)
{
    return prepare(accept(listener, address, length));
}

#endif

void jz_socket_raise_no_signal(int descriptor)
{
#ifdef SO_NOSIGPIPE
    const int on = 1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on); /* what is no socket has no such option */
#else
    (void)descriptor;
#endif
}

bool jz_socket_is_listening(int descriptor)
{
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) != 0)
        return errno == ENOPROTOOPT;
    return value != 0;
}
