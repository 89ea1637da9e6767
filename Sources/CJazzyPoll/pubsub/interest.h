/*
 * The topics that a server has subscribers of, over all its shards, for a broker that wants to know: it is told of the
 * first and the last of each, in the order in which they came and went.
 *
 * Several shards may have their first and their last subscriber of a topic at the same time. So the broker is told
 * under the lock that what it is told was found out with. Nobody has another lock of the server's when taking this one.
 *
 * Measured with 100,000 topics, beside what the broker does: the first subscriber of a topic takes 540 instructions
 * more than without a broker (0.4 µs), its last 480 (0.2 µs), and telling of all of them 26 each (0.04 µs).
 */
#ifndef JAZZY_PUBSUB_INTEREST_H
#define JAZZY_PUBSUB_INTEREST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "pubsub/hash_table.h"
#include "jazzy/broker.h"

typedef struct jz_interest {
    const jz_broker *broker;
    pthread_mutex_t lock; /* of what follows, which any thread may count */
    jz_hash_table table;
    _Atomic uint64_t topic_count;
    bool is_over; /* the broker is told nothing any more */
} jz_interest;

/* `broker` outlives it. */
void jz_interest_init(jz_interest *interest, const jz_broker *broker);
void jz_interest_destroy(jz_interest *interest);

/* A shard has its first subscriber of a topic. False: no memory, and nothing has changed. From any thread. */
bool jz_interest_came(jz_interest *interest, jz_text topic);

/* A shard that came has lost its last. From any thread. */
void jz_interest_went(jz_interest *interest, jz_text topic);

/* Tells the broker of every topic, as if each were new. Returns of how many. From any thread. */
size_t jz_interest_tell_all(jz_interest *interest);

/* Once this returns the broker is told nothing any more. */
void jz_interest_end(jz_interest *interest);

#endif
