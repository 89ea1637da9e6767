/* Sockets: the only place that calls accept, recv and send. Descriptors are non-blocking and close-on-exec. */
#ifndef JAZZY_LOOP_SOCKET_H
#define JAZZY_LOOP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/address.h"
#include "jazzy/error.h"
#include "jazzy/transport.h"
#include "platform/acknowledged.h"
#include "platform/platform.h"

/* How a TCP socket listens. */
typedef struct jz_listening {
    uint32_t backlog;
    uint32_t keep_alive_seconds; /* before the kernel probes a silent peer; 0: never */
    bool shares_port;            /* with this process's other listeners (platform/shared_port.h) */
} jz_listening;

/* Binds and listens. `host` NULL: every address, IPv4 and IPv6. On success fills in the descriptor and its port. */
jz_status jz_socket_listen(const char *host, uint16_t port, const jz_listening *listening, int *descriptor,
                           uint16_t *bound_port, jz_error *error);

/* The port that a socket is bound to; 0 if none. */
uint16_t jz_socket_port(int descriptor);

/*
 * Writes what a socket is bound to, and a NUL: "192.0.2.7:80", "[::]:80", or the path of a Unix domain socket, cut to
 * `size`.
 */
void jz_socket_describe(int descriptor, char *text, size_t size);

typedef enum jz_socket_result {
    JZ_SOCKET_OK,
    JZ_SOCKET_WOULD_BLOCK,
    JZ_SOCKET_EXHAUSTED, /* accept: no descriptors or no memory left; errno says which */
    JZ_SOCKET_ENDED,     /* receive: the peer will send no more; accept: the listener was shut down, perhaps by another
                            process */
    JZ_SOCKET_BROKEN
} jz_socket_result;

/*
 * Accepts a connection, which inherits its listener's options: TCP_NODELAY, keep-alive. BROKEN: that connection was
 * lost before it was accepted.
 */
jz_socket_result jz_socket_accept(int listener, int *descriptor, jz_address *address);

jz_socket_result jz_socket_receive(int descriptor, uint8_t *bytes, size_t capacity, size_t *received);

/* The address of a connected socket's peer. False if the descriptor is no connected socket. */
bool jz_socket_peer(int descriptor, jz_address *address);

/* Whether the connection broke, for instance by a reset. Returns true only once; never for what is no socket. */
bool jz_socket_is_broken(int descriptor);

/* Limits how many bytes the kernel buffers beyond the peer's receive window, to about `limit`. */
void jz_socket_limit_unsent(int descriptor, uint32_t limit);

/* Sends as much as the kernel takes, perhaps less than `length`. */
jz_socket_result jz_socket_send(int descriptor, const uint8_t *bytes, size_t length, size_t *sent);

/*
 * The same for the last bytes, behind which the socket must be ended at once: they go out in one packet with the end,
 * if the system can.
 */
jz_socket_result jz_socket_send_last(int descriptor, const uint8_t *bytes, size_t length, size_t *sent);

/* Sends as much as the kernel takes of several pieces, at most JZ_MOST_PIECES, with one system call. */
jz_socket_result jz_socket_send_pieces(int descriptor, const jz_piece *pieces, size_t count, size_t *sent);

/* Tells the peer that nothing more will be sent; receiving goes on. */
void jz_socket_finish_sending(int descriptor);

/*
 * Ends a connection, or listening, even if a forked child still has the descriptor: close alone would then leave the
 * socket open, and the peer waiting. Sent bytes are still delivered, as with close. Remove it from the poll before: the
 * poll would go on watching the child's copy.
 */
void jz_socket_end(int descriptor);

/* Closes only our descriptor of a socket that other processes may have, too. */
void jz_socket_close(int descriptor);

#endif
