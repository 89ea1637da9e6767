/* Output that waits: bytes of the connection's own, and between them what it shares with other connections. */
#ifndef JAZZY_OUTPUT_UNSENT_H
#define JAZZY_OUTPUT_UNSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/socket.h"
#include "session/buffer.h"
#include "output/publication.h"

typedef struct jz_shared_piece {
    size_t position;             /* it comes before the byte of `own` that is there */
    jz_publication *publication; /* NULL where the bytes outlive every connection */
    const uint8_t *bytes;
    size_t length;
} jz_shared_piece;

/*
 * All zero is nothing that waits. What waits is either a part of what the shard publishes in this turn, or what is own
 * and shared.
 */
typedef struct jz_unsent {
    uint32_t published_from; /* bytes of the shard's jz_published.frames: those from here ... */
    uint32_t published_to;   /* ... to here; none where both are the same */
    jz_buffer own;
    size_t own_sent; /* bytes at the front of `own` that the kernel has taken */
    jz_shared_piece *shared;
    size_t shared_count;
    size_t shared_capacity;
    size_t shared_first;  /* the first that is not wholly sent */
    size_t shared_sent;   /* bytes of it that the kernel has taken */
    size_t shared_amount; /* bytes of all shared pieces that are not sent */
} jz_unsent;

/* Records that were used and will be again: so that a publication to many does not allocate and free one for each. */
typedef struct jz_spare_unsent {
    jz_unsent *records; /* each is all zero, but for the address of the next in `shared` */
    uint32_t count;
} jz_spare_unsent;

/* A record of nothing that waits. NULL when there is no memory. */
jz_unsent *jz_unsent_create(jz_spare_unsent *spare);

/* Gives back what waits, and the record. */
void jz_unsent_destroy(jz_spare_unsent *spare, jz_unsent *unsent);

void jz_spare_unsent_free(jz_spare_unsent *spare);

static inline bool jz_unsent_is_published(const jz_unsent *unsent)
{
    return unsent->published_to > unsent->published_from;
}

static inline size_t jz_unsent_amount(const jz_unsent *unsent)
{
    return unsent->published_to - unsent->published_from + unsent->own.length - unsent->own_sent +
           unsent->shared_amount;
}

/* Makes the part of what was published its own, so that more can follow it. False: no memory, nothing has changed. */
bool jz_unsent_own_published(jz_unsent *unsent, const jz_buffer *published);

/* Appends a frame of a publication, which is retained; with NULL, bytes that outlive `unsent`. False: no memory. */
bool jz_unsent_share(jz_unsent *unsent, jz_publication *publication, const uint8_t *bytes, size_t length);

/* Fills in the next pieces to send, at most JZ_MOST_PIECES, and returns how many. */
size_t jz_unsent_pieces(const jz_unsent *unsent, jz_piece *pieces);

/* Takes `count` bytes off the front: the kernel has them. */
void jz_unsent_take(jz_unsent *unsent, size_t count);

/* Moves the rest to the front, often enough that sent bytes do not pile up, seldom enough to be cheap. */
void jz_unsent_compact(jz_unsent *unsent);

/* Gives back everything and leaves nothing that waits. */
void jz_unsent_clear(jz_unsent *unsent);

#endif
