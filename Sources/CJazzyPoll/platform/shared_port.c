#define _GNU_SOURCE

#include "platform/shared_port.h"

#include <sys/socket.h>

/* On FreeBSD SO_REUSEPORT alone does not distribute. */
#if defined SO_REUSEPORT_LB
enum { SHARING_OPTION = SO_REUSEPORT_LB };
#elif defined __linux__
enum { SHARING_OPTION = SO_REUSEPORT };
#else
enum { SHARING_OPTION = -1 };
#endif

bool jz_ports_can_be_shared(void)
{
    return SHARING_OPTION != -1;
}

void jz_socket_share_port(int descriptor)
{
    const int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SHARING_OPTION, &on, sizeof on);
}
