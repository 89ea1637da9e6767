#define _POSIX_C_SOURCE 200809L

#include "loop/adopted.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "loop/listening_socket.h"
#include "loop/poll.h"
#include "loop/report.h"
#include "platform/descriptors.h"

static const char action[] = "adopt a connection";

static jz_status expect_watchable(int descriptor, jz_error *error)
{
    if (jz_poll_can_watch(descriptor))
        return JZ_OK;
    if (errno == EPERM)
        return jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                         "cannot %s: descriptor %d cannot be watched, for instance because it is a file; use a socket, "
                         "a pipe or an eventfd",
                         action, descriptor);
    return jz_report_system(error, errno, action);
}

jz_status jz_adopted_examine(int descriptor, bool has_transport, jz_adopted *adopted, jz_error *error)
{
    int type = 0;
    socklen_t length = sizeof type;
    *adopted = (jz_adopted){0};
    adopted->is_socket = getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
    if (!adopted->is_socket && errno == EBADF)
        return jz_report(error, JZ_STATUS_INVALID_ADDRESS, "cannot %s: descriptor %d is not open", action, descriptor);
    bool is_connected = adopted->is_socket && jz_socket_peer(descriptor, &adopted->address);
    if (has_transport)
        return expect_watchable(descriptor, error);
    if (is_connected && type == SOCK_STREAM)
        return JZ_OK;
    return jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                     "cannot %s: descriptor %d is no stream socket that is connected; anything else needs a transport, "
                     "and a socket that listens is for jz_server_listen_descriptor",
                     action, descriptor);
}

jz_status jz_adopted_prepare(int descriptor, const jz_adopted *adopted, const jz_listening *listening, jz_error *error)
{
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
        return jz_report_system(error, errno, action);
    if (adopted->is_socket) {
        jz_socket_raise_no_signal(descriptor);
        jz_socket_prepare_tcp(descriptor, listening);
    }
    return JZ_OK;
}
