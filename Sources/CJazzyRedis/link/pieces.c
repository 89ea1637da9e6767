#include "link/pieces.h"

#include <stdlib.h>

enum { FEWEST_QUEUED = 32 };

void jz_redis_piece_free(jz_redis_piece *piece)
{
    free(piece->queued);
    free(piece);
}

void jz_redis_pieces_append(jz_redis_pieces *pieces, jz_redis_piece *piece)
{
    piece->next = NULL;
    if (pieces->last != NULL)
        pieces->last->next = piece;
    else
        pieces->first = piece;
    pieces->last = piece;
}

void jz_redis_pieces_prepend(jz_redis_pieces *pieces, jz_redis_pieces *others)
{
    if (others->first == NULL)
        return;
    others->last->next = pieces->first;
    if (pieces->last == NULL)
        pieces->last = others->last;
    pieces->first = others->first;
    *others = (jz_redis_pieces){NULL, NULL};
}

void jz_redis_pieces_free(jz_redis_pieces *pieces)
{
    while (pieces->first != NULL) {
        jz_redis_piece *piece = pieces->first;
        pieces->first = piece->next;
        jz_redis_piece_free(piece);
    }
    pieces->last = NULL;
}

jz_redis_piece *jz_redis_piece_make(size_t capacity)
{
    jz_redis_piece *piece = malloc(sizeof *piece + capacity);
    if (piece != NULL)
        *piece = (jz_redis_piece){.capacity = capacity};
    return piece;
}

bool jz_redis_piece_has_room(jz_redis_piece *piece)
{
    if (piece->count < piece->queued_capacity)
        return true;
    size_t capacity = piece->queued_capacity > 0 ? piece->queued_capacity * 2 : FEWEST_QUEUED;
    jz_redis_queued *queued = realloc(piece->queued, capacity * sizeof *queued);
    if (queued == NULL)
        return false;
    piece->queued = queued;
    piece->queued_capacity = capacity;
    return true;
}
