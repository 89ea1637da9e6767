/* How bytes are sent: flags of send and sendmsg. Constants, because this is done for every message. */
#ifndef JAZZY_PLATFORM_SENDING_H
#define JAZZY_PLATFORM_SENDING_H

#include <sys/socket.h>

/*
 * A peer that has gone must not end the process by SIGPIPE. On macOS, where not every release knows the flag, sockets
 * have an option for it, which jz_socket_open and jz_socket_take set.
 */
#ifdef __APPLE__
#define JZ_SEND_FLAGS 0
#else
#define JZ_SEND_FLAGS MSG_NOSIGNAL
#endif

/* For bytes behind which the end of sending follows at once: the kernel may wait for it. */
#ifdef MSG_MORE
#define JZ_SEND_MORE_FLAGS (JZ_SEND_FLAGS | MSG_MORE)
#else
#define JZ_SEND_MORE_FLAGS JZ_SEND_FLAGS
#endif

/* The type of msghdr.msg_iovlen: that of POSIX is int. */
#ifdef __GLIBC__
typedef size_t jz_piece_count;
#else
typedef int jz_piece_count;
#endif

#endif
