#include "sending.h"

#include <string.h>

#include "output.h"
#include "watch.h"

static bool exceeds(const jz_connection *connection, size_t limit)
{
    return atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed) >= limit;
}

/* Something is dropped: follows the policy of the connection's route. */
static void follow_policy(jz_shard *shard, jz_connection *connection)
{
    jz_count_dropped(&shard->counters);
    switch (jz_connection_route(connection)->options.backpressure_policy) {
    case JZ_BACKPRESSURE_CLOSE:
        jz_connection_close(shard, connection, JZ_CAUSE_BACKPRESSURE, JZ_CLOSE_TRY_AGAIN_LATER,
                            jz_text_of("too much output waits"));
        break;
    case JZ_BACKPRESSURE_REPORT:
        /* Told later, for nothing here calls a handler; and once, until the output has drained. */
        if (!connection->drop_was_told && !connection->drop_is_due) {
            connection->drop_is_due = true;
            jz_connection_mark_dirty(shard, connection);
        }
        break;
    default:
        break;
    }
}

/* Whether the connection takes another message. If not, its route's policy has been followed. */
static bool has_room(jz_shard *shard, jz_connection *connection)
{
    size_t limit = jz_connection_route(connection)->options.backpressure_limit;
    if (JZ_LIKELY(!exceeds(connection, limit)))
        return true;
    /* What was only gathered for the end of the turn is no backpressure yet. */
    jz_output_flush(shard, connection);
    if (!exceeds(connection, limit))
        return true;
    follow_policy(shard, connection);
    return false;
}

static bool append(jz_shard *shard, jz_connection *connection, const jz_outgoing *outgoing)
{
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL) {
        jz_session_give_up(&connection->session, outgoing);
        return false;
    }
    bool is_appended = jz_session_append(&connection->session, outgoing, output);
    jz_output_appended(shard, connection);
    return is_appended;
}

jz_send_status jz_connection_send(jz_shard *shard, jz_connection *connection, jz_message_kind kind, const void *bytes,
                                  size_t length, jz_compression compression)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    if (!has_room(shard, connection))
        return JZ_SEND_DROPPED;
    jz_outgoing outgoing;
    jz_send_status status = jz_session_prepare(&connection->session, kind, bytes, length, compression, &outgoing);
    if (status != JZ_SEND_SENT)
        return status;
    if (jz_output_sends_at_once(shard, connection, &outgoing))
        jz_output_send_at_once(shard, connection, &outgoing);
    else if (!append(shard, connection, &outgoing))
        return JZ_SEND_DROPPED;
    jz_count_sent(&shard->counters, kind, length);
    return connection->is_blocked ? JZ_SEND_QUEUED : JZ_SEND_SENT;
}

void jz_connection_ping(jz_shard *shard, jz_connection *connection)
{
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL || jz_session_send(&connection->session, JZ_MESSAGE_PING, NULL, 0, output) != JZ_SEND_SENT)
        return;
    jz_output_appended(shard, connection);
    jz_count_sent(&shard->counters, JZ_MESSAGE_PING, 0);
}

jz_send_status jz_connection_pause(jz_shard *shard, jz_connection *connection, bool is_paused)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    if (connection->is_paused == is_paused)
        return JZ_SEND_SENT;
    connection->is_paused = is_paused;
    jz_watch_note_activity(shard, connection);
    jz_connection_mark_dirty(shard, connection);
    return JZ_SEND_SENT;
}

jz_send_status jz_connection_close(jz_shard *shard, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                   jz_text reason)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE)
        return JZ_SEND_CLOSED;
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL)
        return JZ_SEND_DROPPED;
    jz_send_status status =
        jz_session_close_because(&connection->session, cause, code, reason.start, reason.length, output);
    if (!jz_session_is_open(&connection->session))
        atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_output_appended(shard, connection);
    return status;
}

jz_send_status jz_connection_terminate(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE ||
        connection->session.state > JZ_SESSION_CLOSE_SENT)
        return JZ_SEND_CLOSED;
    jz_session_blame(&connection->session, JZ_CAUSE_APPLICATION);
    connection->broken = JZ_BROKEN_OFF;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_connection_mark_dirty(shard, connection);
    return JZ_SEND_SENT;
}

jz_send_status jz_connection_subscribe(jz_shard *shard, jz_connection *connection, jz_text topic)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    return jz_topics_subscribe(&shard->topics, connection, topic) ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

/* Returns whether it goes out to that connection. */
static bool share(jz_shard *shard, jz_connection *connection, jz_publication *publication)
{
    if (!jz_connection_is_writable(connection) || !has_room(shard, connection))
        return false;
    size_t length = 0;
    const uint8_t *frame = jz_publication_frame_for(publication, &connection->session, &length);
    if (jz_output_publish(shard, connection, publication, frame, length))
        return true;
    jz_count_dropped(&shard->counters);
    return false;
}

/*
 * The way of nearly all: to a receiver that takes messages as they are, and to which this turn has sent nothing but
 * what it published. False: it has to go another way, and nothing was done.
 */
static bool extend(jz_connection *connection, uint32_t position, size_t length)
{
    jz_unsent *unsent = connection->unsent;
    if (unsent == NULL || !jz_unsent_is_published(unsent) || unsent->published_to != position ||
        !jz_connection_is_writable(connection) || connection->session.uses_deflate ||
        exceeds(connection, jz_connection_route(connection)->options.backpressure_limit))
        return false;
    unsent->published_to += (uint32_t)length;
    atomic_store_explicit(&connection->buffered_amount, unsent->published_to - unsent->published_from,
                          memory_order_release);
    return true;
}

void jz_shard_publish(jz_shard *shard, jz_text topic, jz_publication *publication, jz_ws sender)
{
    /* Nothing here calls a handler, so the subscribers stay as they are meanwhile. */
    const jz_topic *found = jz_topics_find(&shard->topics, topic);
    size_t sent = 0;
    size_t length = 0;
    const uint8_t *frame = jz_publication_plain_frame(publication, &length);
    uint32_t position;
    jz_published_begin(&shard->published);
    for (size_t i = 0; found != NULL && i < found->count; i++) {
        jz_connection *connection = found->subscribers[i].connection;
        if (jz_shard_handle_of(shard, connection).value == sender.value)
            continue;
        bool is_placed = jz_published_has(&shard->published, frame, &position);
        sent += (is_placed && extend(connection, position, length)) || share(shard, connection, publication);
    }
    jz_count(&shard->counters.messages_sent[jz_publication_kind(publication)], sent);
    jz_count(&shard->counters.bytes_sent[jz_publication_kind(publication)], sent * jz_publication_length(publication));
}
