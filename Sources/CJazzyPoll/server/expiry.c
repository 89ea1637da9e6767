#include "expiry.h"

#include <string.h>

#include "handshake.h"
#include "http.h"
#include "output.h"
#include "reading.h"
#include "sending.h"
#include "watch.h"

static bool has_response_under_way(const jz_shard *shard, const jz_connection *connection)
{
    bool is_answering = connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_FINISHING;
    return is_answering && !connection->is_websocket && connection->unsent != NULL &&
           shard->course < JZ_COURSE_STOPPING;
}

void jz_expiry_prolong_response(jz_shard *shard, jz_connection *connection)
{
    const jz_options *options = &shard->server->options;
    if (!has_response_under_way(shard, connection))
        return;
    connection->timer.tag = (uint32_t)jz_socket_unacknowledged(connection->descriptor);
    jz_timer_set(&shard->loop.timers, &connection->timer,
                 connection->phase == JZ_PHASE_HEAD ? options->handshake_timeout_ms : options->close_timeout_ms);
}

static void fail_idle(jz_shard *shard, jz_connection *connection)
{
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL) {
        connection->broken = JZ_FAILURE_IDLE_TIMEOUT;
        return;
    }
    jz_session_fail(&connection->session, JZ_FAILURE_IDLE_TIMEOUT, output);
    jz_input nothing = {0};
    jz_reading_take_frames(shard, connection, &nothing);
}

/* The timer of an open WebSocket. */
static void follow_watch(jz_shard *shard, jz_connection *connection)
{
    static const char reason[] = "the connection has reached its maximum lifetime";
    switch (jz_watch_expired(shard, connection)) {
    case JZ_WATCH_GOES_ON:
        break;
    case JZ_WATCH_IS_OLD:
        if (jz_connection_close(shard, connection, JZ_CAUSE_LIFETIME, JZ_CLOSE_GOING_AWAY, jz_text_of(reason)) ==
            JZ_SEND_DROPPED)
            connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        break;
    case JZ_WATCH_IS_IDLE:
        /* A last look: after a long stop of this process the answer may be here, and wait for its turn. */
        jz_reading_receive(shard, connection);
        if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE)
            break;
        if (connection->is_pinged)
            fail_idle(shard, connection);
        else
            jz_watch_go_on(shard, connection);
        break;
    }
}

/* It has neither asked nor answered, or all that it had time for has been done. */
static void give_up(jz_shard *shard, jz_connection *connection)
{
    bool is_silent = connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY;
    if (is_silent && !connection->was_answered)
        jz_refusal_note_of(shard, connection, JZ_REFUSAL_HANDSHAKE_TIMEOUT);
    jz_connection_cut_off(shard, connection);
}

void jz_connection_expired(jz_shard *shard, jz_connection *connection)
{
    /* The socket is writable again only when much of what the kernel has was taken, which can be megabytes. */
    if (has_response_under_way(shard, connection) &&
        (uint32_t)jz_socket_unacknowledged(connection->descriptor) != connection->timer.tag) {
        jz_expiry_prolong_response(shard, connection);
        return;
    }
    if (connection->phase == JZ_PHASE_ASKING && connection->question->answer == NULL) {
        jz_handshake_give_up(shard, connection, JZ_REFUSAL_UPGRADE_TIMEOUT);
    } else if (connection->phase == JZ_PHASE_HEAD && connection->head.length > 0) {
        jz_http_refuse(shard, connection, JZ_REFUSAL_HANDSHAKE_TIMEOUT);
    } else if (connection->phase == JZ_PHASE_WEBSOCKET && jz_session_is_open(&connection->session)) {
        follow_watch(shard, connection);
    } else if (connection->phase != JZ_PHASE_ASKING) {
        give_up(shard, connection);
        return;
    }
    jz_connection_settle(shard, connection);
}
