/*
 * Topics whose history a broker keeps (jazzy/broker.h): their positions are the broker's.
 *
 * Such a topic is known here while the broker was told that it has subscribers. It is live from the first message that
 * is delivered, or fetched, until messages may have been missed: then what is kept of it is all that there was, from
 * the oldest that is kept to the newest, and who continues within it needs no broker. All others wait until the broker
 * has answered; it is asked once for all of them. The position of the last message that was delivered is remembered
 * even while the topic is not live, so that subscribers who miss something are found out.
 *
 * All functions are called with the lock of the topic's part held, unless it is said otherwise.
 */
#ifndef JAZZY_PUBSUB_SHARED_PAST_H
#define JAZZY_PUBSUB_SHARED_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/mailbox.h"
#include "pubsub/history.h"
#include "jazzy/broker.h"

/* One who waits for the broker's answer. */
typedef struct jz_waiting {
    struct jz_waiting *next;
    jz_ws ws;
    jz_letter *letter; /* for its loop, with what it then begins with; made before, so that posting cannot fail */
    size_t amount;     /* of memory */
    jz_subscribe_options options;
} jz_waiting;

typedef struct jz_sharing {
    bool is_wanted;   /* the broker was told that the topic has subscribers here */
    bool is_live;     /* nothing was missed behind the oldest that is kept; else nothing is kept */
    bool is_whole;    /* what is kept reaches as far back as what the broker keeps */
    bool is_fetching; /* the broker is asked */
    bool is_stale;    /* and something was missed since: it has to be asked again */
    bool has_doubts;  /* somebody has claimed an offset that the broker had not given */
    uint8_t repeats;  /* so often it was asked again */
    uint32_t doubted_tick;
    uint64_t number; /* of the question */
    uint64_t until_ms;
    jz_waiting *waiting; /* in the order in which they came */
    jz_waiting **waiting_end;
    jz_past *next; /* that the broker is asked for, too */
} jz_sharing;

/*
 * The broker is told that the topic has subscribers, or that it has none any more: one call at a time for each topic.
 * Without the lock. False: no memory, and nothing has changed.
 */
bool jz_history_want(jz_history *history, jz_text topic);
void jz_history_unwant(jz_history *history, jz_text topic);

/* Whether it is known where the topic is; always so if the history is this server's own. */
static inline bool jz_history_is_known(const jz_held_topic *held)
{
    return held->past == NULL || held->past->sharing == NULL || held->past->sharing->is_live;
}

/* Whether the broker has to be asked with what such a subscription begins. */
bool jz_history_has_to_ask(jz_held_topic *held, const jz_subscribe_options *options);

/* What a message is that has been delivered. */
typedef enum jz_coming {
    JZ_COMING_UNWANTED, /* nobody hears it here */
    JZ_COMING_AGAIN,    /* it was there before */
    JZ_COMING_NEXT,
    JZ_COMING_FIRST,  /* nothing was known of the topic */
    JZ_COMING_BEYOND, /* something is missing before it */
} jz_coming;
jz_coming jz_history_look_at(const jz_held_topic *held, jz_position position);

/* Forgets what is kept: something was missed. */
void jz_history_forget_kept(jz_held_topic *held);

/* Keeps a message that is the next, or after jz_history_forget_kept any; there has to be room (jz_history_prepare). */
void jz_history_append_at(jz_held_topic *held, jz_publication *publication, jz_position position, bool is_joined);

/*
 * Messages of the topic were, or may have been, missed. Returns whether there may be subscribers who have missed them.
 * The other one is called without the lock.
 */
bool jz_history_miss(jz_held_topic *held);
void jz_history_miss_all(jz_history *history);

/*
 * Reserves memory for one who waits, and gives it back. False: there is no room below the limit. Without the lock or
 * with it.
 */
bool jz_history_reserve_waiting(jz_history *history, size_t amount, size_t limit);
void jz_history_unreserve_waiting(jz_history *history, size_t amount);

/* Adds one who waits, which the topic then owns. Returns the number to ask the broker with; 0: it is asked already. */
uint64_t jz_history_wait(jz_held_topic *held, jz_waiting *waiting, uint64_t now_ms);

/* The broker is asked again. Returns the number; 0: it was so too often, or nobody waits. */
uint64_t jz_history_ask_again(jz_held_topic *held);

/*
 * The broker has answered, and what it knows is added. If who was the reason to ask is ahead of that, too, it never was
 * there: so that making up offsets does not cost the broker a question each time, for a second nobody who is ahead is a
 * reason to ask again. Who is it rightly has not recovered meanwhile.
 */
void jz_history_doubt(jz_held_topic *held);

/* Whether this is what the broker is asked now. */
bool jz_history_asks(const jz_held_topic *held, uint64_t number);

/* Takes all who wait, linked by `next`; the caller owns them. */
jz_waiting *jz_history_take_waiting(jz_held_topic *held);

/* Takes those of one connection. */
jz_waiting *jz_history_take_waiting_of(jz_held_topic *held, jz_ws ws);

/* The broker is not asked any more. Nobody waits. The topic may be gone then. */
void jz_history_end_fetch(jz_held_topic *held);

/* Finds and holds a topic of which the answer is late. False: there is none, and nothing is held. Without a lock. */
bool jz_history_hold_late(jz_history *history, uint64_t now_ms, jz_held_topic *held);

/* What the broker has answered. */
typedef struct jz_fetched {
    jz_position newest;
    size_t count;
    jz_publication **publications; /* oldest first, the last one with the position `newest` */
    const jz_broker_kept_message *messages;
} jz_fetched;

/* What an answer means, if what is known is compared with its newest message. */
typedef enum jz_fitting {
    JZ_FITTING,         /* it is added to what is known */
    JZ_FITTING_AFRESH,  /* subscribers have missed something; what is known begins with the answer */
    JZ_FITTING_NOT,     /* it does not help: the broker is asked again */
    JZ_FITTING_AT_ODDS, /* the same, and what is known may be wrong, too */
} jz_fitting;
jz_fitting jz_history_compare(const jz_held_topic *held, jz_position newest);

/* Adds what was fetched, if that is FITTING; or after jz_history_forget_kept. */
void jz_history_add_fetched(jz_held_topic *held, const jz_fetched *fetched, bool is_joined);

#endif
