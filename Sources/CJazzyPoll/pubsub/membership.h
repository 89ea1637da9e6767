/*
 * A server's membership in a group of servers whose topics a broker joins (jazzy/broker.h): the calls of the broker,
 * and the time between its start and its stop.
 *
 * Any thread may publish, even when the server has ended. So threads are counted while they call the broker, and the
 * broker is stopped when none does; later callers see that it is over. Both are sequentially consistent: either the
 * caller sees that it is over, or the stopping thread sees the count. Who asks for the broker's report, which is rare,
 * takes a lock instead: when it is over, the last report is there for all.
 */
#ifndef JAZZY_PUBSUB_MEMBERSHIP_H
#define JAZZY_PUBSUB_MEMBERSHIP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/broker.h"
#include "pubsub/interest.h"
#include "pubsub/topics.h"

typedef enum jz_membership_state {
    JZ_MEMBERSHIP_PLANNED,
    JZ_MEMBERSHIP_BEGUN, /* the broker was started */
    JZ_MEMBERSHIP_OVER   /* it was stopped, or is as soon as no thread calls it */
} jz_membership_state;

typedef struct jz_membership {
    jz_broker broker;
    jz_interest interest;
    jz_topics_owner owner; /* of every shard's topics */
    _Atomic int state;     /* a jz_membership_state */
    _Atomic uint32_t callers;
    _Atomic bool is_lost; /* the broker is not connected to the other servers */
    _Atomic uint64_t losses;
    _Atomic uint64_t published;
    _Atomic uint64_t refused;
    _Atomic uint64_t delivered;
    pthread_mutex_t report_lock; /* guards the other two, and is held while the broker makes its report */
    bool has_last_report;
    jz_broker_report last_report;
} jz_membership;

/* Copies the broker's table. NULL when there is no memory. */
jz_membership *jz_membership_create(const jz_broker *broker);

/* Call it after destroying the topics, whose owner it is. NULL does nothing. */
void jz_membership_destroy(jz_membership *membership);

/* Starts the broker; may be tried again if that fails. */
jz_status jz_membership_start(jz_membership *membership, jz_server *server, jz_error *error);

/* Stops the broker, if it was started. No loop may run any more. */
void jz_membership_stop(jz_membership *membership);

/* Whether the broker delivers to this server's subscribers, too, what is published here. */
static inline bool jz_membership_is_ordered(const jz_membership *membership)
{
    return membership->broker.is_ordered;
}

/*
 * Passes a publication of this server to the broker; `except` is the connection that does not receive it, or zero.
 * Unless `is_flushed_later`, by jz_membership_flush, the broker is told at once that no other follows. SENT; DROPPED:
 * the broker did not accept it; CLOSED: the broker was not started yet, or is over.
 */
jz_send_status jz_membership_publish(jz_membership *membership, bool is_flushed_later, jz_ws except, jz_text topic,
                                     jz_message_kind kind, const void *bytes, size_t length);

/*
 * The same for what the server itself has to say to others, on a topic of its own: it is passed on at once, and counted
 * nowhere. Returns whether the broker has accepted it.
 */
bool jz_membership_say(jz_membership *membership, jz_text topic, const void *bytes, size_t length);

/* Whether the broker keeps the histories. */
static inline bool jz_membership_keeps(const jz_membership *membership)
{
    return membership->broker.publish_kept != NULL;
}

/* Passes a publication to a broker that keeps it, as jz_membership_publish does. */
jz_send_status jz_membership_publish_kept(jz_membership *membership, bool is_flushed_later, jz_ws except, jz_text topic,
                                          const jz_history_options *history, jz_message_kind kind, const void *bytes,
                                          size_t length);

/* Asks such a broker for what it keeps of a topic. False: it cannot be asked. From any thread. */
bool jz_membership_fetch(jz_membership *membership, jz_text topic, const jz_history_options *history, uint64_t number);

/* Whether the broker is connected to the other servers. From any thread. */
static inline bool jz_membership_is_joined(const jz_membership *membership)
{
    return !atomic_load(&membership->is_lost);
}

/* Tells the broker that what it was passed is all for now. From any thread. */
void jz_membership_flush(jz_membership *membership);

/* Whether publications of the other servers to a topic arrive. From any thread. */
bool jz_membership_is_live(jz_membership *membership, jz_text topic);

/*
 * The connection to the other servers was lost, or is there again: then the broker is told of all topics, and `told` is
 * their number. Returns whether this is a change.
 */
bool jz_membership_set_joined(jz_membership *membership, bool is_joined, size_t *told);

/* Counts a delivered and accepted publication. */
void jz_membership_count_delivered(jz_membership *membership);

jz_broker_statistics jz_membership_statistics(jz_membership *membership);

#endif
