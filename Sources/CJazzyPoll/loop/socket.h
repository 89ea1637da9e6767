/* TCP sockets: the only place that calls accept, recv and send. Descriptors are non-blocking and close on exec. */
#ifndef JAZZY_LOOP_SOCKET_H
#define JAZZY_LOOP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/address.h"
#include "jazzy/error.h"
#include "jazzy/transport.h"

/* How a TCP socket listens. */
typedef struct jz_listening {
    uint32_t backlog;
    uint32_t keep_alive_seconds; /* before the kernel probes a silent peer; 0: it does not */
    bool shares_port;            /* with other listeners of this process (SO_REUSEPORT) */
} jz_listening;

/*
 * Binds and listens. `host` NULL: every address, IPv4 and IPv6. On success fills in the descriptor and the port that it
 * got.
 */
jz_status jz_socket_listen(const char *host, uint16_t port, const jz_listening *listening, int *descriptor,
                           uint16_t *bound_port, jz_error *error);

/* The port that a socket is bound to; 0 where it has none. */
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
    JZ_SOCKET_ENDED,     /* receive: the peer will send no more; accept: the listener was shut down, by whomever */
    JZ_SOCKET_BROKEN
} jz_socket_result;

/* Accepts a connection, which has what its listener has: TCP_NODELAY, keep-alive. BROKEN: that one connection was lost
 * before it was accepted. */
jz_socket_result jz_socket_accept(int listener, int *descriptor, jz_address *address);

jz_socket_result jz_socket_receive(int descriptor, uint8_t *bytes, size_t capacity, size_t *received);

/* Whether the connection broke, as by a reset. Tells it once. */
bool jz_socket_is_broken(int descriptor);

/* Bytes that the kernel was given and the peer's has not taken yet; 0 where that cannot be told. */
size_t jz_socket_unacknowledged(int descriptor);

/*
 * How many bytes the peer's kernel has taken, of a count that began anywhere: only the difference of two means
 * something. Where the system does not count them, as with Unix domain sockets, what was sent meanwhile is in it, too.
 */
uint64_t jz_socket_acknowledged(int descriptor);

/* The kernel is to keep about so many bytes beyond what the peer has room for, and no more. */
void jz_socket_limit_unsent(int descriptor, uint32_t limit);

/* Sends what the kernel takes of it, which may be less than `length`. */
jz_socket_result jz_socket_send(int descriptor, const uint8_t *bytes, size_t length, size_t *sent);

/* The same for what is the last, and once it is sent jz_socket_finish_sending: with one packet where the system can. */
jz_socket_result jz_socket_send_last(int descriptor, const uint8_t *bytes, size_t length, size_t *sent);

/* Sends several pieces, at most JZ_MOST_PIECES, with one system call; what the kernel takes of them. */
jz_socket_result jz_socket_send_pieces(int descriptor, const jz_piece *pieces, size_t count, size_t *sent);

/* Tells the peer that nothing more will be sent; receiving goes on. */
void jz_socket_finish_sending(int descriptor);

/*
 * Ends a connection, or listening, for good: also where a child of this process has the descriptor still, by fork,
 * which closing alone would leave open, with a peer that waits. What was sent goes on its way as it does with closing.
 * Take it out of the poll before, which watches what such a child has.
 */
void jz_socket_end(int descriptor);

/* Closes what others may have, too. */
void jz_socket_close(int descriptor);

#endif
