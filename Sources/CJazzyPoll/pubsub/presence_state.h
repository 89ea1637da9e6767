/* The members of a jz_presence, for the files that implement pubsub/presence.h. */
#ifndef JAZZY_PUBSUB_PRESENCE_STATE_H
#define JAZZY_PUBSUB_PRESENCE_STATE_H

#include "pubsub/presence.h"

/* Rings once until it is said that what it was rung for is being looked at. */
typedef struct jz_presence_bell {
    void (*ring)(void *context);
    void *context;
    _Atomic bool has_rung;
} jz_presence_bell;

struct jz_presence {
    size_t limit;
    uint32_t max_members;
    size_t max_info;
    _Atomic size_t amount;
    jz_siphash_key key;         /* for topics, keys of members, */
    _Atomic uint64_t made_keys; /* and keys that are made: how many were */
    size_t most_told;           /* changes of a topic that are told in one call */
    jz_presence_bell tells;     /* rung when there is something to tell, */
    jz_presence_bell announces; /* or something for the company to do */

    /* Where a broker joins servers: */
    jz_server_id self;
    _Atomic bool has_company; /* until the company has ended */
    _Atomic uint64_t servers; /* for the statistics, as is: */
    _Atomic uint64_t guests;
    _Atomic uint64_t not_kept;
    _Atomic uint64_t malformed;

    pthread_mutex_t watch_lock; /* guards the next four; taken within a part's lock, never the reverse */
    jz_circle watches;
    uint64_t last_number;
    jz_watch *prefixes[JZ_MAX_WATCHED_PREFIXES];
    size_t watch_count;
    _Atomic uint64_t used_bits; /* of prefixes that are not NULL; changed with the lock */

    jz_presence_part parts[JZ_PRESENCE_PARTS];
};

static inline uint64_t jz_presence_hash(const jz_presence *presence, jz_text topic)
{
    return jz_siphash(&presence->key, topic.start, topic.length);
}

static inline jz_presence_part *jz_presence_part_of(jz_presence *presence, uint64_t hash)
{
    return &presence->parts[hash >> 32 & (JZ_PRESENCE_PARTS - 1)];
}

/* What all may take before what is on other servers is not kept: the rest is for the members here. */
static inline size_t jz_presence_limit_abroad(const jz_presence *presence)
{
    return presence->limit - presence->limit / 4;
}

/* The topic, which is added if there is none. NULL when there is no memory. Call it with the part's lock held. */
jz_presence_topic *jz_presence_reach(jz_presence *presence, jz_text topic, uint64_t hash);

/* Rings for what any topic of the part has, if it was not done since that was looked at last. */
void jz_presence_ring(jz_presence *presence, const jz_presence_part *part);

/* What there is from now on rings again. */
static inline void jz_presence_bell_answer(jz_presence_bell *bell)
{
    atomic_store(&bell->has_rung, false);
}

/*
 * Somebody is interested in who is a member of the topic, wherever: the company is to know it, if there is one. NULL:
 * the topic has no members. Call it with the part's lock held.
 */
jz_presence_topic *jz_presence_want(jz_presence *presence, jz_text topic, uint64_t hash);

/* The watched prefixes that a topic begins with. */
uint64_t jz_presence_prefixes_of(jz_presence *presence, jz_text topic);

void jz_watch_retain(jz_watch *watch);
void jz_watch_release(jz_watch *watch);

#endif
