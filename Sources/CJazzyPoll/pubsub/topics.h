/*
 * pubsub/: topics and their subscribers, one message to many, what a broker is told of topics, what is kept of them,
 * who is a member. Not here: mailboxes of other threads, any particular broker.
 *
 * The topics of one shard, and which of its connections have subscribed to them.
 *
 * Only the shard's own thread changes them, holding the lock. It reads them without the lock, other threads with it.
 */
#ifndef JAZZY_PUBSUB_TOPICS_H
#define JAZZY_PUBSUB_TOPICS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "connection/connection.h"
#include "pubsub/hash_table.h"
#include "pubsub/seats.h"
#include "pubsub/traffic.h"

/* One topic that a connection has subscribed to. */
typedef struct jz_subscription {
    jz_topic *topic;
    size_t position; /* among the topic's subscribers */
} jz_subscription;

/* All subscriptions of one connection; NULL if it has none. */
typedef struct jz_subscriptions {
    jz_subscription *all;
    size_t count;
    size_t capacity;
} jz_subscriptions;

typedef struct jz_subscriber {
    jz_connection *connection;
    uint32_t position; /* among the connection's subscriptions */
    bool is_exact;     /* it gets every message, its own included, or is closed: see jazzy/history.h */
    bool is_enveloped; /* it gets them in envelopes; it is exact, too */
} jz_subscriber;

struct jz_topic {
    jz_hash_entry entry; /* first, so that a pointer to it points to its topic */
    jz_subscriber *subscribers;
    size_t count;
    size_t capacity;
    size_t name_length;
    jz_topic_traffic traffic;
    size_t enveloped; /* so many subscribers get envelopes */
    uint64_t offset;  /* of the message that they had last; unless there are none */
    char name[];
};

/*
 * Called when a topic gets its first subscriber on this shard, and when it has lost its last: on this thread, without
 * the lock.
 */
typedef struct jz_topics_owner {
    void *context;
    bool (*came)(void *context, jz_text topic); /* false: no memory, and the subscription fails */
    void (*went)(void *context, jz_text topic);
} jz_topics_owner;

typedef struct jz_topics {
    pthread_mutex_t lock;
    jz_hash_table table;
    const jz_topics_owner *owner; /* may be NULL; set before the first subscription, or by the first seat */
    jz_seats *seats;              /* NULL: nobody on this shard was a member of a topic yet */
    jz_topic *ended;              /* for `went`, once the lock is released; linked by `next` */
    _Atomic uint64_t topic_count; /* now; read by any thread, as is: */
    _Atomic uint64_t subscription_count;
    jz_traffic traffic;
    _Atomic uint64_t asked; /* subscriptions on their way from other threads; counted by them */
} jz_topics;

void jz_topics_init(jz_topics *topics);

/* The hashes of topics are made with this key instead of one of its own. Before the first subscription. */
static inline void jz_topics_set_key(jz_topics *topics, const jz_siphash_key *key)
{
    topics->table.key = *key;
}

/* Frees all. No connection may be subscribed any more. */
void jz_topics_destroy(jz_topics *topics);

/* The topic of that name, NULL if nobody has subscribed. */
jz_topic *jz_topics_find(const jz_topics *topics, jz_text name);

/* The same with the name's hash, which is made with the key. */
jz_topic *jz_topics_find_hashed(const jz_topics *topics, jz_text name, uint64_t hash);

/* Subscribes, unless it is subscribed already. False when there is no memory. */
bool jz_topics_subscribe(jz_topics *topics, jz_connection *connection, jz_text name);

/* Of a subscriber that begins nowhere, because a broker could not say where the topic is (jazzy/history.h). */
#define JZ_OFFSET_UNKNOWN UINT64_MAX

/*
 * The same for one that gets every message, or is closed; also if it is subscribed already. `offset` is that of the
 * last message that this loop has delivered, for those who get envelopes; if it is unknown, it stays that of the
 * others.
 */
bool jz_topics_subscribe_exactly(jz_topics *topics, jz_connection *connection, jz_text name, bool is_enveloped,
                                 uint64_t offset);

/* Returns whether the connection was subscribed. */
bool jz_topics_unsubscribe(jz_topics *topics, jz_connection *connection, jz_text name);

/*
 * Gives a connection the seat of an attendee, which it has entered as, before it subscribes to the topic, or after; it
 * leaves that seat when it unsubscribes. False: no memory, and the attendee is still the caller's.
 */
bool jz_topics_seat(jz_topics *topics, jz_presence *presence, jz_connection *connection, jz_attendee *attendee);

void jz_topics_unsubscribe_all(jz_topics *topics, jz_connection *connection);

/*
 * Whether a message that is published now may reach a subscriber, of whichever topic: false spares its way to this
 * shard. True also while a subscription is on its way that was asked for before. From any thread.
 */
static inline bool jz_topics_may_be_heard(const jz_topics *topics)
{
    /* In this order: what has arrived is a topic already. */
    return atomic_load_explicit(&topics->asked, memory_order_acquire) > 0 ||
           atomic_load_explicit(&topics->topic_count, memory_order_relaxed) > 0;
}

/* A subscription of another thread is on its way, until it has arrived, or is given up. */
static inline void jz_topics_ask(jz_topics *topics)
{
    atomic_fetch_add_explicit(&topics->asked, 1, memory_order_relaxed);
}

static inline void jz_topics_asked(jz_topics *topics)
{
    atomic_fetch_sub_explicit(&topics->asked, 1, memory_order_release);
}

bool jz_topics_is_subscribed(const jz_topics *topics, const jz_connection *connection, jz_text name);

#endif
