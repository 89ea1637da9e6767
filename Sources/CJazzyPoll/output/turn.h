/*
 * What one turn of a loop (an iteration: wait, handle what is ready, send what was written) works with: the connection
 * that is being read, the message that a handler has, the cork, what is published, and who is to be settled at its end.
 * The first member of a shard, by value; all that sends needs no more of a shard than this.
 */
#ifndef JAZZY_OUTPUT_TURN_H
#define JAZZY_OUTPUT_TURN_H

#include "loop/loop.h"
#include "session/buffer.h"
#include "transport/links.h"
#include "connection/connection.h"
#include "connection/counters.h"
#include "output/published.h"
#include "output/unsent.h"

typedef struct jz_turn {
    jz_loop loop;
    jz_links links;            /* of the connections that are not just a descriptor */
    jz_connection *current;    /* the one that is being read, whose output goes to the cork */
    const jz_message *message; /* the one that a handler has now, which may lie in the receive buffer; else NULL */
    jz_buffer cork;            /* output of `current`, sent with one call when its input has been taken */
    jz_published published;    /* in this turn */
    jz_spare_unsent spare_unsent;
    jz_connection *dirty; /* to be settled at the end of the turn, linked by next_dirty */
    jz_counters counters;
} jz_turn;

/* Puts the connection on the list of those that are settled at the end of the turn. */
static inline void jz_turn_mark_dirty(jz_turn *turn, jz_connection *connection)
{
    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = turn->dirty;
    turn->dirty = connection;
}

#endif
