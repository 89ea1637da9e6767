/* How many connections there are, of the process, of the server, and of each address; and whether another is let in. */
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
    jz_hash_entry entry; /* first, so that an entry is its count */
    uint64_t key[2];     /* the address, or its network */
    uint32_t count;      /* at least 1 */
} jz_address_count;

typedef struct jz_admission {
    uint32_t max_connections; /* of the process */
    uint32_t max_handshakes;
    uint32_t max_per_address;

    _Atomic uint64_t connections; /* of the server, now */
    _Atomic uint64_t peak;
    _Atomic uint64_t total;
    _Atomic uint64_t handshakes; /* those of the connections that are no WebSockets yet */

    pthread_mutex_t lock; /* of what follows: taken where connections begin and end, if addresses are limited */
    jz_hash_table addresses;
} jz_admission;

/* All of these may be called from any thread. */

void jz_admission_init(jz_admission *admission, const jz_options *options);
void jz_admission_destroy(jz_admission *admission);

/*
 * Lets a connection in, as one whose handshake is under way. Else returns false, and why: JZ_REFUSAL_MAX_CONNECTIONS or
 * JZ_REFUSAL_MAX_HANDSHAKES.
 */
bool jz_admission_enter(jz_admission *admission, jz_refusal *why);

/* A connection that was let in has ended; `is_handshake`: before its handshake did. Returns how many the server has. */
uint64_t jz_admission_leave(jz_admission *admission, bool is_handshake);

/* A handshake has ended, and its connection goes on. */
void jz_admission_end_handshake(jz_admission *admission);

/*
 * Counts a connection of this address. False when it has as many as it may, or when there is no memory to count with.
 * An IPv6 address counts with its /64, which is what one subscriber gets (RFC 6177).
 */
bool jz_admission_count_address(jz_admission *admission, const jz_address *address);
void jz_admission_uncount_address(jz_admission *admission, const jz_address *address);

#endif
