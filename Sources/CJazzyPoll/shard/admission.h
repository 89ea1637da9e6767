/* Counts the connections of the process, of the server and of each address, and decides whether another is let in. */
#ifndef JAZZY_SHARD_ADMISSION_H
#define JAZZY_SHARD_ADMISSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/address.h"
#include "jazzy/options.h"
#include "pubsub/hash_table.h"
#include "jazzy/statistics.h"

typedef struct jz_address_count {
    jz_hash_entry entry; /* first, so that a pointer to it points to its count */
    uint64_t key[2];     /* the address, or its /64 network */
    uint32_t count;      /* at least 1 */
} jz_address_count;

typedef struct jz_admission {
    uint32_t max_connections; /* of the process */
    uint32_t max_handshakes;
    uint32_t max_per_address;

    _Atomic uint64_t connections; /* of the server, at present */
    _Atomic uint64_t peak;
    _Atomic uint64_t total;
    _Atomic uint64_t handshakes; /* connections that are not WebSockets yet */

    pthread_mutex_t
        lock; /* guards `addresses`: taken when connections begin and end, if their number per address is limited */
    jz_hash_table addresses;
} jz_admission;

/* All of these functions may be called from any thread. */

void jz_admission_init(jz_admission *admission, const jz_options *options);
void jz_admission_destroy(jz_admission *admission);

/*
 * Lets a connection in, and counts it as one whose handshake is not complete. Otherwise returns false, and why:
 * JZ_REFUSAL_MAX_CONNECTIONS or JZ_REFUSAL_MAX_HANDSHAKES.
 */
bool jz_admission_enter(jz_admission *admission, jz_refusal *why);

/*
 * A connection that was let in has ended; `is_handshake`: before its handshake was complete. Returns how many
 * connections the server still has.
 */
uint64_t jz_admission_leave(jz_admission *admission, bool is_handshake);

/* A connection's handshake is complete. */
void jz_admission_end_handshake(jz_admission *admission);

/*
 * Counts a connection of this address. False if the address has reached its limit, or if there is no memory. IPv6
 * addresses are counted by /64 network, which is what one subscriber gets (RFC 6177).
 */
bool jz_admission_count_address(jz_admission *admission, const jz_address *address);
void jz_admission_uncount_address(jz_admission *admission, const jz_address *address);

#endif
