#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include "platform/acknowledged.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#if defined __GLIBC__
#include <linux/tcp.h> /* the C library's own has fewer fields */
#elif defined __linux__
#include <netinet/tcp.h> /* that of other C libraries is complete, and the kernel's headers may be missing */
#endif

size_t jz_socket_unacknowledged(int descriptor)
{
    int count = 0;
#if defined SO_NWRITE
    socklen_t length = sizeof count;
    int result = getsockopt(descriptor, SOL_SOCKET, SO_NWRITE, &count, &length);
#elif defined FIONWRITE
    int result = ioctl(descriptor, FIONWRITE, &count);
#else
    int result = ioctl(descriptor, TIOCOUTQ, &count);
#endif
    return result == 0 && count > 0 ? (size_t)count : 0;
}

uint64_t jz_socket_acknowledged(int descriptor)
{
#ifdef __linux__
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
        length >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return info.tcpi_bytes_acked;
#endif
    return UINT64_MAX / 2 - jz_socket_unacknowledged(descriptor);
}
