#include "sending.h"

#include <string.h>

#include "output.h"
#include "routes.h"
#include "server.h"

static bool is_writable(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
           jz_session_is_open(&connection->session);
}

static bool exceeds(const jz_connection *connection, size_t limit)
{
    return atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed) >= limit;
}

/* Whether the connection takes another message. If not, its route's policy has been followed. */
static bool has_room(jz_shard *shard, jz_connection *connection)
{
    static const char reason[] = "too much output waits";
    size_t limit = shard->server->options.backpressure_limit;
    if (JZ_LIKELY(!exceeds(connection, limit)))
        return true;
    /* What was only gathered for the end of the turn is no backpressure yet. */
    jz_output_flush(shard, connection);
    if (!exceeds(connection, limit))
        return true;
    atomic_fetch_add_explicit(&shard->dropped_count, 1, memory_order_relaxed);
    if (jz_connection_route(connection)->backpressure_policy == JZ_BACKPRESSURE_CLOSE)
        jz_connection_close(shard, connection, JZ_CLOSE_TRY_AGAIN_LATER, reason, strlen(reason));
    return false;
}

jz_send_status jz_connection_send(jz_shard *shard, jz_connection *connection, jz_message_kind kind, const void *bytes,
                                  size_t length, jz_compression compression)
{
    if (!is_writable(connection))
        return JZ_SEND_CLOSED;
    if (!has_room(shard, connection))
        return JZ_SEND_DROPPED;
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL)
        return JZ_SEND_DROPPED;
    jz_send_status status = jz_session_send_with(&connection->session, kind, bytes, length, compression, output);
    jz_output_appended(shard, connection);
    return status == JZ_SEND_SENT && connection->is_blocked ? JZ_SEND_QUEUED : status;
}

jz_send_status jz_connection_close(jz_shard *shard, jz_connection *connection, uint16_t code, const char *reason,
                                   size_t reason_length)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE)
        return JZ_SEND_CLOSED;
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL)
        return JZ_SEND_DROPPED;
    jz_send_status status = jz_session_close(&connection->session, code, reason, reason_length, output);
    if (!jz_session_is_open(&connection->session))
        atomic_store_explicit(&connection->is_open, false, memory_order_relaxed);
    jz_output_appended(shard, connection);
    return status;
}

jz_send_status jz_connection_subscribe(jz_shard *shard, jz_connection *connection, jz_text topic)
{
    if (!is_writable(connection))
        return JZ_SEND_CLOSED;
    return jz_topics_subscribe(&shard->topics, connection, topic) ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

static void share(jz_shard *shard, jz_connection *connection, jz_publication *publication)
{
    if (!is_writable(connection) || !has_room(shard, connection))
        return;
    size_t length = 0;
    const uint8_t *frame = jz_publication_frame_for(publication, &connection->session, &length);
    if (!jz_output_share(shard, connection, publication, frame, length))
        atomic_fetch_add_explicit(&shard->dropped_count, 1, memory_order_relaxed);
}

void jz_shard_publish(jz_shard *shard, jz_text topic, jz_publication *publication, jz_ws sender)
{
    /* Nothing here calls a handler, so the subscribers stay as they are meanwhile. */
    const jz_topic *found = jz_topics_find(&shard->topics, topic);
    for (size_t i = 0; found != NULL && i < found->count; i++) {
        jz_connection *connection = found->subscribers[i].connection;
        if (jz_shard_handle_of(shard, connection).value != sender.value)
            share(shard, connection, publication);
    }
}
