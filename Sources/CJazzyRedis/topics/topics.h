/*
 * topics/: which topics the server wants, which ones Redis has acknowledged, which ones stay a while without
 * subscribers, and of which a gap is to be told. Not here: connections, messages.
 *
 * Not for several threads at a time: a lock of the broker guards it. No function takes long, but `disconnected` and
 * `gap_everywhere`, which visit every topic (100,000: some milliseconds).
 */
#ifndef JAZZY_REDIS_TOPICS_TOPICS_H
#define JAZZY_REDIS_TOPICS_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope/heard.h"
#include "tables/list.h"
#include "tables/table.h"

enum { JZ_REDIS_TOPIC_BATCH = 512 }; /* topics of one SUBSCRIBE or UNSUBSCRIBE */

/* A topic that is wanted, or lingers, or of which Redis has not yet answered everything. */
typedef struct jz_redis_topic {
    jz_redis_entry entry;  /* its name; first, so that a pointer to it points to its topic */
    jz_redis_heard heard;  /* since it was subscribed */
    jz_redis_list *listed; /* private: those to subscribe, lingering or ending that it is among; NULL: none */
    jz_redis_link place;   /* private: there */
    jz_redis_link to_tell; /* private: among those of which a gap can be told now */
    uint64_t ends_ms;      /* while it lingers: until when */
    uint64_t turn;         /* private: of those not acknowledged yet; 0: it is, or will not be */
    uint32_t unanswered;   /* commands */
    bool is_wanted;        /* has subscribers on this server: deliver nothing else */
    bool is_subscribed;    /* the last command for it on this connection was SUBSCRIBE */
    bool owes_gap;         /* a gap is to be told */
    bool was_refused;      /* Redis has refused it before, which was told */
} jz_redis_topic;

typedef struct jz_redis_topics jz_redis_topics;

/* NULL: no memory. */
jz_redis_topics *jz_redis_topics_create(uint32_t linger_ms);
void jz_redis_topics_free(jz_redis_topics *topics);

/*
 * The server has got its first subscriber of a topic, or lost its last. Twice the same does nothing. `want` returns
 * false if there is no memory: nothing has changed, and the server is to be asked again for all topics
 * (jz_broker_set_joined).
 */
bool jz_redis_topics_want(jz_redis_topics *topics, const char *name, size_t length);
void jz_redis_topics_unwant(jz_redis_topics *topics, const char *name, size_t length, uint64_t now_ms);

/*
 * The next topics to name in one SUBSCRIBE, which counts as sent; or in one UNSUBSCRIBE, because their linger is over.
 * Returns how many were written to `batch`, at most `most`; they stay until a function here is called that may free
 * topics: unwant, answered, disconnected. On a new connection, and whenever it can take more.
 */
size_t jz_redis_topics_next_to_subscribe(jz_redis_topics *topics, jz_redis_topic **batch, size_t most);
size_t jz_redis_topics_next_to_unsubscribe(jz_redis_topics *topics, uint64_t now_ms, jz_redis_topic **batch,
                                           size_t most);

/* When the next linger ends, so that there is something to unsubscribe; UINT64_MAX: never. */
uint64_t jz_redis_topics_deadline_ms(const jz_redis_topics *topics);

/*
 * Redis has answered one SUBSCRIBE or UNSUBSCRIBE of a topic; answers come in the order of the commands. The topic may
 * be freed. False: no answer was outstanding, which means that the connection is not to be trusted.
 */
bool jz_redis_topics_answered(jz_redis_topics *topics, const char *name, size_t length);

/*
 * Redis has refused a SUBSCRIBE with this topic, among others or alone. `is_to_be_asked_again`: no other command for it
 * is outstanding, so that it may be named in another SUBSCRIBE, for which the answer stays outstanding.
 */
bool jz_redis_topics_is_to_be_asked_again(const jz_redis_topic *topic);
/* Else, or if it was asked for alone: it is not subscribed. If it is wanted it owes a gap, and is not asked for again
   until `retry_refused` or `disconnected`. The topic may be freed. */
void jz_redis_topics_refused(jz_redis_topics *topics, jz_redis_topic *topic);
/* Has as many as `most` of the refused ones subscribed again. */
void jz_redis_topics_retry_refused(jz_redis_topics *topics, size_t most);

/* There is a connection: a gap of every wanted topic is to be told, and publishers wait for those not acknowledged. */
void jz_redis_topics_connected(jz_redis_topics *topics);

/*
 * Where subscribers here get by Redis what is published here: which turn a message to this topic waits for, because
 * otherwise it may come to Redis before the subscription. 0: none, because it is acknowledged, or a gap will be told.
 * Topics that are wanted later have later turns, so that no turn is waited for for ever.
 */
uint64_t jz_redis_topics_turn_of(jz_redis_topics *topics, const char *name, size_t length);

/* The last turn of which, and of all before, every topic is acknowledged, or will not be. */
uint64_t jz_redis_topics_settled_turn(const jz_redis_topics *topics);

/* It takes too long: what is not acknowledged owes a gap instead, until everything is. */
void jz_redis_topics_wait_no_longer(jz_redis_topics *topics);

/* The connection is gone: every wanted topic is to be subscribed again, and is kept with what it has heard; all others
   are freed. */
void jz_redis_topics_disconnected(jz_redis_topics *topics);

/* NULL: there is none of this name. */
jz_redis_topic *jz_redis_topics_find(jz_redis_topics *topics, const char *name, size_t length);

/* Whether what is published to it from now on arrives, as far as the connection lives: Redis has acknowledged it. */
static inline bool jz_redis_topic_is_acknowledged(const jz_redis_topic *topic)
{
    return topic->is_subscribed && topic->unanswered == 0;
}

/* A gap is to be told of this topic, or of all wanted ones; once, however often this is called meanwhile. */
void jz_redis_topics_gap(jz_redis_topics *topics, jz_redis_topic *topic);
void jz_redis_topics_gap_everywhere(jz_redis_topics *topics);

/*
 * Takes the next topic of which a gap is to be told now: it is wanted, and acknowledged, so that nothing is missed
 * between the telling and the subscription. NULL: none. Copy the name before the lock is left.
 */
jz_redis_topic *jz_redis_topics_next_gap(jz_redis_topics *topics);

/* What is counted. All are kept up to date: asking costs nothing. */
typedef struct jz_redis_topic_counts {
    size_t kept;         /* wanted, lingering, or with unanswered commands */
    size_t wanted;       /* of those */
    size_t acknowledged; /* of the wanted ones; all topics are live when both are equal */
    size_t refused;      /* of the wanted ones */
    size_t to_subscribe;
    size_t lingering;
    size_t gaps; /* to be told */
} jz_redis_topic_counts;

jz_redis_topic_counts jz_redis_topics_counts(const jz_redis_topics *topics);

#endif
