/*
 * A server's membership among those whose topics a broker joins (jazzy/broker.h): what the broker is told, and from
 * when until when.
 *
 * Any thread may publish, also when the server has ended. So each that hands something to the broker is counted
 * meanwhile, and the broker is stopped when nobody is: who comes later sees that it is over. Both are sequentially
 * consistent: either it is seen to be over, or the count is seen.
 */
#ifndef JAZZY_PUBSUB_MEMBERSHIP_H
#define JAZZY_PUBSUB_MEMBERSHIP_H

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
    JZ_MEMBERSHIP_OVER   /* it is stopped, or is as soon as nobody publishes */
} jz_membership_state;

typedef struct jz_membership {
    jz_broker broker;
    jz_interest interest;
    jz_topics_owner owner; /* of the topics of every shard */
    _Atomic int state;     /* a jz_membership_state */
    _Atomic uint32_t publishers;
    _Atomic bool is_lost; /* the others cannot be reached */
    _Atomic uint64_t losses;
    _Atomic uint64_t published;
    _Atomic uint64_t refused;
    _Atomic uint64_t delivered;
} jz_membership;

/* Copies the table. NULL when there is no memory. */
jz_membership *jz_membership_create(const jz_broker *broker);

/* After the topics whose owner it is. NULL does nothing. */
void jz_membership_destroy(jz_membership *membership);

/* Starts the broker; may be tried again where that fails. */
jz_status jz_membership_start(jz_membership *membership, jz_server *server, jz_error *error);

/* Stops the broker, if it was started. No loop runs any more. */
void jz_membership_stop(jz_membership *membership);

/* Hands over what was published here. SENT; DROPPED: it is not taken; CLOSED: the broker has not begun, or is over. */
jz_send_status jz_membership_publish(jz_membership *membership, jz_text topic, jz_message_kind kind, const void *bytes,
                                     size_t length);

/*
 * The others cannot be reached, or can again; then the broker is told of all topics, and `told` is how many. Returns
 * whether that is new.
 */
bool jz_membership_set_joined(jz_membership *membership, bool is_joined, size_t *told);

/* Counts what was delivered, and taken. */
void jz_membership_count_delivered(jz_membership *membership);

jz_broker_statistics jz_membership_statistics(const jz_membership *membership);

#endif
