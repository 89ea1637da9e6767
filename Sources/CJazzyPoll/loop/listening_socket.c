#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include "loop/listening_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/report.h"
#include "platform/descriptors.h"

static int unix_socket(void)
{
    return jz_socket_open(AF_UNIX, SOCK_STREAM, 0);
}

/* Whether the file is a socket on which nobody listens any more, for instance because the program was killed. */
static bool is_abandoned(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int probe = unix_socket();
    if (probe < 0)
        return false;
    bool is_refused = connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(probe);
    return is_refused;
}

static bool bind_to_file(int descriptor, const struct sockaddr_un *address)
{
    bool is_bound = bind(descriptor, (const struct sockaddr *)address, sizeof *address) == 0;
    if (!is_bound && errno == EADDRINUSE && is_abandoned(address)) {
        unlink(address->sun_path);
        is_bound = bind(descriptor, (const struct sockaddr *)address, sizeof *address) == 0;
    }
    return is_bound;
}

/*
 * Does not follow symbolic links. Restores permission bits that the umask has removed. The socket does not listen yet,
 * so nobody can connect meanwhile.
 */
static bool give_rights(const char *path, const jz_file_rights *rights)
{
    struct stat status;
    bool has_owner = rights->user != JZ_SAME_OWNER || rights->group != JZ_SAME_OWNER;
    if (has_owner && lchown(path, rights->user, rights->group) != 0)
        return false;
    if (rights->mode == 0)
        return true;
    if (lstat(path, &status) != 0)
        return false;
    if (!S_ISSOCK(status.st_mode)) {
        errno = ENOTSOCK;
        return false;
    }
    return (status.st_mode & 0777) == rights->mode || chmod(path, (mode_t)rights->mode) == 0;
}

/* On failure the file, if it was created, is removed again. */
static bool bind_and_listen(int descriptor, const struct sockaddr_un *address, const jz_file_rights *rights,
                            uint32_t backlog)
{
    /* On Linux the file gets the mode of the socket; on other systems this fails harmlessly. */
    if (rights->mode != 0)
        (void)fchmod(descriptor, (mode_t)rights->mode);
    if (!bind_to_file(descriptor, address))
        return false;
    if (give_rights(address->sun_path, rights) && listen(descriptor, (int)backlog) == 0)
        return true;
    int reason = errno;
    unlink(address->sun_path);
    errno = reason;
    return false;
}

static jz_status report_refusal(const char *path, int reason, jz_error *error)
{
    if (reason == EADDRINUSE)
        return jz_report(error, JZ_STATUS_ADDRESS_IN_USE,
                         "cannot listen on %.107s: a program listens there, or it is no socket; choose another path, "
                         "stop the program, or remove the file",
                         path);
    if (reason == EACCES || reason == EPERM)
        return jz_report(
            error, JZ_STATUS_PERMISSION_DENIED,
            "cannot listen on %.107s: permission denied; its folder has to be writable, and only root may give a "
            "file to another user, or to a group that it is not in",
            path);
    char action[160];
    snprintf(action, sizeof action, "listen on %.107s", path);
    return jz_report_system(error, reason, action);
}

jz_status jz_socket_listen_unix(const char *path, const jz_file_rights *rights, uint32_t backlog, int *descriptor,
                                jz_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path != NULL ? strlen(path) : 0;
    if (length == 0 || length >= sizeof address.sun_path)
        return jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                         "cannot listen on a Unix domain socket: its path has %zu bytes; it has to have from 1 to %zu",
                         length, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, length + 1);
    *descriptor = unix_socket();
    if (*descriptor >= 0 && bind_and_listen(*descriptor, &address, rights, backlog))
        return JZ_OK;
    int reason = errno;
    if (*descriptor >= 0)
        close(*descriptor);
    return report_refusal(path, reason, error);
}

static bool is_stream(int descriptor)
{
    int type = 0;
    socklen_t length = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

jz_status jz_socket_adopt(int descriptor, const jz_listening *listening, jz_error *error)
{
    if (!is_stream(descriptor) || !jz_socket_is_listening(descriptor))
        return jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                         "cannot listen on descriptor %d: it is no stream socket that listens", descriptor);
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
        return jz_report_system(error, errno, "listen on an inherited descriptor");
    jz_socket_prepare_tcp(descriptor, listening);
    return JZ_OK;
}

void jz_socket_remove_file(const char *path)
{
    unlink(path);
}
