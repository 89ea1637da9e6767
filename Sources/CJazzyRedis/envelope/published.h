/*
 * The numbers of what this process has published to each topic, and which losses are still to be announced.
 *
 * Not for several threads at a time: the publishing queue's lock guards it. Whoever publishes
 *   - takes a number for each message under the lock under which it is queued, so that numbers are in the queue's
 * order;
 *   - says of each number once whether the message was `answered` (Redis took it) or `lost` (dropped, refused);
 *     messages of a lost connection stay unanswered, and are sent again;
 *   - says `reconnected` when the publishing connection has been made anew;
 *   - as soon as there is room in the queue, appends the next announcement, which is answered or lost like a message,
 *     and a LOST_ANY if that is due.
 */
#ifndef JAZZY_REDIS_ENVELOPE_PUBLISHED_H
#define JAZZY_REDIS_ENVELOPE_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope/envelope.h"
#include "tables/list.h"
#include "tables/table.h"

enum {
    JZ_REDIS_PUBLISHED_CAPACITY = 262144, /* topics; more only as far as they have unanswered messages */
    JZ_REDIS_PUBLISHED_AVERAGE = 256, /* bytes of a topic with its name: as many times the capacity are kept at most */
    JZ_REDIS_DOUBT_MS = 600000 /* what was published so long ago is forgotten, topic by topic, if it was answered */
};

/* A topic that was published to. It stays where it is until all of its messages are answered or lost. */
typedef struct jz_redis_publication {
    jz_redis_entry entry; /* the topic; first, so that a pointer to it points to its publication */
    uint64_t sequence;    /* the last number that was given */
    uint64_t lost_from;   /* the first number to announce as lost; 0: any. Of no meaning if it is not in `due` */
    uint64_t kept;        /* the last number that was given to a message that Redis is to keep; 0: none, or long ago */
    uint64_t published_ms;
    jz_redis_link recent; /* in the order of use */
    jz_redis_link due;    /* listed: an announcement is to be sent */
    uint32_t unanswered;  /* numbers, and announcements */
} jz_redis_publication;

typedef struct jz_redis_published jz_redis_published;

/* `capacity` is JZ_REDIS_PUBLISHED_CAPACITY but in tests. NULL: no memory. */
jz_redis_published *jz_redis_published_create(uint64_t origin, size_t capacity);
void jz_redis_published_free(jz_redis_published *published);

/*
 * Takes the next number of a topic: sets the envelope's origin, sequence and is_anew, and leaves the rest. NULL: no
 * memory; the message is to be dropped, and a LOST_ANY is due.
 */
jz_redis_publication *jz_redis_published_take(jz_redis_published *published, const char *topic, size_t length,
                                              uint64_t now_ms, jz_redis_envelope *envelope);

/* Redis has taken the message or announcement. The pointer is not to be used for it any more. */
void jz_redis_published_answered(jz_redis_published *published, jz_redis_publication *publication);

/*
 * The message with this number was dropped or refused, or an announcement with this `lost_from` was: an announcement
 * is due. The pointer is not to be used for it any more.
 */
void jz_redis_published_lost(jz_redis_published *published, jz_redis_publication *publication, uint64_t sequence);

/*
 * What was published from `since_ms` until `until_ms` may be lost, although it was answered: announcements are due; of
 * topics that were forgotten meanwhile, a LOST_ANY.
 */
void jz_redis_published_reconnected(jz_redis_published *published, uint64_t since_ms, uint64_t until_ms);

/*
 * Takes the next announcement that is due, and fills in its whole envelope. To be queued behind all messages that have
 * a number, then answered, or lost with the envelope's lost_from. The topic is in `entry`. NULL: none is due. If an
 * announcement is in doubt later, so is what it told: it counts as published now.
 */
jz_redis_publication *jz_redis_published_next_announcement(jz_redis_published *published, uint64_t now_ms,
                                                           jz_redis_envelope *envelope);

size_t jz_redis_published_announcements_due(const jz_redis_published *published);

/* Whether a LOST_ANY is due to the channel of all processes. */
bool jz_redis_published_is_lost_any_due(const jz_redis_published *published);

/* Takes it; fills in its whole envelope. It counts as published now, too. */
void jz_redis_published_take_lost_any(jz_redis_published *published, uint64_t now_ms, jz_redis_envelope *envelope);

/* A LOST_ANY was refused, or never sent: it is due again. */
void jz_redis_published_lost_any(jz_redis_published *published);

/* How many topics it keeps. */
size_t jz_redis_published_count(const jz_redis_published *published);

#endif
