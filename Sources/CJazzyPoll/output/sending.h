/* Sending to a connection on its own loop: messages, publications, closing. Nothing here calls a handler. */
#ifndef JAZZY_OUTPUT_SENDING_H
#define JAZZY_OUTPUT_SENDING_H

#include <assert.h>
#include <string.h>

#include "codec/frame_header.h"
#include "connection/connection.h"
#include "output/output.h"
#include "output/turn.h"

/* Whether messages can still be sent to the connection. */
static inline bool jz_connection_is_writable(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
           jz_session_is_open(&connection->session);
}

/* Whether a handler has ended it, and that waits in the mailbox: until then nothing is delivered. */
static inline bool jz_connection_is_silenced(const jz_connection *connection)
{
    return jz_connection_is_writable(connection) &&
           atomic_load_explicit(&connection->visible, memory_order_relaxed) == JZ_VISIBLE_NOT;
}

/* Whether at least `limit` bytes wait to be sent. */
static inline bool jz_connection_exceeds(const jz_connection *connection, size_t limit)
{
    return atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed) >= limit;
}

/* Private to jz_connection_has_room, for when the limit is reached, perhaps only by gathered output. */
bool jz_connection_makes_room(jz_turn *turn, jz_connection *connection);

/* Whether the connection accepts another message. If not, its route's backpressure policy has been applied. */
static inline bool jz_connection_has_room(jz_turn *turn, jz_connection *connection)
{
    size_t limit = jz_connection_route(connection)->options.backpressure_limit;
    return JZ_LIKELY(!jz_connection_exceeds(connection, limit)) || jz_connection_makes_room(turn, connection);
}

/*
 * Copies a few bytes, without a function call. The regions do not overlap; the last word overlaps the words before it.
 */
static JZ_ALWAYS_INLINED void jz_copy_short(uint8_t *destination, const uint8_t *source, size_t length)
{
    enum { WORD = 8 };
    if (length < WORD) {
        for (size_t i = 0; i < length; i++)
            destination[i] = source[i];
        return;
    }
    for (size_t i = 0; i + WORD < length; i += WORD)
        memcpy(destination + i, source + i, WORD);
    memcpy(destination + length - WORD, source + length - WORD, WORD);
}

/*
 * The fast path for most messages: short, uncompressed, to the connection that is being read, into a cork with room.
 * False: it does not apply to this message, and nothing was done.
 */
static inline bool jz_connection_answer(jz_turn *turn, jz_connection *connection, jz_message_kind kind,
                                        const void *bytes, size_t length)
{
    enum { HEADER = 2, MAX_LENGTH = 125 };
    jz_buffer *cork = &turn->cork;
    if (kind > JZ_MESSAGE_BINARY || length > MAX_LENGTH || connection->unsent != NULL ||
        !jz_connection_is_writable(connection) || connection->session.uses_deflate ||
        cork->capacity - cork->length < HEADER + MAX_LENGTH || cork->length >= JZ_FLUSH_CORK_AT - HEADER - MAX_LENGTH ||
        cork->length >= jz_connection_route(connection)->options.backpressure_limit)
        return false;
    uint8_t *end = cork->bytes + cork->length;
    assert(length <= MAX_LENGTH && HEADER + length <= cork->capacity - cork->length);
    end[0] = kind == JZ_MESSAGE_TEXT ? 0x80 | JZ_OPCODE_TEXT : 0x80 | JZ_OPCODE_BINARY;
    end[1] = (uint8_t)length;
    jz_copy_short(end + HEADER, bytes, length);
    cork->length += HEADER + length;
    atomic_store_explicit(&connection->buffered_amount, cork->length, memory_order_release);
    jz_count_sent(&turn->counters, kind, length);
    return true;
}

jz_send_status jz_connection_send(jz_turn *turn, jz_connection *connection, jz_message_kind kind, const void *bytes,
                                  size_t length, jz_compression compression);
jz_send_status jz_connection_close(jz_turn *turn, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                   jz_text reason);

/*
 * Ends the connection without a close frame, when the shard settles it. SENT, or CLOSED if its close event was
 * delivered or is due.
 */
jz_send_status jz_connection_terminate(jz_turn *turn, jz_connection *connection);

/*
 * Closes a connection that would have to miss a message of a topic with history (jazzy/history.h): with
 * JZ_CLOSE_BEHIND, or without a close frame if there is no memory for one.
 */
void jz_connection_fall_behind(jz_turn *turn, jz_connection *connection);

/* The same for one that has missed messages, not by its own fault. */
void jz_connection_miss(jz_turn *turn, jz_connection *connection);

/* Sends a ping, to check whether the peer is still there. If there is no memory, nothing is sent. */
void jz_connection_ping(jz_turn *turn, jz_connection *connection);

/* Pauses or resumes reading, as the application asks. */
jz_send_status jz_connection_pause(jz_turn *turn, jz_connection *connection, bool is_paused);

#endif
