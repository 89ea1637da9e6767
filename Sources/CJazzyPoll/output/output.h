/*
 * output/: a message's way out: framed, corked, shared, held back. Not here: deciding who receives it, ending
 * connections.
 *
 * Output on its way to the socket: the cork, unsent output, and one system call for all of it.
 */
#ifndef JAZZY_OUTPUT_OUTPUT_H
#define JAZZY_OUTPUT_OUTPUT_H

#include "session/outgoing.h"
#include "connection/connection.h"
#include "output/publication.h"
#include "output/turn.h"

enum {
    JZ_FLUSH_CORK_AT = 256 * 1024,   /* bytes: flushed at this size, even while one read is handled */
    JZ_SEND_AT_ONCE_FROM = 8 * 1024, /* bytes of payload: copying larger ones costs more than a system call */
    JZ_SEND_PORTION = 128 * 1024 /* bytes: of more, the rest waits for the next iteration, behind other connections */
};

/* Whether output goes to the cork: the connection is being read, and has no unsent output. */
static inline bool jz_output_is_corked(const jz_turn *turn, const jz_connection *connection)
{
    return turn->current == connection && connection->unsent == NULL;
}

/* Private to the inline functions below. */
jz_buffer *jz_output_open_own(jz_turn *turn, jz_connection *connection);
void jz_output_follow_appended(jz_turn *turn, jz_connection *connection);

/*
 * The buffer to which this connection's output is appended: the cork while it is being read and has no unsent output,
 * else its own. NULL when there is no memory. Call jz_output_appended afterwards.
 */
static inline jz_buffer *jz_output_open(jz_turn *turn, jz_connection *connection)
{
    return JZ_LIKELY(jz_output_is_corked(turn, connection)) ? &turn->cork : jz_output_open_own(turn, connection);
}

/*
 * The handler has returned: what was not sent of its message, which the session is about to forget, becomes the
 * connection's own. Only with unsent output.
 */
void jz_output_keep_message(jz_connection *connection);

/* As jz_output_open, before the session is asked for its next event. */
static inline jz_buffer *jz_output_open_next(jz_turn *turn, jz_connection *connection)
{
    if (JZ_LIKELY(jz_output_is_corked(turn, connection)))
        return &turn->cork;
    if (connection->unsent != NULL)
        jz_output_keep_message(connection);
    return jz_output_open_own(turn, connection);
}

/*
 * Appends a frame of a publication, as a reference or, if it is small, as a copy. With `publication` NULL, bytes that
 * live as long as the server. False when there is no memory.
 */
bool jz_output_share(jz_turn *turn, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                     size_t length);

/* The same for a frame of the message that is being published: see jz_published_begin. */
bool jz_output_publish(jz_turn *turn, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                       size_t length);

/*
 * Updates buffered_amount after appending, and makes sure that the output is sent at the latest at the end of the
 * iteration.
 */
static inline void jz_output_appended(jz_turn *turn, jz_connection *connection)
{
    if (JZ_LIKELY(jz_output_is_corked(turn, connection) && turn->cork.length < JZ_FLUSH_CORK_AT))
        atomic_store_explicit(&connection->buffered_amount, turn->cork.length, memory_order_release);
    else
        jz_output_follow_appended(turn, connection);
}

/* Whether it is better to send a message at once than to copy it to the cork. */
static inline bool jz_output_sends_at_once(const jz_turn *turn, const jz_connection *connection,
                                           const jz_outgoing *outgoing)
{
    return outgoing->length >= JZ_SEND_AT_ONCE_FROM && jz_output_is_corked(turn, connection);
}

/*
 * Sends the content of the cork and the message behind it with one system call, without copying the message. Only what
 * the kernel does not take is copied.
 */
void jz_output_send_at_once(jz_turn *turn, jz_connection *connection, const jz_outgoing *outgoing);

/* Sends the current connection's output at the end of the iteration, instead of flushing it now. */
void jz_output_defer(jz_turn *turn, jz_connection *connection);

/*
 * Sends as much as the socket takes. Of much output that a WebSocket without a transport shares with no other, only a
 * portion, and the rest is put off, unless another connection's is already: then neither waits. On failure the
 * connection is marked as broken. Calls no handler.
 */
void jz_output_flush(jz_turn *turn, jz_connection *connection);

/* The same, but all of it, and what was put off, too. */
void jz_output_flush_all(jz_turn *turn, jz_connection *connection);

/*
 * Whether the connection waits only for the next iteration. It is marked as blocked until then, but that is no
 * backpressure.
 */
static inline bool jz_output_is_put_off(const jz_turn *turn, const jz_connection *connection)
{
    return turn->put_off == connection;
}

/*
 * Whether that is the rest of a received message, which ends in a few iterations. Until then nothing is read, because
 * the answer would be copied behind it. Other output may be followed by more without an end: its receiver is read.
 */
static inline bool jz_output_holds_input(const jz_turn *turn, const jz_connection *connection)
{
    return jz_output_is_put_off(turn, connection) && connection->unsent->message.bytes != NULL;
}

/*
 * Output that the kernel did not take is counted (jz_spare_unsent). No longer: it is about to be sent, or discarded.
 */
void jz_output_uncount(jz_turn *turn, jz_connection *connection);

/* Frees unsent output. */
void jz_output_discard(jz_turn *turn, jz_connection *connection);

#endif
