/*
 * link/: the broker: its thread, its connections to Redis, the queue of what is published, the probe. Not here: what a
 * loss is, and which topics are wanted.
 *
 * Threads. Loops and others publish into the queue, and say which topics are wanted; each of both has a lock, which is
 * held for a moment, and a bell wakes the broker's thread where it sleeps. All else belongs to that thread, but what is
 * atomic, and what `state_lock` guards. No lock is held while a function of the server or of the application is called.
 *
 * hiredis. The connections are not those of hiredis, whose asynchronous ones look names up on the calling thread, copy
 * every command twice, have an allocation for each part of each reply, and cannot say of a lost connection which
 * commands were answered. Its reader parses what Redis answers, but for what comes by the thousand (quick.h).
 */
#ifndef JAZZY_REDIS_LINK_LINK_H
#define JAZZY_REDIS_LINK_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "history/fetches.h"
#include "jazzy/redis.h"
#include "link/bell.h"
#include "link/peer.h"
#include "link/queue.h"
#include "link/sentinels.h"
#include "settings/settings.h"
#include "topics/asked.h"
#include "topics/topics.h"

enum {
    JZ_REDIS_SCRATCH_SIZE = 64 * 1024,
    JZ_REDIS_MOST_LOGGED = 4,
    JZ_REDIS_ALONE_MS = 1000,                   /* how long starting waits for Redis where it need not be there */
    JZ_REDIS_LONGEST_FETCHED = 16 * 1024 * 1024 /* more than a script answers (history/scripts.h) */
};

/* What came of starting, for who waits for it. Stopped: the server was, before there was an outcome. */
typedef enum jz_redis_outcome {
    JZ_REDIS_STARTING,
    JZ_REDIS_STARTED,
    JZ_REDIS_NOT_STARTED,
    JZ_REDIS_STOPPED
} jz_redis_outcome;

/* Where Sentinels say that the master is. */
typedef struct jz_redis_found {
    char host[JZ_REDIS_HOST_SIZE];
    uint16_t port; /* 0: they have not said */
    uint64_t asked_ms;
} jz_redis_found;

/* The probe: what this process publishes to itself. */
typedef struct jz_redis_probe {
    bool is_used;
    uint64_t sent_us;    /* the last one, which is its number, too */
    uint64_t unheard_ms; /* since when one is on its way; 0: none is */
    uint64_t next_ms;
} jz_redis_probe;

struct jz_redis {
    jz_redis_settings settings;
    jz_broker table;
    uint64_t origin;
    char where[128]; /* for logs */
    jz_redis_bell bell;
    jz_server *server;
    jz_broker_batch *batch; /* of the thread, between the start and the end */
    pthread_t thread;
    bool is_running;

    jz_redis_queue queue;

    pthread_mutex_t topics_lock;  /* guards the next six */
    jz_redis_list asked_to_fetch; /* which the thread has not seen yet */
    jz_redis_topics *topics;
    jz_redis_asked asked;    /* on the subscribed connection */
    bool has_rung;           /* the thread will look at the topics */
    bool has_lost_topic;     /* there was no memory for one: the server is to be asked again */
    uint64_t topics_look_ms; /* when the thread looks at them, unless the bell is rung */

    pthread_mutex_t state_lock; /* guards the outcome, and what a start has failed by */
    jz_redis_bell concluded;    /* rung then, while starting is waited for */
    jz_redis_outcome outcome;
    char failure[JZ_REDIS_FAILURE_SIZE + 64];

    atomic_bool is_stopping;
    atomic_bool is_up; /* joined */
    atomic_bool
        is_subscribed; /* the subscribed connection is ready, and the channels that are no topics are acknowledged */
    _Atomic uint64_t heard_ms;
    _Atomic uint64_t reconnects;
    _Atomic uint64_t gaps;
    _Atomic uint64_t received;
    _Atomic uint64_t echoes;
    _Atomic uint64_t duplicates;
    _Atomic uint64_t unreadable;
    _Atomic uint64_t lag_us;
    _Atomic uint64_t fetched;
    _Atomic uint64_t not_fetched;
    atomic_bool keeps; /* something was published to a topic with history, or fetched */

    /* Of the thread alone. */
    jz_redis_peer publisher;
    jz_redis_peer subscriber;
    jz_redis_sentinels sentinels;
    jz_redis_found found;
    jz_redis_probe probe;
    jz_redis_fetches fetches;
    uint64_t fetch_epochs; /* as of the queue */
    uint64_t doubt_ms;     /* what was published since then this Redis may have taken */
    uint64_t all_told_ms;  /* a gap of every topic was told then, or later */
    uint64_t held_turn;    /* of topics, for which messages wait; 0: none do */
    uint64_t held_ms;      /* since when */
    bool has_differed;     /* both connections were at different Redis, and one was given up for that */
    unsigned own_channels; /* acknowledged */
    uint64_t now_ms;       /* since the thread last woke */
    uint64_t start_ms;
    uint64_t stop_ms;        /* when it has taken long enough; 0: not asked to stop */
    uint64_t alone_ms;       /* since when it is not joined; 0: it is */
    uint64_t gaps_before;    /* `gaps` then */
    uint64_t gaps_due_ms;    /* when gaps are told that no acknowledgement and no message tells; 0: none */
    uint64_t refused_due_ms; /* when topics that Redis refused are tried again; 0: there are none */
    size_t refused_now;      /* since they were tried, and not before */
    size_t to_retry;         /* so many of them are still to be tried this time */
    bool is_held;            /* not joined again before `retold_ms`, because there was no memory for a topic */
    uint64_t retold_ms;
    bool has_forgotten;  /* topics were missing, until the next time that it is joined */
    bool has_moved;      /* Sentinels have said where the master is */
    uint64_t role_ms;    /* when Redis said last that it is a master */
    bool has_no_role;    /* since then it has refused to say */
    bool is_elsewhere;   /* Redis is no master any more: the subscribed connection is given up, too */
    uint64_t refused_ms; /* when Redis refused a message last, which was logged; 0: long ago */
    char logged[JZ_REDIS_MOST_LOGGED][JZ_REDIS_FAILURE_SIZE]; /* the last failures, which are not logged again */
    size_t logged_count;
    char scratch[JZ_REDIS_SCRATCH_SIZE];
};

