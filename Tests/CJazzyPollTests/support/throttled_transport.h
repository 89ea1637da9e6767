/*
 * A transport over real sockets that passes bytes on as they are, so that every client can be one of its peers, but
 * does so in all the ways in which TLS is unlike a socket: with a handshake of several steps, of which some want to
 * write; a few bytes at a time, by chance and by seed, out of a little buffer of which no poll knows; records that are
 * taken only when all of them has gone; reading that has to wait for writing; and an end of its own. It ends the
 * process where the server breaks the rules of jazzy/transport.h. It needs nothing but this header and random.h.
 */
#ifndef JAZZY_TESTS_THROTTLED_TRANSPORT_H
#define JAZZY_TESTS_THROTTLED_TRANSPORT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/transport.h"

/* The context of the transport; what is not set is 0. Constant while a server listens, but for what it counts. */
typedef struct throttled {
    uint64_t seed;
    size_t most_received; /* bytes of one call, at most; 0: 4,096 */
    size_t most_sent;     /* of one record; 0: 4,096 */
    uint32_t steps;       /* of a handshake, at most */
    uint32_t contrary;    /* of so many calls one wants something else first, or has nothing after all; 0: none */
    uint32_t failing;     /* of so many calls one is the last, for the connection is lost; 0: none */

    atomic_size_t opened; /* channels */
    atomic_size_t closed;
    atomic_size_t ended; /* those that have told their peers the end */
    atomic_size_t lost;
} throttled;

/* What `failure` says of those that were lost because of `failing`. */
#define THROTTLED_FAILURE "the throttle was closed"

extern const jz_transport throttled_transport;

#endif
