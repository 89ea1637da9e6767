#define _DEFAULT_SOURCE

#include "send_calls.h"

#include <stdatomic.h>
#include <sys/socket.h>

/* The names are the linker's (ld, --wrap). */
ssize_t __real_send(int descriptor, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags);
ssize_t __real_sendmsg(int descriptor, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int descriptor, const struct msghdr *message, int flags);

static atomic_size_t sends;

size_t test_send_count(void)
{
    return sends;
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    sends++;
    return __real_send(descriptor, bytes, length, flags);
}

ssize_t __wrap_sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    sends++;
    return __real_sendmsg(descriptor, message, flags);
}
