/*
 * Requests of a thread to a loop that is not its own, for instance to send to a connection or to close it. They are
 * posted here, and carried out by errand_runner.h.
 */
#ifndef JAZZY_SHARD_ERRAND_H
#define JAZZY_SHARD_ERRAND_H

#include <stddef.h>
#include <stdint.h>

#include "loop/mailbox.h"
#include "session/answer.h"
#include "shard/arrival.h"
#include "jazzy/websocket.h"
#include "output/publication.h"
#include "pubsub/replay.h"
#include "shard/shard.h"
#include "workers/work.h"
#include "workers/workers.h"

typedef enum jz_errand_type {
    JZ_ERRAND_SEND,
    JZ_ERRAND_CLOSE,
    JZ_ERRAND_TERMINATE,
    JZ_ERRAND_SUBSCRIBE,
    JZ_ERRAND_UNSUBSCRIBE,
    JZ_ERRAND_REPLAY,
    JZ_ERRAND_PUBLISH,
    JZ_ERRAND_GAP,
    JZ_ERRAND_GAPS,
    JZ_ERRAND_CLOSE_TOPIC,
    JZ_ERRAND_CATCH_UP,
    JZ_ERRAND_LEAVE,
    JZ_ERRAND_PAUSE,
    JZ_ERRAND_RESUME,
    JZ_ERRAND_ANSWER,
    JZ_ERRAND_PARCEL,
    JZ_ERRAND_HAND_OVER
} jz_errand_type;

typedef struct jz_errand {
    jz_letter letter; /* first, so that a pointer to it points to its errand */
    jz_ws ws;
    jz_ws caller; /* whose handler asks, on a worker; zero: nobody's */
    jz_errand_type type;
    jz_message_kind kind;
    jz_compression compression;
    uint16_t code;
    uint8_t cause;               /* JZ_ERRAND_CLOSE: a jz_close_cause */
    jz_publication *publication; /* retained */
    jz_answer *answer;           /* JZ_ERRAND_ANSWER: owned */
    size_t reserved;             /* bytes that it takes of the mailbox limit */
    size_t length;
    uint8_t bytes[];
} jz_errand;

enum { JZ_LETTER_COST = 128 }; /* the approximate cost of a letter without its content, in bytes */

/*
 * Post copies to the shard that owns the connection. QUEUED; DROPPED if its mailbox is full or there is no memory; or
 * CLOSED if its loop has ended.
 */
jz_send_status jz_errand_send(jz_shard *shard, jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                              jz_compression compression);
jz_send_status jz_errand_close(jz_shard *shard, jz_ws ws, jz_close_cause cause, uint16_t code, jz_text reason);
jz_send_status jz_errand_terminate(jz_shard *shard, jz_ws ws);

jz_send_status jz_errand_subscribe(jz_shard *shard, jz_ws ws, jz_text topic);
jz_send_status jz_errand_unsubscribe(jz_shard *shard, jz_ws ws, jz_text topic);

/*
 * Posts a replay, for a subscription at a position (pubsub/history.h). If QUEUED, takes ownership of it.
 */
jz_send_status jz_errand_replay(jz_shard *shard, jz_ws ws, jz_text topic, jz_replay *replay);

/*
 * An errand for a replay that is not known yet, made so that posting it later cannot fail. NULL when there is no
 * memory. Without a replay the connection is closed as one that is behind: it was told that it is subscribed.
 */
jz_errand *jz_errand_create_replay(jz_ws ws, jz_text topic);

/* Sets it, and the bytes that are reserved for it; the errand then owns both. */
void jz_errand_set_replay(jz_errand *errand, jz_replay *replay, size_t reserved);

/* Errands that close those who get every message of a topic, or of any, because some are missing. NULL: no memory. */
jz_errand *jz_errand_create_gap(jz_text topic);
jz_errand *jz_errand_create_gaps(void);

/*
 * Whoever is to subscribe at a position holds the topic before, so that a broker delivers it from then on; it lets go
 * once it is subscribed, or is not going to be. Without a broker both do nothing. False: no memory. From any thread; an
 * errand that was posted lets go itself.
 */
bool jz_topic_hold(const jz_server *server, jz_text topic);
void jz_topic_let_go(const jz_server *server, jz_text topic);

/* The replay of a JZ_ERRAND_REPLAY, and its topic. */
jz_replay *jz_errand_replay_of(const jz_errand *errand, jz_text *topic);

/* It was played, or is not going to be: lets go of its topic. On the shard's thread, or when no loop runs. */
void jz_errand_end_replay(jz_shard *shard, const jz_errand *errand);

