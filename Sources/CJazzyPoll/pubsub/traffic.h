/*
 * Which topics of one shard are the busiest, while somebody looks. Nothing is counted while nobody does: then a
 * publication only reads one flag.
 *
 * What was published to a topic is counted in the topic itself, for the period that runs; the counts of any other
 * period are nothing. The busiest are known at any time, so that nobody has to walk through all topics: a topic that
 * becomes busier than the least of them takes its place.
 */
#ifndef JAZZY_PUBSUB_TRAFFIC_H
#define JAZZY_PUBSUB_TRAFFIC_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/siphash.h"
#include "jazzy/insight.h"

typedef struct jz_topic jz_topic;

/* Counting ends so long after the last look. */
enum { JZ_TRAFFIC_LASTS_MS = 5000 };

/* Of one topic, in each topic. Guarded by the lock of jz_traffic. */
typedef struct jz_topic_traffic {
    uint32_t period; /* that it was counted in; 0: none */
    uint32_t place;  /* among the busiest of that period, from 1; 0: it is not one of them */
    uint32_t publications;
    uint32_t deliveries;
    uint64_t bytes;
} jz_topic_traffic;

typedef struct jz_traffic {
    _Atomic bool is_counted; /* somebody looks. Read by the shard's thread without the lock */
    pthread_mutex_t lock;    /* guards all that follows; taken by the shard's thread only while is_counted */
    uint64_t ends_ms;        /* counting ends, by the timers' clock */
    uint32_t period;         /* from 1 */
    uint32_t count;
    uint64_t least; /* none of the busiest has less; while there are fewer than may be, 0 */
    jz_topic *busiest[JZ_MOST_LOOKED_AT];
} jz_traffic;

void jz_traffic_init(jz_traffic *traffic);
void jz_traffic_destroy(jz_traffic *traffic);

/* A topic got a publication. On the shard's own thread, and only while is_counted. */
void jz_traffic_note(jz_traffic *traffic, jz_topic *topic, size_t deliveries, size_t bytes, uint64_t now_ms);

/* A topic is about to be freed. On the shard's own thread. */
void jz_traffic_forget(jz_traffic *traffic, jz_topic *topic);

/* A topic as one loop knows it. */
typedef struct jz_busy_topic {
    uint64_t name_hash; /* of the whole name, with the key that was given */
    jz_topic_look look;
} jz_busy_topic;

/*
 * Writes the busiest topics of the period to `topics`, in no order, returns how many there are, and begins a new
 * period. Call it with the lock of the topics. From any thread.
 */
size_t jz_traffic_take(jz_traffic *traffic, uint64_t now_ms, const jz_siphash_key *key,
                       jz_busy_topic topics[JZ_MOST_LOOKED_AT]);

#endif
