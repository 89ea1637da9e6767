/*
 * A transport over real sockets that passes bytes on unchanged, so that every client can be its peer, but behaves like
 * TLS in all ways that differ from a socket: a handshake of several steps, some of which need to write; a few bytes at
 * a time, at random by a seed, from a small buffer that the poll does not know; records that are accepted only when all
 * of them was sent; reading that must wait for writing; and its own end of stream. It aborts the process if the server
 * breaks the rules of jazzy/transport.h. It needs nothing but this header and random.h.
 */
#ifndef JAZZY_TESTS_THROTTLED_TRANSPORT_H
#define JAZZY_TESTS_THROTTLED_TRANSPORT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/transport.h"

/* The context of the transport; unset fields are 0. Constant while a server listens, except for its counters. */
typedef struct throttled {
    uint64_t seed;
    size_t most_received; /* bytes of one call, at most; 0: 4,096 */
    size_t most_sent;     /* of one record; 0: 4,096 */
    uint32_t steps;       /* of a handshake, at most */
    uint32_t contrary;    /* of so many calls one wants something else first, or has nothing after all; 0: none */
    uint32_t failing;     /* of so many calls one is the last, for the connection is lost; 0: none */

    atomic_size_t opened; /* channels */
    atomic_size_t closed;
    atomic_size_t ended; /* channels that have told their peers the end */
    atomic_size_t lost;
} throttled;

/* The result of `failure` for channels that were lost because of `failing`. */
#define THROTTLED_FAILURE "the throttle was closed"

extern const jz_transport throttled_transport;

#endif
