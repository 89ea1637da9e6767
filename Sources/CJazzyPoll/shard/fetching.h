/*
 * Those who wait until a broker has answered what it keeps of a topic, to begin behind a position: a broker is asked
 * once for all of them, and then each gets its replay by a letter. From any thread.
 */
#ifndef JAZZY_SHARD_FETCHING_H
#define JAZZY_SHARD_FETCHING_H

#include <stdint.h>

#include "pubsub/history.h"
#include "pubsub/shared_past.h"
#include "shard/shard.h"

/*
 * Lets a connection of the shard wait, and asks the broker unless that is asked already. Releases the topic. QUEUED;
 * DROPPED: no memory, or more wait than the mailboxes of all loops may have.
 */
jz_send_status jz_fetching_wait(jz_shard *shard, jz_ws ws, const jz_subscribe_options *options, jz_held_topic *held);

/* The broker has answered. `fetched` NULL: it does not know. */
void jz_fetching_answer(jz_server *server, int rule, jz_text topic, uint64_t number, const jz_fetched *fetched);

/* The connection does not want it any more. */
void jz_fetching_cancel(jz_server *server, int rule, jz_text topic, jz_ws ws);

/* Whoever waits for this topic begins with what is known now. */
void jz_fetching_hurry(jz_server *server, int rule, jz_text topic);

/* The same for all topics of which the answer is late; UINT64_MAX: of which there is none yet. */
void jz_fetching_expire(jz_server *server, uint64_t now_ms);

#endif
