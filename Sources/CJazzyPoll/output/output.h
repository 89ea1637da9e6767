/*
 * output/: a message's way out: framed, corked, shared, held back. Not here: deciding who receives it, ending
 * connections.
 *
 * The way of output to the socket: the cork, what waits, and one system call for all of it.
 */
#ifndef JAZZY_OUTPUT_OUTPUT_H
#define JAZZY_OUTPUT_OUTPUT_H

#include "session/outgoing.h"
#include "connection/connection.h"
#include "output/publication.h"
#include "output/turn.h"

enum {
    JZ_FLUSH_CORK_AT = 256 * 1024,  /* bytes: more is not gathered while one read is handled */
    JZ_SEND_AT_ONCE_FROM = 8 * 1024 /* bytes of payload: to copy a larger one costs more than a system call for it */
};

/* Whether the output goes to the cork: the connection is being read, and nothing waits before. */
static inline bool jz_output_is_corked(const jz_turn *turn, const jz_connection *connection)
{
    return turn->current == connection && connection->unsent == NULL;
}

/* Private to the inline functions below. */
jz_buffer *jz_output_open_own(jz_turn *turn, jz_connection *connection);
void jz_output_follow_appended(jz_turn *turn, jz_connection *connection);

/*
 * The buffer to append this connection's output to: the cork while it is being read and nothing waits before,
 * else the connection's own. NULL when there is no memory. Call jz_output_appended when done.
 */
static inline jz_buffer *jz_output_open(jz_turn *turn, jz_connection *connection)
{
    return JZ_LIKELY(jz_output_is_corked(turn, connection)) ? &turn->cork : jz_output_open_own(turn, connection);
}

/*
 * Appends a frame of a publication: a reference to it, or a copy where it is small. With NULL, bytes that live as long
 * as the server. False when there is no memory.
 */
bool jz_output_share(jz_turn *turn, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                     size_t length);

/* The same for one of the frames of the message that is being published: see jz_published_begin. */
bool jz_output_publish(jz_turn *turn, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                       size_t length);

/* Accounts for what was appended, and sees to it that it is sent at the end of the turn at the latest. */
static inline void jz_output_appended(jz_turn *turn, jz_connection *connection)
{
    if (JZ_LIKELY(jz_output_is_corked(turn, connection) && turn->cork.length < JZ_FLUSH_CORK_AT))
        atomic_store_explicit(&connection->buffered_amount, turn->cork.length, memory_order_release);
    else
        jz_output_follow_appended(turn, connection);
}

/* Whether a message is so large, and the connection such, that it is better sent at once than gathered. */
static inline bool jz_output_sends_at_once(const jz_turn *turn, const jz_connection *connection,
                                           const jz_outgoing *outgoing)
{
    return outgoing->length >= JZ_SEND_AT_ONCE_FROM && jz_output_is_corked(turn, connection);
}

/* Sends what the cork has and a message after it with one call, from where it lies. Only what is left is copied. */
void jz_output_send_at_once(jz_turn *turn, jz_connection *connection, const jz_outgoing *outgoing);

/* Leaves what was appended to the current connection to the end of the turn, instead of flushing it. */
void jz_output_defer(jz_turn *turn, jz_connection *connection);

/* Sends what the socket takes. On failure the connection is marked as broken. Calls no handler. */
void jz_output_flush(jz_turn *turn, jz_connection *connection);

/* Gives back what waits. */
void jz_output_discard(jz_turn *turn, jz_connection *connection);

#endif
