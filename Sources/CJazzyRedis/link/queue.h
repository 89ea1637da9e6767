/*
 * What is published, on its way to Redis: whole commands in large pieces, gathered by the threads that publish, taken
 * by the broker's thread, and kept until Redis has answered them, because after a lost connection they are sent again.
 *
 * Whoever publishes takes the lock once, and copies the message once. The broker's thread is woken only if it sleeps
 * and there is something for it to do: at once if nothing is outstanding, otherwise with a whole batch.
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

typedef enum jz_redis_queued_kind {
    JZ_REDIS_QUEUED_MESSAGE,
    JZ_REDIS_QUEUED_ANNOUNCEMENT,
    JZ_REDIS_QUEUED_LOST_ANY,
    JZ_REDIS_QUEUED_PROBE, /* to ourselves */
    JZ_REDIS_QUEUED_ROLE   /* the question whether Redis is a master */
} jz_redis_queued_kind;

/* A command in a piece. */
typedef struct jz_redis_queued {
    jz_redis_publication *publication; /* of messages and announcements */
    uint64_t number;                   /* what jz_redis_published_lost is told */
    size_t end;                        /* where it ends in the piece */
    jz_redis_queued_kind kind;
} jz_redis_queued;

typedef struct jz_redis_piece {
    struct jz_redis_piece *next;
    jz_redis_queued *queued;
    size_t queued_capacity;
    size_t count;    /* of `queued` */
    size_t answered; /* of them, as the broker's thread knows */
    size_t settled;  /* of them, as the accounts know */
    size_t length;
    size_t capacity;
    size_t sent; /* bytes */
    char bytes[];
} jz_redis_piece;

typedef struct jz_redis_pieces {
    jz_redis_piece *first;
    jz_redis_piece *last;
} jz_redis_pieces;

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
    size_t wake_at; /* the bell is rung once `gathered_bytes` reaches it */
    size_t bytes;   /* in all, and how many messages that are */
    size_t messages;
    jz_redis_piece *spare;
    size_t spare_count;
    bool is_closed;

    /* Of the broker's thread alone. */
    jz_redis_pieces flight;   /* taken, not wholly answered */
    jz_redis_piece *sending;  /* of those, the first that is not wholly sent; NULL: all are */
    jz_redis_piece *awaiting; /* of those, the first that is not wholly answered */
    uint64_t announces_ms;    /* not before */

    _Atomic uint64_t accepted; /* messages that were answered */
    _Atomic uint64_t dropped;
} jz_redis_queue;

typedef struct jz_redis_publishing {
    const char *topic;
    size_t topic_length;
    jz_redis_kind kind;
    uint64_t publisher; /* 0: none */
    const void *bytes;
    size_t length;
} jz_redis_publishing;

/* False: no memory. */
bool jz_redis_queue_init(jz_redis_queue *queue, uint64_t origin);
void jz_redis_queue_destroy(jz_redis_queue *queue);

/* From any thread. False: it is dropped, and will be announced as lost. */
bool jz_redis_queue_publish(jz_redis_queue *queue, const jz_redis_publishing *publishing);

/* The rest is for the broker's thread. */

/*
 * Settles what was answered, and takes what is to be sent now. `is_up`: there is a connection that can send. Announces
 * losses, if there is room and it is time for it.
 */
void jz_redis_queue_advance(jz_redis_queue *queue, bool is_up, uint64_t now_ms);

/* Has the bell ring when there is something to do. False: there is already. */
bool jz_redis_queue_sleep(jz_redis_queue *queue, bool is_up);

/* Puts a command in front of all that was not sent yet. False: no memory. */
bool jz_redis_queue_ask(jz_redis_queue *queue, jz_redis_queued_kind kind, const char *command, size_t length);

/* What is to be sent next: fills in up to `most` areas, and returns how many. */
size_t jz_redis_queue_areas(const jz_redis_queue *queue, struct iovec *areas, size_t most);
void jz_redis_queue_sent(jz_redis_queue *queue, size_t length);

/* The command to which the next answer belongs, sent at least in part; NULL: there is none. */
const jz_redis_queued *jz_redis_queue_awaited(const jz_redis_queue *queue);

/* It was answered, or refused by an error. False: before it was wholly sent, so that the connection is to be given up.
 */
void jz_redis_queue_answered(jz_redis_queue *queue);
bool jz_redis_queue_refused(jz_redis_queue *queue);

/* The connection is lost: what was not answered is to be sent again, but our own questions are not. */
void jz_redis_queue_rewind(jz_redis_queue *queue);

/* There is a new connection: what was answered by the old one may be lost. */
void jz_redis_queue_reconnected(jz_redis_queue *queue, uint64_t now_ms);

/* No announcement before this time, because Redis refuses them. */
static inline void jz_redis_queue_hold_announcements(jz_redis_queue *queue, uint64_t until_ms)
{
    queue->announces_ms = until_ms;
}

/* When there is something to announce, at the earliest; UINT64_MAX: nothing. */
uint64_t jz_redis_queue_due_ms(jz_redis_queue *queue);

/* Whether all was answered, and nothing is to be announced. */
bool jz_redis_queue_is_idle(jz_redis_queue *queue);

/* How much there is, from any thread. */
void jz_redis_queue_measure(jz_redis_queue *queue, size_t *bytes, size_t *messages);

/* Accepts nothing any more. */
void jz_redis_queue_end(jz_redis_queue *queue);

#endif
