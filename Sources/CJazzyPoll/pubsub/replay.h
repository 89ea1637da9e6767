/* What a subscription at a position begins with: how it begins, and the kept messages that come first. */
#ifndef JAZZY_PUBSUB_REPLAY_H
#define JAZZY_PUBSUB_REPLAY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/history.h"
#include "output/publication.h"
#include "output/turn.h"
#include "pubsub/topics.h"

/* Shared by those who begin alike: it does not change once the first of them has it. */
typedef struct jz_replay {
    _Atomic uint32_t references;
    jz_subscribed begins;
    bool announces;
    bool envelops;
    size_t count;
    jz_publication *publications[]; /* retained */
} jz_replay;

/* Room for so many publications, none of which is there yet. NULL when there is no memory. */
jz_replay *jz_replay_create(size_t capacity);

/* Adds one, which is retained. */
void jz_replay_add(jz_replay *replay, jz_publication *publication);

/* For one more who begins so. */
void jz_replay_retain(jz_replay *replay);

/* Gives up one reference, and frees it with the last. NULL does nothing. */
void jz_replay_free(jz_replay *replay);

/*
 * Subscribes the connection, and sends it the replay, on its loop's thread. DROPPED: there was no memory to subscribe,
 * and nothing was sent. If there is none to send everything, the connection is closed as one that is behind.
 */
jz_send_status jz_replay_play(jz_turn *turn, jz_topics *topics, jz_connection *connection, jz_text topic,
                              const jz_replay *replay);

#endif
