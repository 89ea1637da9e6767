/* One message to all subscribers of a topic on one shard, on the shard's thread. Nothing here calls a handler. */
#ifndef JAZZY_PUBSUB_FAN_OUT_H
#define JAZZY_PUBSUB_FAN_OUT_H

#include "output/publication.h"
#include "pubsub/topics.h"
#include "output/turn.h"

/* SENT, DROPPED if there is no memory, or CLOSED if nothing can be sent to the connection any more. */
jz_send_status jz_connection_subscribe(jz_topics *topics, jz_connection *connection, jz_text topic);

/*
 * Gives a publication to every subscriber of the topic, which is NULL if there are none, except `sender`, which may be
 * NULL. Those who get every message get their own, too, and are closed if they cannot get one; some of these get it in
 * an envelope.
 */
void jz_fan_out(jz_turn *turn, jz_topics *topics, jz_topic *topic, jz_publication *publication,
                const jz_connection *sender);

/*
 * Closes those who get every message, because some are missing now: all of this topic, or of all topics. At once,
 * before the next message: it is no more work than a message to each of them.
 */
void jz_fan_out_gap(jz_turn *turn, const jz_topics *topics, jz_text topic);
void jz_fan_out_gaps(jz_turn *turn, const jz_topics *topics);

#endif
