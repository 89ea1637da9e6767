/* Large pieces of memory with commands, of which it is known where each ends, and whose it is. */
#ifndef JAZZY_REDIS_LINK_PIECES_H
#define JAZZY_REDIS_LINK_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope/published.h"

enum { JZ_REDIS_PIECE_CAPACITY = 32 * 1024 };

typedef enum jz_redis_queued_kind {
    JZ_REDIS_QUEUED_MESSAGE,
    JZ_REDIS_QUEUED_ANNOUNCEMENT,
    JZ_REDIS_QUEUED_LOST_ANY,
    JZ_REDIS_QUEUED_KEPT,   /* a message that Redis keeps, too */
    JZ_REDIS_QUEUED_SCRIPT, /* loads the script that does it, in front of the first such message */
    JZ_REDIS_QUEUED_PROBE,  /* to ourselves */
    JZ_REDIS_QUEUED_ROLE,   /* the question whether Redis is a master */
    JZ_REDIS_QUEUED_SCRIPT_AGAIN,
    JZ_REDIS_QUEUED_FETCH /* the question what is kept; `number` is its id */
} jz_redis_queued_kind;

/* A command in a piece. */
typedef struct jz_redis_queued {
    jz_redis_publication *publication; /* of messages and announcements */
    uint64_t number;                   /* what jz_redis_published_lost is told */
    size_t end;                        /* where it ends in the piece */
    jz_redis_queued_kind kind;
    uint8_t retries; /* how often it was refused in a way that passes, and sent again */
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
    size_t sent;   /* bytes */
    uint64_t turn; /* is not sent before that is settled (topics.h) */
    char bytes[];
} jz_redis_piece;

typedef struct jz_redis_pieces {
    jz_redis_piece *first;
    jz_redis_piece *last;
} jz_redis_pieces;

/* NULL: no memory. */
jz_redis_piece *jz_redis_piece_make(size_t capacity);
void jz_redis_piece_free(jz_redis_piece *piece);

/* Whether one more command can be noted. False: no memory. */
bool jz_redis_piece_has_room(jz_redis_piece *piece);

void jz_redis_pieces_append(jz_redis_pieces *pieces, jz_redis_piece *piece);
/* Moves all of the others in front of them. */
void jz_redis_pieces_prepend(jz_redis_pieces *pieces, jz_redis_pieces *others);
void jz_redis_pieces_free(jz_redis_pieces *pieces);

#endif
