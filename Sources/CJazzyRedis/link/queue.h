/*
 * What is published, on its way to Redis: whole commands in large pieces, gathered by the threads that publish, taken
 * by the broker's thread, and kept until Redis has answered them, because after a lost connection they are sent again.
 *
 * Whoever publishes takes the lock once, and copies the message once. Messages are gathered until the flush. Where the
 * broker's thread sleeps and nothing is outstanding, who flushes sends them itself, which saves the way over that
 * thread. Otherwise the thread is woken by the answer, or by a whole batch.
 *
 * A handler that publishes and does not return does not flush. So the thread, where it sleeps, looks again after a
 * while, as long as something was published not long ago (it watches); else the bell is rung by the first message.
 */
#ifndef JAZZY_REDIS_LINK_QUEUE_H
#define JAZZY_REDIS_LINK_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "envelope/published.h"
#include "link/bell.h"
#include "link/keep_command.h"
#include "link/pieces.h"

typedef struct jz_redis_queue {
    /* The same from its beginning to its end. */
    const char *prefix;
    size_t prefix_length;
    size_t limit;
    size_t batch;
    const jz_redis_bell *bell;

    pthread_mutex_t lock; /* guards what follows */
    jz_redis_published *published;
    jz_redis_pieces gathered;
    size_t gathered_bytes;
    uint64_t settled_turn; /* pieces of later ones are held, and all behind them */
    size_t wake_at;        /* the bell is rung once `gathered_bytes` reaches it */
    int direct;            /* the descriptor on which who flushes sends; -1: only the broker's thread sends */
    bool is_watched;       /* the thread looks by itself for what was not flushed */
    uint64_t published_ms; /* when the last message came */
    uint64_t epochs;       /* for topics that Redis has to begin anew (history/scripts.h) */
    bool has_script;       /* something was kept: each connection needs the script */
    size_t bytes;          /* in all, and how many messages that are */
    size_t messages;
    jz_redis_piece *spare;
    size_t spare_count;
    bool is_closed;

    /* Of the broker's thread alone, unless it sleeps. */
    jz_redis_pieces flight;   /* taken, not wholly answered */
    jz_redis_piece *sending;  /* of those, the first that is not wholly sent; NULL: all are */
    jz_redis_piece *awaiting; /* of those, the first that is not wholly answered */
    uint64_t announces_ms;    /* not before */
    unsigned fruitless;       /* connections in a row that were lost with something sent and nothing answered */
    size_t careful;           /* so many are sent alone, each once the one before is answered */
    jz_redis_pieces retried;  /* are sent again, once all that was sent is answered, and before anything else */
    bool is_script_missing;

    atomic_bool must_flush; /* the next flush has something to do; written under the lock */

    _Atomic uint64_t accepted; /* messages that were answered */
    _Atomic uint64_t dropped;
} jz_redis_queue;

/* What is to be kept is one with `bounds`. */
typedef struct jz_redis_publishing {
    const char *topic;
    size_t topic_length;
    jz_redis_kind kind;
    uint64_t publisher; /* 0: none */
    uint64_t turn;      /* that it waits for; 0: none */
    const void *bytes;
    size_t length;
    jz_redis_bounds bounds;
} jz_redis_publishing;

/* False: no memory. */
bool jz_redis_queue_init(jz_redis_queue *queue, uint64_t origin);
void jz_redis_queue_destroy(jz_redis_queue *queue);

/* From any thread. False: it is dropped, and will be announced as lost. */
bool jz_redis_queue_publish(jz_redis_queue *queue, const jz_redis_publishing *publishing);

/* The same for a message that Redis is to keep, too (keeping.c). False: it is dropped, and nobody misses it. */
bool jz_redis_queue_keep(jz_redis_queue *queue, const jz_redis_publishing *publishing);

/* After one or several messages, from any thread: they are sent, or wait for the answer to others. */
void jz_redis_queue_flush(jz_redis_queue *queue);

/* The rest is for the broker's thread. */

/*
 * Settles what was answered, and takes what is to be sent now. `is_up`: there is a connection that can send. Announces
 * losses, if there is room and it is time for it.
 */
void jz_redis_queue_advance(jz_redis_queue *queue, bool is_up, uint64_t now_ms);

/*
 * Before the thread sleeps: has the bell ring when there is something to do, and others send on the descriptor, unless
 * it is -1. False: there is something to do already. `look_ms`: when to look again, though the bell is not rung;
 * UINT64_MAX: never. Afterwards, before anything else of the queue is used: `wake`.
 */
