/* Output that waits: bytes that the connection owns and, between them, pieces that it shares with other connections. */
#ifndef JAZZY_OUTPUT_UNSENT_H
#define JAZZY_OUTPUT_UNSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/count.h"
#include "loop/socket.h"
#include "session/buffer.h"
#include "output/publication.h"

typedef struct jz_shared_piece {
    size_t position;             /* it comes before the byte of `own` at this position */
    jz_publication *publication; /* NULL if the bytes outlive every connection */
    const uint8_t *bytes;
    size_t length;
} jz_shared_piece;

/*
 * All zero: no output waits. Output is either a range of the frames that the shard publishes in this iteration, or own
 * and shared bytes.
 */
typedef struct jz_unsent {
    uint32_t published_from; /* range of the shard's jz_published.frames: from this position ... */
    uint32_t published_to;   /* ... to this one; empty if both are equal */
    jz_buffer own;
    size_t own_sent; /* bytes at the front of `own` that the kernel has taken */
    jz_shared_piece *shared;
    size_t shared_count;
    size_t shared_capacity;
    size_t shared_first;  /* the first that was not sent completely */
    size_t shared_sent;   /* bytes of that piece that the kernel has taken */
    size_t shared_amount; /* unsent bytes of all shared pieces */
    size_t counted;       /* how much of it jz_spare_unsent.held has */
    jz_buffer message;    /* a received one, of which the first shared piece is a part: see jz_unsent_lend */
    bool owns_message;    /* or its session does, until its handler returns */
    bool was_refused;     /* the kernel was full: it takes more only because the peer has taken some */
} jz_unsent;

/*
 * Free records for reuse, so that a publication to many receivers does not allocate and free one for each; and how much
 * all others hold, which is counted when the kernel does not take it.
 */
typedef struct jz_spare_unsent {
    jz_unsent *records; /* each is all zero, except for the address of the next in `shared` */
    uint32_t count;
    _Atomic uint64_t held; /* bytes; read by any thread */
} jz_spare_unsent;

/* An empty record. NULL when there is no memory. */
jz_unsent *jz_unsent_create(jz_spare_unsent *spare);

/* Frees the output, and the record, which must not be counted. */
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

/* Counts what it has now; 0: it is not counted any more. */
static inline void jz_unsent_count(jz_spare_unsent *spare, jz_unsent *unsent, size_t amount)
{
    jz_count(&spare->held, (uint64_t)amount - unsent->counted);
    unsent->counted = amount;
}

/*
 * Copies the published range to its own bytes, so that other output can follow. False: no memory, nothing has changed.
 */
bool jz_unsent_own_published(jz_unsent *unsent, const jz_buffer *published);

/*
 * Appends a frame of a publication, which is retained; with `publication` NULL, bytes that outlive `unsent`. False: no
 * memory.
 */
bool jz_unsent_share(jz_unsent *unsent, jz_publication *publication, const uint8_t *bytes, size_t length);

/*
 * The same, of an empty record, for the rest of a received message that is being handled, so that it need not be
 * copied. Once the handler returns, jz_unsent_own_message takes its memory, unless all of it was sent by then.
 */
bool jz_unsent_lend(jz_unsent *unsent, const jz_buffer *message, const uint8_t *rest, size_t length);

/* Whether there are pieces that other connections send, too. */
static inline bool jz_unsent_has_shared(const jz_unsent *unsent)
{
    return unsent->shared_first < unsent->shared_count && unsent->message.bytes == NULL;
}

/* Whether a message is lent that its session owns. */
static inline bool jz_unsent_borrows(const jz_unsent *unsent)
{
    return unsent->message.bytes != NULL && !unsent->owns_message;
}

static inline void jz_unsent_own_message(jz_unsent *unsent)
{
    unsent->owns_message = true;
}

/* Fills in the next pieces to send, at most JZ_MOST_PIECES, and returns how many. */
size_t jz_unsent_pieces(const jz_unsent *unsent, jz_piece *pieces);

/* Removes `count` bytes, which the kernel has taken, from the front. */
void jz_unsent_take(jz_unsent *unsent, size_t count);

/* Moves the unsent bytes to the front of the buffer, if enough bytes before them were sent. */
void jz_unsent_compact(jz_unsent *unsent);

/* Frees all output; the record is then empty. */
void jz_unsent_clear(jz_unsent *unsent);

#endif
