/*
 * What a server keeps of its topics (jazzy/history.h), and the order of their messages.
 *
 * Publishers on all threads, and loops that are all to send the messages of a topic in one order: the order is that in
 * which a publisher holds the lock of the topic's part. Holding it, it gives the message its offset, keeps it, and
 * posts it to all loops. So each loop's mailbox has the messages of the topic in the order of their offsets. A loop
 * that publishes itself may deliver at once to its own subscribers only if its mailbox is empty while it holds the
 * lock: then it has delivered all earlier ones.
 *
 * The same for who subscribes at a position. Holding the lock, a replay is taken of what it has missed, up to the
 * newest message, and posted to its loop, unless that is the caller's and its mailbox is empty. In either case the loop
 * has then delivered exactly the messages up to the newest of the replay, to others, and none after it: it sends the
 * replay, and the subscriber gets all that the loop delivers from then on. There is nothing to compare.
 *
 * Topics are divided into parts by their hash, so that publishers to different topics seldom wait for each other.
 */
#ifndef JAZZY_PUBSUB_HISTORY_H
#define JAZZY_PUBSUB_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/siphash.h"
#include "codec/text.h"
#include "jazzy/history.h"
#include "loop/loop.h"
#include "pubsub/past.h"
#include "pubsub/replay.h"

typedef struct jz_history jz_history;
typedef struct jz_history_part jz_history_part;

/* `limit`: of bytes for all topics. `key`: of the topics' hashes. NULL when there is no memory. */
jz_history *jz_history_create(size_t limit, const jz_siphash_key *key);

/* NULL does nothing. */
void jz_history_destroy(jz_history *history);

/* Adds a rule, whose options are checked. Before any other thread uses it. False when there is no memory. */
bool jz_history_add_rule(jz_history *history, jz_text prefix, const jz_history_options *options);

/* How many rules there are, and whether there is one for exactly this prefix. */
size_t jz_history_rule_count(const jz_history *history);
bool jz_history_has_rule(const jz_history *history, jz_text prefix);

/* The number of the rule for a topic; -1: it has no history. From any thread. */
int jz_history_rule_for(const jz_history *history, jz_text topic);

/* The options of a rule. */
const jz_history_options *jz_history_options_of(const jz_history *history, int rule);

/* A topic, whose part's lock is held. */
typedef struct jz_held_topic {
    jz_history *history;
    jz_history_part *part;
    uint32_t rule;
    uint32_t tick;
    jz_text name;
    uint64_t hash;
    jz_past *past; /* NULL: there is none */
} jz_held_topic;

/* Takes the lock. `now_ms` is the time by the timers' clock. */
void jz_history_hold(jz_history *history, int rule, jz_text topic, uint64_t now_ms, jz_held_topic *held);

/* Gives the lock back, and then forgets what exceeds the limit. */
void jz_history_release(jz_held_topic *held);

/* Makes sure that the next call cannot fail. False: no memory. */
bool jz_history_prepare(jz_held_topic *held);

/* Gives a publication the topic's next offset, and keeps it. */
void jz_history_append(jz_held_topic *held, jz_publication *publication);

/* Forgets what has become too old of it. */
void jz_history_forget_too_old(jz_held_topic *held);

/* Both. False: there is no memory, and it is not kept. */
bool jz_history_keep(jz_held_topic *held, jz_publication *publication);

/*
 * All of this, on the thread of the server's only loop, if it has delivered all earlier messages: its mailbox is empty.
 * The caller delivers the message. False: that is not so, or there is no memory, and nothing was kept.
 */
bool jz_history_keep_alone(jz_history *history, int rule, jz_text topic, jz_loop *loop, jz_publication *publication,
                           uint64_t *hash);

/* Takes what a subscription with these options begins with, and counts it. NULL when there is no memory. */
jz_replay *jz_history_take(jz_held_topic *held, const jz_subscribe_options *options);

/* Counts one that begins as another has. */
void jz_history_count_replay(jz_held_topic *held, const jz_subscribe_options *options, bool has_recovered);

/*
 * Messages of the topic, or of all topics, may have been missed here: what positions were given until now are none to
 * continue at any more. What is kept remains, under another epoch. From any thread.
 */
void jz_history_renew(jz_history *history, jz_text topic);
void jz_history_renew_all(jz_history *history);

/* Frees what has become too old, in all parts. From any thread. */
void jz_history_sweep(jz_history *history, uint64_t now_ms);

jz_history_statistics jz_history_count(jz_history *history);

#endif
