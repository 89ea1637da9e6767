#include "envelope/heard.h"

#include <stdlib.h>
#include <string.h>

#include "envelope/age.h"

typedef struct jz_redis_heard_origin {
    uint64_t origin;
    uint64_t last;      /* the highest number heard, or announced */
    uint64_t beginning; /* the first number heard, if something before it may have been lost; 0: told, or impossible */
    uint64_t heard_ms;
} heard_origin;

enum { FIRST_CAPACITY = 1 };

/* Where the origin is, or would be. */
static uint32_t place_of(const jz_redis_heard *heard, uint64_t origin)
{
    uint32_t low = 0;
    uint32_t high = heard->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (heard->origins[middle].origin < origin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Those that stopped long ago, most of them processes that have ended: what they lose later they announce. */
static void drop_silent(jz_redis_heard *heard, uint64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < heard->count; i++) {
        if (jz_redis_age_ms(heard->origins[i].heard_ms, now_ms) < JZ_REDIS_ORIGIN_AGE_MS)
            heard->origins[kept++] = heard->origins[i];
    }
    heard->count = kept;
}

static void drop_oldest(jz_redis_heard *heard)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < heard->count; i++) {
        if (heard->origins[i].heard_ms < heard->origins[oldest].heard_ms)
            oldest = i;
    }
    heard->count--;
    memmove(&heard->origins[oldest], &heard->origins[oldest + 1], (heard->count - oldest) * sizeof *heard->origins);
    heard->has_forgotten = true;
}

static bool has_room(jz_redis_heard *heard, uint64_t now_ms)
{
    if (heard->count < heard->capacity)
        return true;
    drop_silent(heard, now_ms);
    if (heard->count < heard->capacity)
        return true;
    if (heard->capacity >= JZ_REDIS_MOST_ORIGINS) {
        drop_oldest(heard);
        return true;
    }
    uint32_t capacity = heard->capacity > 0 ? heard->capacity * 2 : (uint32_t)FIRST_CAPACITY;
    heard_origin *origins = realloc(heard->origins, capacity * sizeof *origins);
    if (origins == NULL)
        return false;
    heard->origins = origins;
    heard->capacity = capacity;
    return true;
}

static jz_redis_verdict take_unknown(jz_redis_heard *heard, const jz_redis_envelope *envelope, uint64_t now_ms)
{
    bool is_message = envelope->kind != JZ_REDIS_ANNOUNCEMENT;
    if (!has_room(heard, now_ms)) {
        heard->has_forgotten = true;
        return (jz_redis_verdict){.is_new = is_message, .is_gap = true};
    }
    bool is_gap = !is_message || (heard->has_forgotten && !envelope->is_anew);
    uint32_t place = place_of(heard, envelope->origin);
    memmove(&heard->origins[place + 1], &heard->origins[place], (heard->count - place) * sizeof *heard->origins);
    heard->count++;
    heard->origins[place] = (heard_origin){
        .origin = envelope->origin,
        .last = envelope->sequence,
        .beginning = is_gap || envelope->is_anew ? 0 : envelope->sequence,
        .heard_ms = now_ms,
    };
    return (jz_redis_verdict){.is_new = is_message, .is_gap = is_gap};
}

static jz_redis_verdict take_announcement(heard_origin *known, const jz_redis_envelope *envelope)
{
    bool is_gap = envelope->sequence > known->last || envelope->lost_from < known->beginning;
    if (envelope->sequence > known->last)
        known->last = envelope->sequence;
    if (is_gap)
        known->beginning = 0;
    return (jz_redis_verdict){.is_gap = is_gap};
}

jz_redis_verdict jz_redis_heard_take(jz_redis_heard *heard, const jz_redis_envelope *envelope, uint64_t now_ms)
{
    uint32_t place = place_of(heard, envelope->origin);
    if (place == heard->count || heard->origins[place].origin != envelope->origin)
        return take_unknown(heard, envelope, now_ms);
    heard_origin *known = &heard->origins[place];
    known->heard_ms = now_ms;
    if (envelope->kind == JZ_REDIS_ANNOUNCEMENT)
        return take_announcement(known, envelope);
    if (envelope->sequence <= known->last)
        return (jz_redis_verdict){0};
    bool is_gap = envelope->sequence - known->last > 1 && !envelope->is_anew;
    known->last = envelope->sequence;
    if (is_gap)
        known->beginning = 0;
    return (jz_redis_verdict){.is_new = true, .is_gap = is_gap};
}

void jz_redis_heard_clear(jz_redis_heard *heard)
{
    free(heard->origins);
    *heard = (jz_redis_heard){0};
}
