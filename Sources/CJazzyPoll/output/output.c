#include "output/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "loop/socket.h"
#include "output/unsent.h"

enum { KEEP_CORK_UP_TO = 1024 * 1024 /* bytes: a larger cork is freed after use */ };

static void account(jz_turn *turn, jz_connection *connection)
{
    size_t amount = 0;
    if (connection->unsent != NULL)
        amount = jz_unsent_amount(connection->unsent);
    else if (turn->current == connection)
        amount = turn->cork.length;
    atomic_store_explicit(&connection->buffered_amount, amount, memory_order_release);
}

jz_buffer *jz_output_open_own(jz_turn *turn, jz_connection *connection)
{
    if (connection->unsent == NULL)
        connection->unsent = jz_unsent_create(&turn->spare_unsent);
    if (connection->unsent == NULL)
        return NULL;
    if (jz_unsent_is_published(connection->unsent) &&
        !jz_unsent_own_published(connection->unsent, &turn->published.frames))
        return NULL;
    jz_unsent_compact(connection->unsent);
    return &connection->unsent->own;
}

void jz_output_follow_appended(jz_turn *turn, jz_connection *connection)
{
    account(turn, connection);
    /* Output to other connections is gathered for one system call at the end of the iteration, up to their backpressure
       limit. */
    if (turn->current != connection)
        jz_turn_mark_dirty(turn, connection);
    else if (jz_output_is_corked(turn, connection) && turn->cork.length >= JZ_FLUSH_CORK_AT)
        jz_output_flush(turn, connection);
}

/* It is about to be sent, or discarded. */
static void end_putting_off(jz_turn *turn, const jz_connection *connection)
{
    if (!jz_output_is_put_off(turn, connection))
        return;
    turn->put_off = NULL;
    turn->is_crowded = false;
}

/* Frees unsent output that is not counted. */
static void drop_unsent(jz_turn *turn, jz_connection *connection)
{
    jz_unsent_destroy(&turn->spare_unsent, connection->unsent);
    connection->unsent = NULL;
}

void jz_output_uncount(jz_turn *turn, jz_connection *connection)
{
    if (connection->unsent != NULL)
        jz_unsent_count(&turn->spare_unsent, connection->unsent, 0);
}

void jz_output_discard(jz_turn *turn, jz_connection *connection)
{
    if (connection->unsent == NULL)
        return;
    jz_output_uncount(turn, connection);
    end_putting_off(turn, connection);
    drop_unsent(turn, connection);
}

/* Notes the result of sending, and returns how many bytes the kernel has taken. */
static size_t note_sent(jz_connection *connection, jz_socket_result result, size_t sent, size_t length)
{
    if (result == JZ_SOCKET_OK) {
        connection->is_blocked = sent < length;
        return sent;
    }
    if (result == JZ_SOCKET_WOULD_BLOCK)
        connection->is_blocked = true;
    else
        connection->broken = JZ_FAILURE_TRANSPORT;
    return 0;
}

/* Keeps what the kernel has not taken of these pieces. */
static void keep_rest(jz_turn *turn, jz_connection *connection, const jz_piece *pieces, size_t count, size_t sent,
                      size_t length)
{
    connection->unsent = jz_unsent_create(&turn->spare_unsent);
    bool is_kept =
        connection->unsent != NULL && jz_buffer_reserve(&connection->unsent->own, length - sent, length - sent);
    for (size_t i = 0; i < count && is_kept; i++) {
        size_t skipped = sent < pieces[i].length ? sent : pieces[i].length;
        is_kept = jz_buffer_append(&connection->unsent->own, pieces[i].bytes + skipped, pieces[i].length - skipped);
        sent -= skipped;
    }
    /* A part of a frame may have been sent: without the rest the stream would be corrupt. */
    if (!is_kept)
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
}

static void send_pieces(jz_turn *turn, jz_connection *connection, const jz_piece *pieces, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += pieces[i].length;
    size_t sent = 0;
    jz_socket_result result = jz_link_send_pieces(&turn->links, connection->link, pieces, count, &sent);
    sent = note_sent(connection, result, sent, length);
    if (sent < length && connection->broken == JZ_FAILURE_NONE)
        keep_rest(turn, connection, pieces, count, sent, length);
}

/*
 * Whether a portion is sent of much output. Not where another waits: of several such messages that are in memory at the
 * same time none is in the caches any more when it is sent.
 */
static bool is_sent_in_portions(jz_turn *turn, const jz_connection *connection)
{
    if (!connection->is_websocket || jz_link_is_channel(connection->link))
        return false;
    turn->is_crowded = turn->put_off != NULL;
    return !turn->is_crowded;
}

static void put_off(jz_turn *turn, jz_connection *connection)
{
    turn->put_off = connection;
    turn->put_off_in = jz_counted(&turn->loop.times.turns);
    connection->is_blocked = true;
}

