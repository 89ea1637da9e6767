#include "pubsub/ring.h"

#include <stdlib.h>
#include <string.h>

/*
 * While there is one piece, it grows by a quarter; up to MOST_ALONE it suffices. Of several pieces each has at most
 * MOST_PLACES.
 */
enum { FIRST_PLACES = 4, SMALL = 16, MOST_ALONE = 128, MOST_PLACES = JZ_MOST_SPARE_PLACES / 2, FIRST_PIECES = 4 };

enum { PLACE_SIZE = sizeof(jz_publication *) + sizeof(uint32_t) };

void jz_ring_free(jz_ring *ring)
{
    if (ring->piece_count > 0) {
        for (uint32_t i = 0; i < ring->piece_count; i++)
            free(ring->pieces[i]);
        if (ring->pieces != &ring->only)
            free(ring->pieces);
    }
    *ring = (jz_ring){0};
}

static uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

/* The size of pieces that `most` places make up almost exactly. */
static uint32_t places_for(uint32_t most)
{
    if (most <= MOST_ALONE)
        return most;
    uint32_t pieces = (most + MOST_PLACES - 1) / MOST_PLACES;
    return (most + pieces - 1) / pieces;
}

/* Puts all that is kept into one piece, in which there has to be room for it. */
static bool unite(jz_ring *ring, uint32_t places)
{
    jz_publication **piece = malloc((size_t)places * PLACE_SIZE);
    if (piece == NULL)
        return false;
    jz_ring united = {.count = ring->count, .capacity = places, .places = places, .piece_count = 1, .only = piece};
    for (uint32_t i = 0; i < ring->count; i++) {
        piece[i] = jz_ring_at(ring, i);
        *jz_ring_tick(&united, (jz_ring_place){piece, i}) = jz_ring_tick_at(ring, i);
    }
    jz_ring_free(ring);
    *ring = united;
    ring->pieces = &ring->only;
    return true;
}

/* Room to list so many pieces. */
static bool set_piece_room(jz_ring *ring, uint32_t room)
{
    bool is_alone = ring->pieces == &ring->only;
    jz_publication ***pieces = realloc(is_alone ? NULL : ring->pieces, room * sizeof *pieces);
    if (pieces == NULL)
        return false;
    if (is_alone)
        pieces[0] = ring->only;
    ring->pieces = pieces;
    ring->piece_room = room;
    return true;
}

static bool make_room_for_piece(jz_ring *ring)
{
    if (ring->piece_count == 1)
        return set_piece_room(ring, FIRST_PIECES);
    return ring->piece_count < ring->piece_room || set_piece_room(ring, ring->piece_room + ring->piece_room / 4 + 1);
}

/*
 * Adds a piece to a full ring, between the newest and the oldest. They are in one piece, or at its edge: what is in
 * there from the oldest on moves to the same places of the new piece, which comes next.
 */
static bool add_piece(jz_ring *ring)
{
    jz_publication **added = malloc((size_t)ring->places * PLACE_SIZE);
    if (added == NULL || !make_room_for_piece(ring)) {
        free(added);
        return false;
    }
    uint32_t number = ring->first / ring->places;
    uint32_t index = ring->first % ring->places;
    jz_publication **split = ring->pieces[number];
    size_t moved = ring->places - index;
    memcpy(added + index, split + index, moved * sizeof *added);
    memcpy(jz_ring_tick(ring, (jz_ring_place){added, index}), jz_ring_tick(ring, (jz_ring_place){split, index}),
           moved * sizeof(uint32_t));
    memmove(ring->pieces + number + 2, ring->pieces + number + 1,
            (ring->piece_count - number - 1) * sizeof *ring->pieces);
    ring->pieces[number + 1] = added;
    ring->piece_count++;
    ring->first += ring->places;
    ring->capacity += ring->places;
    return true;
}

bool jz_ring_grow(jz_ring *ring, uint32_t most)
{
    uint32_t full = places_for(most);
    if (ring->piece_count > 1 || ring->places >= full)
        return add_piece(ring);
    uint32_t more = ring->places / 4;
    return unite(ring, least(full, ring->places + (more > FIRST_PLACES ? more : FIRST_PLACES)));
}

/* Two pieces' worth of places are free in a row: one of the pieces is wholly free. */
static void remove_piece(jz_ring *ring)
{
    if (ring->count == 0)
        ring->first = 0;
    uint32_t end = ring->first + ring->count;
    if (end >= ring->capacity)
        end -= ring->capacity;
    uint32_t number = (end + ring->places - 1) / ring->places;
    if (number == ring->piece_count)
        number = 0;
    if (number < ring->first / ring->places)
        ring->first -= ring->places;
    free(ring->pieces[number]);
    ring->piece_count--;
    ring->capacity -= ring->places;
    memmove(ring->pieces + number, ring->pieces + number + 1, (ring->piece_count - number) * sizeof *ring->pieces);
    if (ring->piece_count < ring->piece_room / 2)
        (void)set_piece_room(ring, ring->piece_room / 4 * 3);
}

/* Without memory it stays as it is. */
void jz_ring_shrink(jz_ring *ring)
{
    if (ring->piece_count > 2 && ring->capacity - ring->count >= 2 * ring->places)
        remove_piece(ring);
    else if (ring->piece_count == 2 && ring->count < ring->places / 4 * 3)
        (void)unite(ring, ring->places);
    else if (ring->piece_count == 1 && ring->capacity > SMALL && ring->count < ring->capacity / 2)
        (void)unite(ring, ring->capacity / 4 * 3);
}
