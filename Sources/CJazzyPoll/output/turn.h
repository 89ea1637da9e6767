/*
 * What one turn of a loop (an iteration: wait, handle what is ready, send output) works with: the connection that is
 * being read, the message being handled, the cork, published frames, and the connections to settle at its end. The
 * first member of a shard, by value: functions that send need only this part of a shard.
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
    jz_links links;            /* of connections with a transport */
    jz_connection *current;    /* the connection that is being read, whose output goes to the cork */
    const jz_message *message; /* the message being handled, perhaps in the receive buffer; else NULL */
    jz_buffer cork;            /* output of `current`, sent with one system call when its input was handled */
    jz_published published;    /* frames of this iteration */
    jz_spare_unsent spare_unsent;
    jz_connection *put_off; /* whose output waits for its turn in the next iteration; NULL: nobody's. See output.h. */
    uint64_t put_off_in;    /* the iteration in which it was put off */
    bool is_crowded;        /* meanwhile another had much to send: neither waits any more */
    jz_connection *dirty;   /* to be settled at the end of the iteration, linked by next_dirty */
    jz_counters counters;
} jz_turn;

/* Puts the connection on the list of connections to settle at the end of the iteration. */
static inline void jz_turn_mark_dirty(jz_turn *turn, jz_connection *connection)
{
    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = turn->dirty;
    turn->dirty = connection;
}

#endif
