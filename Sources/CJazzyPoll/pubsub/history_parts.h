/* Private to the files of histories: what a history has, and what they do with it, holding the lock of the part. */
#ifndef JAZZY_PUBSUB_HISTORY_PARTS_H
#define JAZZY_PUBSUB_HISTORY_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "pubsub/hash_table.h"
#include "pubsub/history.h"
#include "pubsub/history_rules.h"
#include "pubsub/shared_past.h"

enum { JZ_HISTORY_PARTS = 16 };

struct jz_history_part {
    pthread_mutex_t lock;
    jz_hash_table table;
    uint64_t epoch;                      /* of topics that become known now: see epoch_of */
    jz_past_list empty;                  /* those of which nothing is kept */
    jz_past_list kept[JZ_MAX_HISTORIES]; /* the others, by their rule: so their ages have one order */
    uint64_t topics, messages;           /* counts */
    uint64_t recovered, not_recovered;
    jz_past *fetching; /* those that a broker is asked for, linked by what they share */
};

struct jz_history {
    size_t limit;
    _Atomic size_t amount;         /* of all parts */
    _Atomic size_t waiting_amount; /* of those who wait for a broker */
    _Atomic uint64_t fetches;      /* that a broker was asked for */
    jz_siphash_key key;            /* which part a topic is in */
    jz_history_rules rules;
    jz_history_part parts[JZ_HISTORY_PARTS];
};

static inline void jz_history_add_amount(jz_history *history, size_t amount)
{
    atomic_fetch_add_explicit(&history->amount, amount, memory_order_relaxed);
}

static inline void jz_history_subtract_amount(jz_history *history, size_t amount)
{
    atomic_fetch_sub_explicit(&history->amount, amount, memory_order_relaxed);
}

/* What a topic counts for the limit, besides its messages. */
static inline size_t jz_past_cost(const jz_past *past)
{
    return JZ_PAST_COST + past->name_length + (past->sharing != NULL ? sizeof(jz_sharing) : 0);
}

static inline void jz_history_forget_oldest(jz_history *history, jz_history_part *part, jz_past *past)
{
    jz_history_subtract_amount(history, jz_past_forget_oldest(past) + JZ_KEPT_COST);
    part->messages--;
}

/*
 * Puts a topic into the list where it belongs: something was published to it, or forgotten of it. One that a broker
 * keeps is in none while nothing is kept of it here, because it is not forgotten as long as it is used.
 */
static inline void jz_history_list(jz_history_part *part, jz_past *past)
{
    jz_past_list *kept = &part->kept[past->rule];
    if (JZ_LIKELY(past->ring.count > 0)) {
        if (past != kept->newest)
            jz_past_move(past, kept);
        return;
    }
    jz_past_shrink(past);
    jz_past_move(past, past->sharing == NULL ? &part->empty : NULL);
}

static inline bool jz_history_exceeds(const jz_history *history)
{
    return atomic_load_explicit(&history->amount, memory_order_relaxed) > history->limit;
}

/* Forgets what exceeds the limit, in all parts. Without a lock. */
void jz_history_forget_beyond_limit(jz_history *history);

/* Forgets a topic of which nothing is kept. */
void jz_history_forget_topic(jz_history *history, jz_history_part *part, jz_past *past);

#endif
