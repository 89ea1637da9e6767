/*
 * Who waits to be told what is kept of a topic. A fetch waits until its topic is subscribed; then its command is sent,
 * which is answered twice: by its reply, and by the marker that comes behind all that was published to the topic
 * before. Not for several threads at a time.
 */
#ifndef JAZZY_REDIS_HISTORY_FETCHES_H
#define JAZZY_REDIS_HISTORY_FETCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tables/list.h"

/* Of those that are sent and not answered: how many, and how many bytes may be answered unless it is one alone. */
enum { JZ_REDIS_MOST_FETCHES = 256, JZ_REDIS_MOST_FETCHED = 32 * 1024 * 1024 };

typedef struct jz_redis_fetch {
    jz_redis_link place;
    uint64_t id;       /* of its command, and of the marker */
    uint64_t number;   /* by which the server knows it */
    uint64_t asked_ms; /* when the server has asked */
    size_t keep;       /* how much to fetch: messages, ms, bytes */
    uint64_t for_ms;
    size_t bytes;
    bool has_marker;
    uint8_t *reply; /* NULL: none yet */
    size_t reply_length;
    size_t topic_length;
    char topic[];
} jz_redis_fetch;

typedef struct jz_redis_fetches {
    jz_redis_list waiting; /* for its topic to be subscribed, or for others */
    jz_redis_list sent;
    size_t sent_bytes; /* that may be answered */
    uint64_t last_id;
} jz_redis_fetches;

void jz_redis_fetches_init(jz_redis_fetches *fetches);

/* A fetch with a copy of its topic; the caller fills in the rest. NULL: no memory. */
jz_redis_fetch *jz_redis_fetch_make(const char *topic, size_t length);

/* All of the list wait now. */
void jz_redis_fetches_take(jz_redis_fetches *fetches, jz_redis_list *made);

/* The first that waits; NULL: none does. */
jz_redis_fetch *jz_redis_fetches_first(const jz_redis_fetches *fetches);

/* Whether this one may be sent, too. */
bool jz_redis_fetches_have_room(const jz_redis_fetches *fetches, const jz_redis_fetch *fetch);

/* It waits no longer, because it is sent: gives it its id. Or it goes behind all others that wait. */
void jz_redis_fetches_send(jz_redis_fetches *fetches, jz_redis_fetch *fetch);
void jz_redis_fetches_postpone(jz_redis_fetches *fetches, jz_redis_fetch *fetch);

/* The one that was sent with this id; NULL: there is none any more. */
jz_redis_fetch *jz_redis_fetches_find(const jz_redis_fetches *fetches, uint64_t id);

/* Copies its reply. False: no memory. */
bool jz_redis_fetch_keep_reply(jz_redis_fetch *fetch, const void *bytes, size_t length);

/* A connection was lost: all that were sent wait again, in front of the others, and what comes of the old commands is
   none of theirs. */
void jz_redis_fetches_again(jz_redis_fetches *fetches);

/* One that is sent, and was asked for before this time; NULL: there is none. */
jz_redis_fetch *jz_redis_fetches_sent_before(const jz_redis_fetches *fetches, uint64_t than_ms);

/* Takes it out, wherever it is, and frees it. */
void jz_redis_fetches_remove(jz_redis_fetches *fetches, jz_redis_fetch *fetch);
void jz_redis_fetches_clear(jz_redis_fetches *fetches);

#endif
