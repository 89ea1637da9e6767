/*
 * What was heard of each origin on one topic, by which a receiver tells duplicates from new messages, and sees what it
 * has missed.
 */
#ifndef JAZZY_REDIS_ENVELOPE_HEARD_H
#define JAZZY_REDIS_ENVELOPE_HEARD_H

#include <stdbool.h>
#include <stdint.h>

#include "envelope/envelope.h"

enum {
    JZ_REDIS_MOST_ORIGINS = 1024,   /* of one topic; the one that was unheard for the longest time leaves for another */
    JZ_REDIS_ORIGIN_AGE_MS = 600000 /* an origin that was unheard for so long leaves before more memory is taken */
};

/* All zero: nothing was heard yet. */
typedef struct jz_redis_heard {
    struct jz_redis_heard_origin *origins; /* by their numbers */
    uint32_t count;
    uint32_t capacity;
    bool has_forgotten; /* an origin that may come again */
} jz_redis_heard;

typedef struct jz_redis_verdict {
    bool is_new; /* not heard before: to be delivered, unless it is an announcement */
    bool is_gap; /* messages before this one were missed, or may have been, and that was not told yet */
} jz_redis_verdict;

/*
 * Takes a text, a binary message or an announcement. An origin that is heard for the first time, and says nothing of
 * losses, is taken as it comes: what it published before was before this topic was subscribed. If there is no memory
 * for it, each of its messages is new and a gap.
 *
 * Keep it over lost connections, so that what is published again is known as a duplicate; but then tell a gap.
 */
jz_redis_verdict jz_redis_heard_take(jz_redis_heard *heard, const jz_redis_envelope *envelope, uint64_t now_ms);

/* Frees its memory; all is zero again. */
void jz_redis_heard_clear(jz_redis_heard *heard);

#endif