/* Keeps what the kernel has not taken of a frame whose payload is the received message, without copying that. */
static void lend_rest(jz_turn *turn, jz_connection *connection, const jz_buffer *message, jz_piece begin,
                      jz_piece payload, size_t sent)
{
    size_t of_begin = sent < begin.length ? sent : begin.length;
    size_t of_payload = sent - of_begin;
    jz_unsent *unsent = connection->unsent = jz_unsent_create(&turn->spare_unsent);
    if (unsent == NULL || !jz_buffer_append(&unsent->own, begin.bytes + of_begin, begin.length - of_begin) ||
        !jz_unsent_lend(unsent, message, payload.bytes + of_payload, payload.length - of_payload))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    else if (!connection->is_blocked)
        put_off(turn, connection);
}

/*
 * Sends the first portion of the message being handled, whose memory the connection gets for the rest when the handler
 * has returned. False: it is no such message.
 */
static bool send_portion(jz_turn *turn, jz_connection *connection, jz_piece begin, jz_piece payload)
{
    if (payload.length <= JZ_SEND_PORTION)
        return false;
    const jz_buffer *message = jz_session_message(&connection->session, payload.bytes);
    if (message == NULL || payload.length > message->length || !is_sent_in_portions(turn, connection))
        return false;
    const jz_piece pieces[] = {begin, {payload.bytes, JZ_SEND_PORTION}};
    size_t sent = 0;
    jz_socket_result result = jz_link_send_pieces(&turn->links, connection->link, pieces, 2, &sent);
    sent = note_sent(connection, result, sent, begin.length + JZ_SEND_PORTION);
    if (connection->broken == JZ_FAILURE_NONE)
        lend_rest(turn, connection, message, begin, payload, sent);
    return true;
}

static void send_piece(jz_turn *turn, jz_connection *connection, const uint8_t *bytes, size_t length, bool is_last)
{
    size_t sent = 0;
    jz_socket_result result = is_last ? jz_link_send_last(&turn->links, connection->link, bytes, length, &sent)
                                      : jz_link_send(&turn->links, connection->link, bytes, length, &sent);
    sent = note_sent(connection, result, sent, length);
    if (sent < length && connection->broken == JZ_FAILURE_NONE)
        keep_rest(turn, connection, &(jz_piece){bytes, length}, 1, sent, length);
}

static void empty_cork(jz_buffer *cork)
{
    cork->length = 0;
    if (cork->capacity > KEEP_CORK_UP_TO)
        jz_buffer_free(cork);
}

/*
 * Whether the connection is released as soon as its output is sent: after a close handshake, when the peer sends no
 * more.
 */
static bool is_closed_after(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_FINISHING && connection->ended_cleanly && !connection->lingers;
}

static void flush_cork(jz_turn *turn, jz_connection *connection)
{
    jz_buffer *cork = &turn->cork;
    if (cork->length == 0)
        return;
    send_piece(turn, connection, cork->bytes, cork->length, is_closed_after(connection));
    empty_cork(cork);
}

/* The unsent rest is copied to the connection's own output, because the next iteration publishes other frames. */
static void flush_published(jz_turn *turn, jz_connection *connection)
{
    jz_unsent *unsent = connection->unsent;
    size_t length = unsent->published_to - unsent->published_from;
    size_t sent = 0;
    jz_socket_result result = jz_link_send(&turn->links, connection->link,
                                           turn->published.frames.bytes + unsent->published_from, length, &sent);
    unsent->published_from += (uint32_t)note_sent(connection, result, sent, length);
    if (jz_unsent_is_published(unsent) && connection->broken == JZ_FAILURE_NONE &&
        !jz_unsent_own_published(unsent, &turn->published.frames))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
}

/* Shortens the pieces to that many bytes at most. Returns how many they have. */
static size_t shorten(jz_piece *pieces, size_t *count, size_t most)
{
    size_t length = 0;
    for (size_t i = 0; i < *count; i++) {
        if (pieces[i].length >= most - length) {
            pieces[i].length = most - length;
            *count = i + 1;
        }
        length += pieces[i].length;
    }
    return length;
}

/* How much of what waits is sent now. To many receivers it would cost half as much again in portions. */
static size_t share_of_turn(jz_turn *turn, const jz_connection *connection)
{
    const jz_unsent *unsent = connection->unsent;
    bool is_much = jz_unsent_amount(unsent) > JZ_SEND_PORTION && !jz_unsent_has_shared(unsent);
    return is_much && is_sent_in_portions(turn, connection) ? JZ_SEND_PORTION : SIZE_MAX;
}

/* Sends that much of it, and puts off the rest. */
static void send_waiting(jz_turn *turn, jz_connection *connection, size_t most)
{
    jz_unsent *unsent = connection->unsent;
    while (jz_unsent_amount(unsent) > 0 && !connection->is_blocked && connection->broken == JZ_FAILURE_NONE) {
        if (most == 0) {
            put_off(turn, connection);
            break;
        }
        jz_piece pieces[JZ_MOST_PIECES];
        size_t count = jz_unsent_pieces(unsent, pieces);
        size_t length = shorten(pieces, &count, most);
        size_t sent = 0;
        jz_socket_result result =
            count == 1 ? jz_link_send(&turn->links, connection->link, pieces[0].bytes, pieces[0].length, &sent)
                       : jz_link_send_pieces(&turn->links, connection->link, pieces, count, &sent);
        sent = note_sent(connection, result, sent, length);
        jz_unsent_take(unsent, sent);
        most -= sent;
    }
}

