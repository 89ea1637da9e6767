#include "output/sending.h"

#include <string.h>

#include "jazzy/history.h"
#include "output/output.h"

/* A message is dropped: applies the backpressure policy of the connection's route. */
static void follow_policy(jz_turn *turn, jz_connection *connection)
{
    jz_count_dropped(&turn->counters);
    switch (jz_connection_route(connection)->options.backpressure_policy) {
    case JZ_BACKPRESSURE_CLOSE:
        jz_connection_close(turn, connection, JZ_CAUSE_BACKPRESSURE, JZ_CLOSE_TRY_AGAIN_LATER,
                            jz_text_of("too much output waits"));
        break;
    case JZ_BACKPRESSURE_REPORT:
        /* The callback follows later, because nothing here calls a handler; and only once until the output has
           drained. */
        if (!connection->drop_was_told && !connection->drop_is_due) {
            connection->drop_is_due = true;
            jz_turn_mark_dirty(turn, connection);
        }
        break;
    default:
        break;
    }
}

bool jz_connection_makes_room(jz_turn *turn, jz_connection *connection)
{
    /* Output that is merely gathered for the end of the iteration, or put off, is no backpressure yet. */
    jz_output_flush_all(turn, connection);
    if (!jz_connection_exceeds(connection, jz_connection_route(connection)->options.backpressure_limit))
        return true;
    follow_policy(turn, connection);
    return false;
}

static bool append(jz_turn *turn, jz_connection *connection, const jz_outgoing *outgoing)
{
    jz_buffer *output = jz_output_open(turn, connection);
    if (output == NULL) {
        jz_session_give_up(&connection->session, outgoing);
        return false;
    }
    bool is_appended = jz_session_append(&connection->session, outgoing, output);
    jz_output_appended(turn, connection);
    return is_appended;
}

jz_send_status jz_connection_send(jz_turn *turn, jz_connection *connection, jz_message_kind kind, const void *bytes,
                                  size_t length, jz_compression compression)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    if (!jz_connection_has_room(turn, connection))
        return JZ_SEND_DROPPED;
    jz_outgoing outgoing;
    jz_send_status status = jz_session_prepare(&connection->session, kind, bytes, length, compression, &outgoing);
    if (status != JZ_SEND_SENT)
        return status;
    if (jz_output_sends_at_once(turn, connection, &outgoing))
        jz_output_send_at_once(turn, connection, &outgoing);
    else if (!append(turn, connection, &outgoing))
        return JZ_SEND_DROPPED;
    jz_count_sent(&turn->counters, kind, length);
    return connection->is_blocked && !jz_output_is_put_off(turn, connection) ? JZ_SEND_QUEUED : JZ_SEND_SENT;
}

void jz_connection_ping(jz_turn *turn, jz_connection *connection)
{
    jz_buffer *output = jz_output_open(turn, connection);
    if (output == NULL || jz_session_send(&connection->session, JZ_MESSAGE_PING, NULL, 0, output) != JZ_SEND_SENT)
        return;
    jz_output_appended(turn, connection);
    jz_count_sent(&turn->counters, JZ_MESSAGE_PING, 0);
}

jz_send_status jz_connection_pause(jz_turn *turn, jz_connection *connection, bool is_paused)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    if (connection->is_paused == is_paused)
        return JZ_SEND_SENT;
    connection->is_paused = is_paused;
    jz_connection_note_activity(connection, turn->loop.now_ms);
    jz_turn_mark_dirty(turn, connection);
    return JZ_SEND_SENT;
}

jz_send_status jz_connection_close(jz_turn *turn, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                   jz_text reason)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE)
        return JZ_SEND_CLOSED;
    jz_buffer *output = jz_output_open(turn, connection);
    if (output == NULL)
        return JZ_SEND_DROPPED;
    jz_send_status status =
        jz_session_close_because(&connection->session, cause, code, reason.start, reason.length, output);
    if (!jz_session_is_open(&connection->session))
        atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_output_appended(turn, connection);
    return status;
}

static void leave_behind(jz_turn *turn, jz_connection *connection, jz_text reason)
{
    if (jz_connection_close(turn, connection, JZ_CAUSE_BACKPRESSURE, JZ_CLOSE_BEHIND, reason) != JZ_SEND_DROPPED)
        return;
    connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    jz_turn_mark_dirty(turn, connection);
}

void jz_connection_fall_behind(jz_turn *turn, jz_connection *connection)
{
    leave_behind(turn, connection, jz_text_of("too slow: come back for the rest"));
}

void jz_connection_miss(jz_turn *turn, jz_connection *connection)
{
    leave_behind(turn, connection, jz_text_of("messages were missed: come back for them"));
}

jz_send_status jz_connection_terminate(jz_turn *turn, jz_connection *connection)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE ||
        connection->session.state > JZ_SESSION_CLOSE_SENT)
        return JZ_SEND_CLOSED;
    if (jz_output_is_put_off(turn, connection))
        jz_output_flush_all(turn, connection);
    jz_session_blame(&connection->session, JZ_CAUSE_APPLICATION);
    connection->broken = JZ_BROKEN_OFF;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_turn_mark_dirty(turn, connection);
    return JZ_SEND_SENT;
}
