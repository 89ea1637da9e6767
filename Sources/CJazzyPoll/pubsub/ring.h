/*
 * Publications that are kept, and when each was published: a ring in pieces of equal size, so that it grows and shrinks
 * by one of them, and never copies the others. So there are never many more places than publications.
 */
#ifndef JAZZY_PUBSUB_RING_H
#define JAZZY_PUBSUB_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/compiler.h"
#include "output/publication.h"

/* Of places that nothing uses there are at most so many more, in each ring: a place takes 12 bytes. */
enum { JZ_MOST_SPARE_PLACES = 128 };

/* All zero is an empty ring. It may not be moved. */
typedef struct jz_ring {
    uint32_t count;
    uint32_t first; /* the place of the oldest */
    uint32_t capacity;
    uint32_t places;      /* of each piece */
    uint32_t piece_count; /* if it is 1, `only` is the piece */
    uint32_t piece_room;
    jz_publication ***pieces; /* each: its publications and, behind them, their ticks */
    jz_publication **only;
} jz_ring;

/* Frees the memory of a ring of which nothing is kept: it is as new. */
void jz_ring_free(jz_ring *ring);

/* Private: makes a full ring larger. False: no memory. */
bool jz_ring_grow(jz_ring *ring, uint32_t most);

/* Whether there is a place for one more, or there are `most` already. */
static inline bool jz_ring_has_room(const jz_ring *ring, uint32_t most)
{
    return ring->count < ring->capacity || ring->count >= most;
}

/* Makes sure of that. False: no memory. */
static inline bool jz_ring_make_room(jz_ring *ring, uint32_t most)
{
    return JZ_LIKELY(jz_ring_has_room(ring, most)) || jz_ring_grow(ring, most);
}

/* Private: the place of the publication with that number; 0: the oldest. */
typedef struct jz_ring_place {
    jz_publication **piece;
    uint32_t index;
} jz_ring_place;

static inline jz_ring_place jz_ring_place_of(const jz_ring *ring, uint32_t number)
{
    uint32_t place = ring->first + number;
    if (place >= ring->capacity)
        place -= ring->capacity;
    if (JZ_LIKELY(ring->piece_count == 1))
        return (jz_ring_place){ring->only, place};
    return (jz_ring_place){ring->pieces[place / ring->places], place % ring->places};
}

static inline uint32_t *jz_ring_tick(const jz_ring *ring, jz_ring_place place)
{
    return (uint32_t *)(void *)(place.piece + ring->places) + place.index;
}

/* The publication with that number, which there has to be, and its tick. */
static inline jz_publication *jz_ring_at(const jz_ring *ring, uint32_t number)
{
    jz_ring_place place = jz_ring_place_of(ring, number);
    return place.piece[place.index];
}

static inline uint32_t jz_ring_tick_at(const jz_ring *ring, uint32_t number)
{
    return *jz_ring_tick(ring, jz_ring_place_of(ring, number));
}

/* Adds the newest. There has to be a place for it. */
static inline void jz_ring_add(jz_ring *ring, jz_publication *publication, uint32_t tick)
{
    jz_ring_place place = jz_ring_place_of(ring, ring->count++);
    place.piece[place.index] = publication;
    *jz_ring_tick(ring, place) = tick;
}

/* The same in a ring without a place: takes the oldest out, which it returns. */
static inline jz_publication *jz_ring_replace(jz_ring *ring, jz_publication *publication, uint32_t tick)
{
    jz_ring_place place = jz_ring_place_of(ring, 0);
    jz_publication *oldest = place.piece[place.index];
    place.piece[place.index] = publication;
    *jz_ring_tick(ring, place) = tick;
    if (++ring->first == ring->capacity)
        ring->first = 0;
    return oldest;
}

/* Adds one that is older than all. There has to be a place for it. */
static inline void jz_ring_add_oldest(jz_ring *ring, jz_publication *publication, uint32_t tick)
{
    ring->first = (ring->first > 0 ? ring->first : ring->capacity) - 1;
    ring->count++;
    jz_ring_place place = jz_ring_place_of(ring, 0);
    place.piece[place.index] = publication;
    *jz_ring_tick(ring, place) = tick;
}

/* Private: gives places back of which there are too many. */
void jz_ring_shrink(jz_ring *ring);

/* Takes the oldest out; there has to be one. There is a place for another one then. */
static inline jz_publication *jz_ring_take(jz_ring *ring)
{
    jz_publication *oldest = jz_ring_at(ring, 0);
    if (++ring->first == ring->capacity)
        ring->first = 0;
    ring->count--;
    if (!JZ_LIKELY(ring->count >= ring->capacity / 2 && ring->capacity - ring->count < JZ_MOST_SPARE_PLACES))
        jz_ring_shrink(ring);
    return oldest;
}

#endif
