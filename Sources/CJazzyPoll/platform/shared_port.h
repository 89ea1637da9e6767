/* One port with several listening sockets, among which the kernel distributes connections. */
#ifndef JAZZY_PLATFORM_SHARED_PORT_H
#define JAZZY_PLATFORM_SHARED_PORT_H

#include <stdbool.h>

/* Whether this system can. macOS cannot: there the socket that listened last gets all connections. */
bool jz_ports_can_be_shared(void);

/* Call it before the socket is bound, on each of those that share the port. */
void jz_socket_share_port(int descriptor);

#endif
