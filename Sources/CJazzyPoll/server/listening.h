/*
 * server/: setting up, running, stopping and measuring a server. Not here: single connections.
 *
 * How a server comes to listen.
 */
#ifndef JAZZY_SERVER_LISTENING_H
#define JAZZY_SERVER_LISTENING_H

#include "jazzy/server.h"

/* Tells the log where the server listens. */
void jz_server_tell_listeners(const jz_server *server);

#endif