/* Sends all of it, or a portion. */
static void flush_unsent(jz_turn *turn, jz_connection *connection, bool sends_all)
{
    jz_unsent *unsent = connection->unsent;
    if (jz_unsent_is_published(unsent))
        flush_published(turn, connection);
    if (jz_unsent_amount(unsent) > 0) {
        sends_all |= jz_output_is_put_off(turn, connection) && turn->is_crowded;
        end_putting_off(turn, connection);
        send_waiting(turn, connection, sends_all ? SIZE_MAX : share_of_turn(turn, connection));
    }
    if (jz_unsent_amount(unsent) == 0)
        drop_unsent(turn, connection);
}

/* Only output that the kernel did not take counts as backed up, not output that is merely gathered or put off. */
static JZ_NEVER_INLINED void note_unsent(jz_turn *turn, jz_connection *connection)
{
    if (jz_output_is_put_off(turn, connection))
        return;
    size_t amount = jz_unsent_amount(connection->unsent);
    connection->unsent->was_refused = true;
    jz_unsent_count(&turn->spare_unsent, connection->unsent, amount);
    if (connection->phase == JZ_PHASE_WEBSOCKET &&
        amount > jz_connection_route(connection)->options.backpressure_limit / 2)
        connection->is_backed_up = true;
}

static inline void note_backing_up(jz_turn *turn, jz_connection *connection)
{
    if (connection->unsent != NULL)
        note_unsent(turn, connection);
}

/*
 * If the payload is the received one, unchanged in the receive buffer, returns its place there, provided that our
 * header fits before it. The client's header, which is longer, leaves room for it, unless an earlier read ended within
 * that header: then only the header's end is at the front of the buffer. NULL: it is another payload, or there is no
 * room.
 */
static uint8_t *received_payload(const jz_turn *turn, const jz_outgoing *outgoing, size_t header_length)
{
    const jz_message *message = turn->message;
    uint8_t *buffer = turn->loop.receive_buffer;
    if (message == NULL || outgoing->payload != message->bytes || outgoing->length > message->length ||
        message->bytes < buffer || message->bytes >= buffer + turn->loop.receive_buffer_size)
        return NULL;
    size_t room = (size_t)(message->bytes - buffer);
    return room >= header_length ? buffer + room : NULL;
}

/* Writes our header over the client's header before the payload. Returns the beginning of the frame. */
static uint8_t *frame_received(const jz_turn *turn, uint8_t *payload, const uint8_t *header, size_t header_length)
{
    assert((size_t)(payload - turn->loop.receive_buffer) >= header_length);
    (void)turn;
    return memcpy(payload - header_length, header, header_length);
}

void jz_output_send_at_once(jz_turn *turn, jz_connection *connection, const jz_outgoing *outgoing)
{
    uint8_t header[JZ_MAX_SENT_FRAME_HEADER];
    size_t header_length = jz_frame_header_encode(header, true, outgoing->reserved, outgoing->opcode, outgoing->length);
    jz_buffer *cork = &turn->cork;
    uint8_t *received = cork->length == 0 ? received_payload(turn, outgoing, header_length) : NULL;
    if (received != NULL) {
        const uint8_t *frame = frame_received(turn, received, header, header_length);
        send_piece(turn, connection, frame, header_length + outgoing->length, false);
    } else if (!(cork->length == 0 && send_portion(turn, connection, (jz_piece){header, header_length},
                                                   (jz_piece){outgoing->payload, outgoing->length}))) {
        const jz_piece pieces[] = {
            {cork->bytes, cork->length}, {header, header_length}, {outgoing->payload, outgoing->length}};
        size_t skipped = cork->length == 0 ? 1 : 0;
        send_pieces(turn, connection, pieces + skipped, 3 - skipped);
        empty_cork(cork);
    }
    account(turn, connection);
    note_backing_up(turn, connection);
}

static void flush(jz_turn *turn, jz_connection *connection, bool sends_all)
{
    if (connection->broken != JZ_FAILURE_NONE) {
        if (turn->current == connection)
            turn->cork.length = 0;
        return;
    }
    if (connection->unsent != NULL) {
        if (!connection->is_blocked)
            flush_unsent(turn, connection, sends_all);
    } else if (turn->current == connection) {
        flush_cork(turn, connection);
    }
    account(turn, connection);
    note_backing_up(turn, connection);
}

void jz_output_flush(jz_turn *turn, jz_connection *connection)
{
    flush(turn, connection, false);
}

void jz_output_flush_all(jz_turn *turn, jz_connection *connection)
{
    /* What the kernel does not take is blocked from now on, which the poll has to be told. */
    if (jz_output_is_put_off(turn, connection)) {
        connection->is_blocked = false;
        jz_turn_mark_dirty(turn, connection);
    }
    flush(turn, connection, true);
}

void jz_output_keep_message(jz_connection *connection)
{
    if (!jz_unsent_borrows(connection->unsent))
        return;
    (void)jz_session_take_message(&connection->session);
    jz_unsent_own_message(connection->unsent);
}
