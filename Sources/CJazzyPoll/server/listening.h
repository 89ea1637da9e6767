/*
 * server/: setting up, running, stopping and measuring a server. Not here: single connections.
 *
 * Listening: see also jazzy/server.h.
 */
#ifndef JAZZY_SERVER_LISTENING_H
#define JAZZY_SERVER_LISTENING_H

#include "jazzy/server.h"
#include "loop/socket.h"

/* Logs the addresses on which the server listens. */
void jz_server_tell_listeners(const jz_server *server);

/* How the server's TCP sockets are set up. */
jz_listening jz_server_listening(const jz_server *server, bool shares_port);

/* INVALID_OPTION if the transport lacks a function. `transport` NULL: none is needed. */
jz_status jz_server_expect_whole(const jz_transport *transport, const char *action, jz_error *error);

#endif