bool jz_redis_queue_sleep(jz_redis_queue *queue, bool is_up, int descriptor, uint64_t now_ms, uint64_t *look_ms);
void jz_redis_queue_wake(jz_redis_queue *queue);

/* Puts a command in front of all that was not sent yet. False: no memory. */
bool jz_redis_queue_ask(jz_redis_queue *queue, jz_redis_queued_kind kind, const char *command, size_t length);
/* The same with a number of its own, and room for it, which is to be written at once. NULL: no memory. */
char *jz_redis_queue_ask_for(jz_redis_queue *queue, jz_redis_queued_kind kind, uint64_t number, size_t length);

/* What is to be sent next: fills in up to `most` areas, and returns how many. */
size_t jz_redis_queue_areas(const jz_redis_queue *queue, struct iovec *areas, size_t most);
void jz_redis_queue_sent(jz_redis_queue *queue, size_t length);

/* The command to which the next answer belongs, sent at least in part; NULL: there is none. */
const jz_redis_queued *jz_redis_queue_awaited(const jz_redis_queue *queue);

/* It was answered, or refused by an error. False: before it was wholly sent, so that the connection is to be given up;
   an answer does not count then. */
bool jz_redis_queue_answered(jz_redis_queue *queue);
bool jz_redis_queue_refused(jz_redis_queue *queue);

/*
 * The connection is lost: what was not answered is to be sent again, but our own questions are not. If that has
 * happened again and again, it may be because of a message, which Redis does not say: then they are sent one by one,
 * until the one is found that it happens to each time. True: that was given up, and is announced as lost.
 */
bool jz_redis_queue_rewind(jz_redis_queue *queue);

/* There is a new connection: what was published meanwhile, and answered by old ones, may be lost. */
void jz_redis_queue_reconnected(jz_redis_queue *queue, uint64_t since_ms, uint64_t until_ms);

/* No announcement before this time, because Redis refuses them. */
static inline void jz_redis_queue_hold_announcements(jz_redis_queue *queue, uint64_t until_ms)
{
    queue->announces_ms = until_ms;
}

/* These turns are settled. Returns the one that messages wait for now; 0: none. */
uint64_t jz_redis_queue_settle_turns(jz_redis_queue *queue, uint64_t turn);

/* How many topics have something to announce. */
size_t jz_redis_queue_announcements(jz_redis_queue *queue);

/* When there is something to announce, at the earliest; UINT64_MAX: nothing. */
uint64_t jz_redis_queue_due_ms(jz_redis_queue *queue);

/* Whether all was answered, and nothing is to be announced. */
bool jz_redis_queue_is_idle(jz_redis_queue *queue);

/*
 * keeping.c: a message that is to be kept was not, because it came out of turn, or because Redis has no script
 * (`is_script_missing`). It goes to those that are sent again, so that all others of its publisher stay behind it.
 * False: as of jz_redis_queue_refused, which it was, if it was sent again too often.
 */
bool jz_redis_queue_retry(jz_redis_queue *queue, bool is_script_missing);
/* Under the lock, and all that was sent is answered and settled. */
void jz_redis_queue_send_retried(jz_redis_queue *queue);
/* Whether a new connection needs the script, which it gets in front of all else. False: no memory. */
bool jz_redis_queue_needs_script(jz_redis_queue *queue);
bool jz_redis_queue_load_script(jz_redis_queue *queue);

/* queue.c, under the lock: room for one more command of this size, and that it was written there. NULL: no memory. */
char *jz_redis_queue_begin(jz_redis_queue *queue, size_t size, uint64_t turn);
void jz_redis_queue_add(jz_redis_queue *queue, size_t size, const jz_redis_queued *entry);
/* The same: whether the bell is to be rung for what was queued. */
bool jz_redis_queue_must_ring(jz_redis_queue *queue);

/* How much there is, from any thread. */
void jz_redis_queue_measure(jz_redis_queue *queue, size_t *bytes, size_t *messages);

/* flight.c, under the lock: settles what was answered; takes what was gathered. */
void jz_redis_flight_settle(jz_redis_queue *queue);
void jz_redis_flight_take(jz_redis_queue *queue);

/* What a command of this size counts for in the limit. */
static inline size_t jz_redis_queue_weight(size_t size)
{
    return size + sizeof(jz_redis_queued);
}

static inline void jz_redis_queue_count_dropped(jz_redis_queue *queue)
{
    atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_relaxed);
}

/* Accepts nothing any more. */
void jz_redis_queue_end(jz_redis_queue *queue);

#endif
