/* What systems do in different ways when bytes are sent. */
#ifndef JAZZY_REDIS_LINK_SENDING_H
#define JAZZY_REDIS_LINK_SENDING_H

#include <sys/socket.h>

/* A peer that has gone must not end the process by SIGPIPE: by a flag of sendmsg or, on macOS, an option of sockets. */
#ifdef __APPLE__
#define JZ_REDIS_SEND_FLAGS 0
#else
#define JZ_REDIS_SEND_FLAGS MSG_NOSIGNAL
#endif

/* The type of msghdr.msg_iovlen: that of POSIX is int. */
#ifdef __GLIBC__
typedef size_t jz_redis_area_count;
#else
typedef int jz_redis_area_count;
#endif

static inline void jz_redis_raise_no_signal(int descriptor)
{
#ifdef SO_NOSIGPIPE
    const int on = 1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
    (void)descriptor;
#endif
}

#endif
