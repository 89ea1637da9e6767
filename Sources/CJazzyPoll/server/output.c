#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "../loop/socket.h"
#include "sending.h"
#include "unsent.h"

enum {
    FLUSH_CORK_AT = 256 * 1024,    /* bytes: more is not gathered while one read is handled */
    KEEP_CORK_UP_TO = 1024 * 1024, /* bytes: a larger cork is given back after use */
    COPY_UP_TO = 2048              /* bytes: to share a smaller frame costs more than to copy it */
};

static bool is_corked(const jz_shard *shard, const jz_connection *connection)
{
    return shard->current == connection && connection->unsent == NULL;
}

static void account(jz_shard *shard, jz_connection *connection)
{
    size_t amount = 0;
    if (connection->unsent != NULL)
        amount = jz_unsent_amount(connection->unsent);
    else if (shard->current == connection)
        amount = shard->cork.length;
    atomic_store_explicit(&connection->buffered_amount, amount, memory_order_release);
}

jz_buffer *jz_output_open(jz_shard *shard, jz_connection *connection)
{
    if (is_corked(shard, connection))
        return &shard->cork;
    if (connection->unsent == NULL)
        connection->unsent = calloc(1, sizeof *connection->unsent);
    if (connection->unsent == NULL)
        return NULL;
    jz_unsent_compact(connection->unsent);
    return &connection->unsent->own;
}

/* Moves what the cork has to the connection's own output, so that more can follow it than the cork is there for. */
static bool uncork(jz_shard *shard, jz_connection *connection)
{
    jz_unsent *unsent = calloc(1, sizeof *unsent);
    if (unsent == NULL)
        return false;
    unsent->own = shard->cork;
    shard->cork = (jz_buffer){0};
    connection->unsent = unsent;
    return true;
}

bool jz_output_share(jz_shard *shard, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                     size_t length)
{
    if (length > COPY_UP_TO && is_corked(shard, connection) && !uncork(shard, connection))
        return false;
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL)
        return false;
    bool is_appended = length > COPY_UP_TO ? jz_unsent_share(connection->unsent, publication, frame, length)
                                           : jz_buffer_append(output, frame, length);
    jz_output_appended(shard, connection);
    return is_appended;
}

void jz_output_appended(jz_shard *shard, jz_connection *connection)
{
    account(shard, connection);
    /* What goes to others is gathered for one system call at the end of the turn, up to their backpressure limit. */
    if (shard->current != connection)
        jz_connection_mark_dirty(shard, connection);
    else if (is_corked(shard, connection) && shard->cork.length >= FLUSH_CORK_AT)
        jz_output_flush(shard, connection);
}

void jz_output_discard(jz_connection *connection)
{
    if (connection->unsent != NULL) {
        jz_unsent_clear(connection->unsent);
        free(connection->unsent);
        connection->unsent = NULL;
    }
}

/* Takes in how sending went, and returns how many bytes the kernel has now. */
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

static void flush_cork(jz_shard *shard, jz_connection *connection)
{
    jz_buffer *cork = &shard->cork;
    if (cork->length == 0)
        return;
    size_t sent = 0;
    jz_socket_result result = jz_socket_send(connection->descriptor, cork->bytes, cork->length, &sent);
    sent = note_sent(connection, result, sent, cork->length);
    if (sent < cork->length && connection->broken == JZ_FAILURE_NONE) {
        connection->unsent = calloc(1, sizeof *connection->unsent);
        /* Part of a frame may be on its way: without its rest the stream makes no sense any more. */
        if (connection->unsent == NULL ||
            !jz_buffer_append(&connection->unsent->own, cork->bytes + sent, cork->length - sent))
            connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    }
    cork->length = 0;
    if (cork->capacity > KEEP_CORK_UP_TO)
        jz_buffer_free(cork);
}

static void flush_unsent(jz_connection *connection)
{
    jz_unsent *unsent = connection->unsent;
    while (jz_unsent_amount(unsent) > 0 && !connection->is_blocked && connection->broken == JZ_FAILURE_NONE) {
        jz_piece pieces[JZ_MOST_PIECES];
        size_t count = jz_unsent_pieces(unsent, pieces);
        size_t length = 0;
        for (size_t i = 0; i < count; i++)
            length += pieces[i].length;
        size_t sent = 0;
        jz_socket_result result = count == 1
                                      ? jz_socket_send(connection->descriptor, pieces[0].bytes, pieces[0].length, &sent)
                                      : jz_socket_send_pieces(connection->descriptor, pieces, count, &sent);
        jz_unsent_take(unsent, note_sent(connection, result, sent, length));
    }
    if (jz_unsent_amount(unsent) == 0)
        jz_output_discard(connection);
}

/* What the kernel did not take, and not what is only gathered, is what backs up. */
static void note_backing_up(const jz_shard *shard, jz_connection *connection)
{
    size_t amount = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    if (connection->unsent != NULL && connection->phase == JZ_PHASE_WEBSOCKET &&
        amount > jz_connection_limit(shard, connection) / 2)
        connection->is_backed_up = true;
}

void jz_output_flush(jz_shard *shard, jz_connection *connection)
{
    if (connection->broken != JZ_FAILURE_NONE) {
        if (shard->current == connection)
            shard->cork.length = 0;
        return;
    }
    if (connection->unsent != NULL) {
        if (!connection->is_blocked)
            flush_unsent(connection);
    } else if (shard->current == connection) {
        flush_cork(shard, connection);
    }
    account(shard, connection);
    note_backing_up(shard, connection);
}

void jz_output_defer(jz_shard *shard, jz_connection *connection)
{
    if (connection->broken == JZ_FAILURE_NONE && (shard->cork.length == 0 || uncork(shard, connection)))
        jz_connection_mark_dirty(shard, connection);
    else
        jz_output_flush(shard, connection);
}
