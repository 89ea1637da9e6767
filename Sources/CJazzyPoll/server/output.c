#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "../loop/socket.h"

enum {
    FLUSH_EARLY_AT = 256 * 1024,   /* bytes: more than this is not gathered before the kernel gets it */
    KEEP_CORK_UP_TO = 1024 * 1024, /* bytes: a larger cork is given back after use */
    COMPACT_WHEN_SENT = 64 * 1024, /* bytes */
};

static bool is_corked(const jz_shard *shard, const jz_connection *connection)
{
    return shard->current == connection && connection->unsent == NULL;
}

static void account(jz_shard *shard, jz_connection *connection)
{
    size_t amount = 0;
    if (connection->unsent != NULL)
        amount = connection->unsent->buffer.length - connection->unsent->sent;
    else if (shard->current == connection)
        amount = shard->cork.length;
    atomic_store_explicit(&connection->buffered_amount, amount, memory_order_relaxed);
}

/* Moves what waits to the front, often enough that sent bytes do not pile up, seldom enough to be cheap. */
static void compact(jz_unsent *unsent)
{
    if (unsent->sent < COMPACT_WHEN_SENT || unsent->sent < unsent->buffer.length / 2)
        return;
    unsent->buffer.length -= unsent->sent;
    memmove(unsent->buffer.bytes, unsent->buffer.bytes + unsent->sent, unsent->buffer.length);
    unsent->sent = 0;
}

jz_buffer *jz_output_open(jz_shard *shard, jz_connection *connection)
{
    if (is_corked(shard, connection))
        return &shard->cork;
    if (connection->unsent == NULL)
        connection->unsent = calloc(1, sizeof *connection->unsent);
    if (connection->unsent == NULL)
        return NULL;
    compact(connection->unsent);
    return &connection->unsent->buffer;
}

void jz_output_appended(jz_shard *shard, jz_connection *connection)
{
    account(shard, connection);
    if (shard->current != connection)
        jz_connection_mark_dirty(shard, connection);
    if (!connection->is_blocked &&
        atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed) >= FLUSH_EARLY_AT)
        jz_output_flush(shard, connection);
}

void jz_output_discard(jz_connection *connection)
{
    if (connection->unsent != NULL) {
        jz_buffer_free(&connection->unsent->buffer);
        free(connection->unsent);
        connection->unsent = NULL;
    }
}

/* Sends as much as the socket takes and returns how much that was. */
static size_t send_some(jz_connection *connection, const uint8_t *bytes, size_t length)
{
    size_t sent = 0;
    switch (jz_socket_send(connection->descriptor, bytes, length, &sent)) {
    case JZ_SOCKET_OK:
        connection->is_blocked = sent < length;
        return sent;
    case JZ_SOCKET_WOULD_BLOCK:
        connection->is_blocked = true;
        return 0;
    default:
        connection->broken = JZ_FAILURE_TRANSPORT;
        return 0;
    }
}

static void flush_cork(jz_shard *shard, jz_connection *connection)
{
    jz_buffer *cork = &shard->cork;
    if (cork->length == 0)
        return;
    size_t sent = send_some(connection, cork->bytes, cork->length);
    if (sent < cork->length && connection->broken == JZ_FAILURE_NONE) {
        connection->unsent = calloc(1, sizeof *connection->unsent);
        /* Part of a frame may be on its way: without its rest the stream makes no sense any more. */
        if (connection->unsent == NULL ||
            !jz_buffer_append(&connection->unsent->buffer, cork->bytes + sent, cork->length - sent))
            connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    }
    cork->length = 0;
    if (cork->capacity > KEEP_CORK_UP_TO)
        jz_buffer_free(cork);
}

static void flush_unsent(jz_connection *connection)
{
    jz_unsent *unsent = connection->unsent;
    size_t length = unsent->buffer.length - unsent->sent;
    if (length > 0)
        unsent->sent += send_some(connection, unsent->buffer.bytes + unsent->sent, length);
    if (unsent->sent == unsent->buffer.length)
        jz_output_discard(connection);
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
}