/* Whether the shard's mailbox is below its limit. From any thread. */
bool jz_errand_may_wait(const jz_shard *shard);

/*
 * Reserves `amount` bytes of the shard's mailbox limit, until they are unreserved, or an errand with this reservation
 * was run. False if the limit is reached; never on the shard's own thread, nor if its loop has ended: what is then
 * posted is CLOSED, and not dropped for want of room. From any thread.
 */
bool jz_errand_reserve(jz_shard *shard, size_t amount);
void jz_errand_unreserve(jz_shard *shard, size_t amount);

/*
 * An errand that publishes. `sender` does not receive it; zero: everybody does. Retains the publication until it was
 * run, and ends the reservation of `reserved` bytes then. NULL when there is no memory: the reservation is the
 * caller's.
 */
jz_errand *jz_errand_create_publishing(jz_ws sender, jz_text topic, jz_publication *publication, size_t reserved);

/* The same, and posts it. */
jz_send_status jz_errand_publish(jz_shard *shard, jz_ws sender, jz_text topic, jz_publication *publication,
                                 size_t reserved);

jz_send_status jz_errand_pause(jz_shard *shard, jz_ws ws, bool is_paused);

/* Posts that a connection is not behind any more, once what was posted before is done. False: it cannot be posted. */
bool jz_errand_catch_up(jz_shard *shard, jz_ws ws);

/* What a JZ_ERRAND_CLOSE_TOPIC does. Its bytes are this, and the topic behind it. */
typedef struct jz_topic_closing {
    size_t left;       /* the first so many of the topic's subscribers have yet to be closed */
    jz_ws asker;       /* this loop's connection whose handler asks for it, until it is closed if it is one; or zero */
    jz_work *awaiting; /* if that runs on workers: awaits whether it is one of them; else NULL */
    uint16_t code;
    uint8_t reason_length;
    char reason[JZ_MAX_CLOSE_REASON];
} jz_topic_closing;

/*
 * An errand that closes all subscribers of a topic on one loop. The code is valid to send, the reason UTF-8; it is cut
 * if too long. NULL when there is no memory.
 */
jz_errand *jz_errand_create_topic_closing(jz_text topic, uint16_t code, jz_text reason);

/* The handler of a connection of that loop asks for it; if it runs on workers, `work` awaits a verdict, else NULL. */
void jz_errand_set_asker(jz_errand *errand, jz_ws asker, jz_work *work);

/* Posts an errand that was created, with its reservation. If CLOSED, frees it, and ends the reservation. */
jz_send_status jz_errand_post(jz_shard *shard, jz_errand *errand);

/* The same for several, each linked to the one before it, of which the first is linked to none. */
jz_send_status jz_errand_post_chain(jz_shard *shard, jz_errand *last, jz_errand *first);

/* If QUEUED, takes ownership of the answer. */
jz_send_status jz_errand_answer(jz_shard *shard, jz_ws ws, jz_answer *answer);

/* What comes back to its loop from another thread. */
typedef struct jz_parcel {
    void (*take)(jz_shard *shard, struct jz_parcel *parcel); /* perhaps within a handler; owns the parcel */
    void (*discard)(struct jz_parcel *parcel);               /* the loop has ended; likewise */
} jz_parcel;

/*
 * A letter for a parcel, to the loop of that connection; made before it is needed, so that posting cannot fail. NULL
 * when there is no memory. Posting takes ownership of both; from any thread. Freeing a letter leaves the parcel.
 */
jz_letter *jz_errand_create_parcel(jz_ws ws, jz_parcel *parcel);
void jz_errand_post_parcel(jz_letter *letter);
void jz_errand_free_parcel(jz_letter *letter);

/* The parcel of a JZ_ERRAND_PARCEL. */
jz_parcel *jz_errand_parcel(const jz_errand *errand);

/* How workers post letters to loops. */
extern const jz_workers_mail jz_errand_mail;

/* Gives an accepted or adopted socket to another shard. Unless QUEUED, the caller still owns it. */
jz_send_status jz_errand_hand_over(jz_shard *shard, const jz_arrival *arrival);

/* The socket of a JZ_ERRAND_HAND_OVER. */
jz_arrival jz_errand_arrival(const jz_errand *errand);

/* Frees it, and what it owns, except for a socket. */
void jz_errand_free(jz_errand *errand);

/* Frees a letter of this shard that was not run, and all that it owns; closes its socket. */
void jz_errand_discard(jz_shard *shard, jz_letter *letter);

/* The shard's loop has ended: discards all letters, and closes the mailbox. */
void jz_errand_discard_all(jz_shard *shard);

#endif
