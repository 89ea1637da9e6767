/*
 * A bridge between real sockets and the memory transport, so that clients of other processes reach a server that has
 * nothing but that transport: for each connection it accepts, it is a client of the server, and passes on bytes, ends
 * and losses. A client that does not read keeps the bridge from taking more than a socket's buffer from the server; a
 * server that does not read keeps it from taking more from the client than BRIDGE_ROOM.
 */
#ifndef PROBE_BRIDGE_H
#define PROBE_BRIDGE_H

#include <stdint.h>

#include "../../CJazzyPollTests/support/memory_transport.h"

enum { BRIDGE_ROOM = 8000 }; /* bytes on their way in either direction of a connection, at most */

typedef struct bridge bridge;

/*
 * Starts a thread that listens on 127.0.0.1 for clients of the server that listens on port `inner`, with a network that
 * has begun and gets an alarm here. `port` 0: any. NULL: it is in use.
 */
bridge *bridge_start(memory_network *network, uint16_t port, uint16_t inner);

uint16_t bridge_port(const bridge *self);

/* Passes on what the server has sent, closes all connections, and frees the bridge. Once the server has ended. */
void bridge_end(bridge *self);

#endif