static inline void jz_redis_count(_Atomic uint64_t *counter)
{
    /* Only the broker's thread counts. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* For the thread, which alone changes it. */
static inline bool jz_redis_is_starting(const jz_redis *redis)
{
    return redis->outcome == JZ_REDIS_STARTING;
}

/* log.c: passes a line to the log of the options. */
void jz_redis_log(const jz_redis *redis, jz_log_level level, const char *format, ...) JZ_PRINTF(3, 4);
/* That a connection is lost, or could not be made; the same reason not again and again. */
void jz_redis_log_loss(jz_redis *redis, const jz_redis_peer *peer, bool was_ready);

/* running.c: starts the thread, waits for what comes of it, and ends it. */
jz_status jz_redis_run(jz_redis *redis, jz_server *server, jz_error *error);
void jz_redis_halt(jz_redis *redis);

/* loop.c: the thread's function. */
void *jz_redis_loop(void *context);
void jz_redis_conclude(jz_redis *redis, jz_redis_outcome outcome, const char *failure);
/* The connection is lost, for the reason that its wire tells. */
void jz_redis_lose(jz_redis *redis, jz_redis_peer *peer, bool is_at_once);

/* due.c: when there is something to do, though nothing comes. Under no lock. */
uint64_t jz_redis_due_ms(jz_redis *redis);

/* publishing.c */
void jz_redis_publisher_init(jz_redis *redis);
/* `is_same`: it is the Redis of the connection before. */
void jz_redis_publisher_ready(jz_redis *redis, bool is_same, uint64_t now_ms);
void jz_redis_publisher_lost(jz_redis *redis);
/* Sends what is to be sent. False: the connection is lost. */
bool jz_redis_publisher_work(jz_redis *redis, uint64_t now_ms);
/* Lets go what waited for topics to be acknowledged, after that, or because it takes too long. */
void jz_redis_publisher_follow(jz_redis *redis, uint64_t now_ms);

/* subscribing.c */
void jz_redis_subscriber_init(jz_redis *redis);
bool jz_redis_subscriber_ready(jz_redis *redis);
void jz_redis_subscriber_lost(jz_redis *redis);
/* Under the topics' lock: names them in one command. False: no memory, and the wire's failure says so. */
bool jz_redis_ask_for_topics(jz_redis *redis, bool is_subscribe, jz_redis_topic *const *topics, size_t count);
bool jz_redis_subscriber_work(jz_redis *redis, uint64_t now_ms);

/* refusing.c: an error of Redis on the subscribed connection. False: that is given up. */
bool jz_redis_take_refusal(jz_redis *redis, const char *refusal);
void jz_redis_retry_refused(jz_redis *redis, uint64_t now_ms);

/* delivering.c: messages of the subscribed connection. */
void jz_redis_deliver(void *context, const char *channel, size_t channel_length, const char *payload, size_t length);

/* fetching.c: what is kept of topics. From any thread, under no lock. False: no memory. */
bool jz_redis_fetch_begin(jz_redis *redis, const char *topic, size_t length, const jz_history_options *history,
                          uint64_t number);
/* The rest is the thread's: puts what can be sent in front of the queue, and gives up what has waited for too long. */
void jz_redis_fetch_work(jz_redis *redis, uint64_t now_ms);
/* When to look again; UINT64_MAX: there is nothing to wait for. */
uint64_t jz_redis_fetch_due_ms(const jz_redis *redis);
/* Its reply, while that is read; that it is whole; or that it is an error. Its marker has come. */
void jz_redis_fetch_told(jz_redis *redis, uint64_t id, const char *bytes, size_t length);
void jz_redis_fetch_go_on(jz_redis *redis, uint64_t id);
void jz_redis_fetch_refused(jz_redis *redis, uint64_t id, const char *refusal);
void jz_redis_fetch_marked(jz_redis *redis, uint64_t id);
void jz_redis_fetch_end(jz_redis *redis);

/* gaps.c: tells all gaps that are owed, of topics that are acknowledged. */
void jz_redis_tell_gaps(jz_redis *redis);

/* probing.c: false: nothing was heard for too long. */
bool jz_redis_probe_work(jz_redis *redis, uint64_t now_ms);
void jz_redis_probe_heard(jz_redis *redis, uint64_t sent_us);

/* sentinel.c. False: no memory. */
bool jz_redis_sentinel_init(jz_redis *redis);
void jz_redis_sentinel_free(jz_redis *redis);
/* After they were heard: connections to another master than they name are given up. */
void jz_redis_sentinel_settle(jz_redis *redis);
/* Whether they have said where the master is since this connection was lost. */
bool jz_redis_sentinel_has_told(const jz_redis *redis, const jz_redis_peer *peer);
/* Whether it is known where the peer is to connect to: its target is filled in. Else Sentinels are asked. */
bool jz_redis_find_target(jz_redis *redis, jz_redis_peer *peer, uint64_t now_ms);

#endif
