#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include "platform/keep_alive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifdef TCP_KEEPIDLE
enum { IDLE_OPTION = TCP_KEEPIDLE };
#else
enum { IDLE_OPTION = TCP_KEEPALIVE };
#endif

void jz_socket_keep_alive(int descriptor, int idle, int interval, int probes)
{
    const int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, IDLE_OPTION, &idle, sizeof idle);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
