/*
 * server/: setting up, running, stopping and measuring a server. Not here: single connections.
 *
 * Listening: see also jazzy/server.h.
 */
#ifndef JAZZY_SERVER_LISTENING_H
#define JAZZY_SERVER_LISTENING_H

#include "jazzy/server.h"

/* Logs the addresses on which the server listens. */
void jz_server_tell_listeners(const jz_server *server);

#endif
