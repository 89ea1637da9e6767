/* Sockets as this library needs them: non-blocking, closed by exec, and without signals. */
#ifndef JAZZY_PLATFORM_DESCRIPTORS_H
#define JAZZY_PLATFORM_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/socket.h>

/* A new socket, as by socket: -1 on failure, and errno says why. */
int jz_socket_open(int family, int type, int protocol);

/*
 * Accepts a connection, as by accept. Where one call cannot do all, a child that is forked meanwhile may have the
 * socket, too.
 */
int jz_socket_take(int listener, struct sockaddr *address, socklen_t *length);

/* Sending to a peer that has gone raises no signal, where the flags of send do not say so (platform/sending.h). */
void jz_socket_raise_no_signal(int descriptor);

/* Whether a socket listens. True also where the system does not tell. */
bool jz_socket_is_listening(int descriptor);

#endif
