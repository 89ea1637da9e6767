/* Listening sockets that are not bound to an address of the network, or were bound by somebody else. */
#ifndef JAZZY_LOOP_LISTENING_SOCKET_H
#define JAZZY_LOOP_LISTENING_SOCKET_H

#include <stdint.h>

#include "jazzy/error.h"
#include "socket.h"

/* What every connection of a TCP listener is to have: they inherit it. */
void jz_socket_prepare_tcp(int descriptor, const jz_listening *listening);

/* Listens on a Unix domain socket, in place of one that nobody listens on. */
jz_status jz_socket_listen_unix(const char *path, uint32_t backlog, int *descriptor, jz_error *error);

/* Prepares a socket that listens already. It stays open where this fails. */
jz_status jz_socket_adopt(int descriptor, const jz_listening *listening, jz_error *error);

/* Removes the file of a Unix domain socket. */
void jz_socket_remove_file(const char *path);

#endif
