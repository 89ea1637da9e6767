/* The past of one topic: what a history keeps of it, in a ring. Its owner holds the lock of the history's part. */
#ifndef JAZZY_PUBSUB_PAST_H
#define JAZZY_PUBSUB_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "jazzy/history.h"
#include "output/publication.h"
#include "pubsub/hash_table.h"
#include "pubsub/ring.h"

struct jz_sharing;

typedef struct jz_past {
    jz_hash_entry entry;   /* first, so that a pointer to it points to its past */
    struct jz_past *older; /* neighbours in a list by the time of the last publication */
    struct jz_past *newer;
    struct jz_past_list *list; /* that it is in */
    uint32_t rule;             /* the number of the rule that it is kept by */
    uint32_t newest_tick;      /* when the newest was published; meaningless while nothing is kept */
    jz_ring ring;              /* what is kept */
    uint64_t epoch;
    uint64_t offset;            /* of the newest, kept or not; 0: there was none yet */
    size_t bytes;               /* of payload that is kept */
    struct jz_sharing *sharing; /* of a topic whose history a broker keeps (pubsub/shared_past.h), else NULL; owned */
    size_t name_length;
    char name[];
} jz_past;

/* By the time of the last publication; either both are NULL or none. */
typedef struct jz_past_list {
    jz_past *oldest;
    jz_past *newest;
} jz_past_list;

/*
 * What counts for the limit of a history: of a past, with places that are free in a short ring, what the allocator adds
 * and the table has; and of each message besides its payload.
 */
enum { JZ_PAST_COST = sizeof(jz_past) + 96, JZ_KEPT_COST = 48 };

/* Without messages, and in no list. NULL when there is no memory. */
jz_past *jz_past_create(jz_text name, uint64_t hash, uint32_t rule, uint64_t epoch);

/* Forgets all that is kept, and frees it. It is in no list. */
void jz_past_free(jz_past *past);

/* When the oldest was published, and the newest; there has to be one. */
static inline uint32_t jz_past_oldest_tick(const jz_past *past)
{
    return jz_ring_tick_at(&past->ring, 0);
}

static inline uint32_t jz_past_newest_tick(const jz_past *past)
{
    return past->newest_tick;
}

/* Whether one more can be kept, in place of the oldest if there are `keep` already. */
static inline bool jz_past_has_room(const jz_past *past, uint32_t keep)
{
    return jz_ring_has_room(&past->ring, keep);
}

/* Makes sure of that. False: no memory. */
static inline bool jz_past_make_room(jz_past *past, uint32_t keep)
{
    return jz_ring_make_room(&past->ring, keep);
}

/*
 * Keeps a publication of that length as the newest, and gives it the next offset. There has to be room. A tick that is
 * earlier than that of the message before becomes that one's: so messages become too old in their order, the newest
 * last.
 */
static inline void jz_past_append(jz_past *past, jz_publication *publication, size_t length, uint32_t tick)
{
    if (past->ring.count > 0 && (int32_t)(tick - jz_past_newest_tick(past)) < 0)
        tick = jz_past_newest_tick(past);
    jz_publication_keep(publication);
    jz_ring_add(&past->ring, publication, tick);
    past->newest_tick = tick;
    past->offset++;
    past->bytes += length;
}

/* The same if the ring is full: takes the place of the oldest. Returns how many bytes of payload that had. */
static inline size_t jz_past_replace(jz_past *past, jz_publication *publication, size_t length, uint32_t tick)
{
    if ((int32_t)(tick - past->newest_tick) < 0)
        tick = past->newest_tick;
    jz_publication_keep(publication);
    jz_publication *oldest = jz_ring_replace(&past->ring, publication, tick);
    size_t freed = jz_publication_length(oldest);
    past->newest_tick = tick;
    past->offset++;
    past->bytes += length - freed;
    jz_publication_forget(oldest);
    return freed;
}

/*
 * Keeps a publication as the oldest, with the offset before that of the oldest one until now, or that of the past
 * itself if none is kept. There has to be room. A tick that is later than that of the message behind becomes that
 * one's.
 */
void jz_past_prepend(jz_past *past, jz_publication *publication, uint32_t tick);

/* Forgets the oldest; there has to be one. Returns how many bytes of payload it had. */
size_t jz_past_forget_oldest(jz_past *past);

/* Frees the ring of a past of which nothing is kept. */
void jz_past_shrink(jz_past *past);

/* The kept message with that offset, which there has to be. */
jz_publication *jz_past_at(const jz_past *past, uint64_t offset);

/* Puts it at the newest end of a list, and takes it out of the one that it was in, if any. NULL: in none. */
void jz_past_move(jz_past *past, jz_past_list *list);

#endif
