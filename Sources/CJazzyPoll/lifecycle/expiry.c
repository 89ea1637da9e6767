#include "lifecycle/expiry.h"

#include <string.h>

#include "lifecycle/ending.h"
#include "lifecycle/errand_runner.h"
#include "http/asking.h"
#include "output/output.h"
#include "lifecycle/progress.h"
#include "lifecycle/reading.h"
#include "http/refusal.h"
#include "lifecycle/releasing.h"
#include "http/responding.h"
#include "output/sending.h"
#include "shard/server.h"
#include "lifecycle/settling.h"
#include "lifecycle/watch.h"

/* Whether the time-out is prolonged while the peer takes its output. For open WebSockets see watch.h. */
static bool is_taking(const jz_connection *connection)
{
    switch ((jz_phase)connection->phase) {
    case JZ_PHASE_HEAD:
        return connection->was_answered;
    case JZ_PHASE_ASKING:
        return !jz_asking_waits_for_application(connection);
    case JZ_PHASE_WEBSOCKET:
        return !jz_session_is_open(&connection->session);
    case JZ_PHASE_FINISHING:
    case JZ_PHASE_LINGERING:
        return true;
    default:
        return false;
    }
}

static uint32_t timeout_of(const jz_shard *shard, const jz_connection *connection)
{
    bool is_serving = connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_ASKING;
    return is_serving ? shard->server->options.handshake_timeout_ms : jz_shard_close_timeout(shard);
}

void jz_expiry_prolong(jz_shard *shard, jz_connection *connection)
{
    if (!is_taking(connection))
        return;
    connection->timer.tag = 0;
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, timeout_of(shard, connection));
}

static void fail_idle(jz_shard *shard, jz_connection *connection)
{
    jz_buffer *output = jz_output_open(&shard->turn, connection);
    if (output == NULL) {
        connection->broken = JZ_FAILURE_IDLE_TIMEOUT;
        return;
    }
    jz_session_fail(&connection->session, JZ_FAILURE_IDLE_TIMEOUT, output);
    jz_input nothing = {0};
    jz_reading_take_frames(shard, connection, &nothing);
}

/* The timer of an open WebSocket has expired. */
static void follow_watch(jz_shard *shard, jz_connection *connection)
{
    static const char reason[] = "the connection has reached its maximum lifetime";
    switch (jz_watch_expired(shard, connection)) {
    case JZ_WATCH_GOES_ON:
        break;
    case JZ_WATCH_IS_OLD:
        jz_connection_close_behind(shard, connection, JZ_CAUSE_LIFETIME, JZ_CLOSE_GOING_AWAY, jz_text_of(reason));
        break;
    case JZ_WATCH_IS_IDLE:
        /* A last look: after a long suspension of this process the pong may be waiting in the kernel. */
        jz_reading_receive(shard, connection);
        if (connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE)
            break;
        if (connection->is_pinged)
            fail_idle(shard, connection);
        else if (!jz_timer_is_set(&connection->timer)) /* for what was received */
            jz_watch_go_on(shard, connection);
        break;
    }
}

/* Ends a connection whose time is over. */
static void give_up(jz_shard *shard, jz_connection *connection)
{
    bool is_silent = connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY;
    if (is_silent && !connection->was_answered)
        jz_refusal_note_of(shard, connection, JZ_REFUSAL_HANDSHAKE_TIMEOUT);
    jz_connection_cut_off(shard, connection);
}

bool jz_expiry_is_due(jz_shard *shard, jz_connection *connection)
{
    bool is_closing = connection->phase == JZ_PHASE_WEBSOCKET && !jz_session_is_open(&connection->session);
    bool is_awaited = connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY;
    if (is_closing || (is_awaited && (connection->interest & JZ_READABLE) != 0))
        jz_reading_look(shard, connection);
    return !jz_timer_is_set(&connection->timer) && connection->broken == JZ_FAILURE_NONE;
}

/* The event that the phase waits for has not happened in time. */
static void follow_time_out(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_ASKING && jz_asking_waits_for_application(connection)) {
        jz_asking_time_out(shard, connection);
    } else if (connection->phase == JZ_PHASE_HEAD && connection->head.length > 0) {
        jz_http_refuse(shard, connection, JZ_REFUSAL_HANDSHAKE_TIMEOUT);
    } else if (connection->phase == JZ_PHASE_WEBSOCKET && jz_session_is_open(&connection->session)) {
        follow_watch(shard, connection);
    } else if (connection->phase != JZ_PHASE_ASKING || jz_exchange_is_sending(connection)) {
        give_up(shard, connection);
        return;
    }
    jz_connection_settle(shard, connection);
}

/* A loop that comes late may find a connection's time-out before that of a stop, which is over as well and comes first.
 */
static bool is_cut_off_next(const jz_shard *shard)
{
    return shard->course == JZ_COURSE_STOPPING && jz_clock_ms() >= shard->ends_at_ms;
}

/* It was closed in this very iteration: the time-out was that of an open WebSocket, and the tag is its lifetime's. */
static bool was_closed_now(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->session.state == JZ_SESSION_CLOSE_SENT &&
           !connection->close_is_timed;
}

void jz_connection_expired(jz_shard *shard, jz_connection *connection)
{
    if (is_cut_off_next(shard)) {
        jz_expiry_prolong(shard, connection);
        return;
    }
    if (was_closed_now(connection)) {
        jz_connection_settle(shard, connection);
        return;
    }
    uint32_t timeout_ms = timeout_of(shard, connection);
    if (is_taking(connection) && jz_progress_goes_on(shard, connection, timeout_ms))
        jz_timer_set(&shard->turn.loop.timers, &connection->timer, jz_progress_patience(timeout_ms));
    else if (jz_expiry_is_due(shard, connection))
        follow_time_out(shard, connection);
    else
        jz_connection_settle(shard, connection);
}
