/* The public functions on handles: at once on the connection's own loop, with an errand from other threads. */
#include "jazzy/websocket.h"

#include "codec/close_code.h"
#include "codec/frame_header.h"
#include "codec/utf8.h"
#include "handles/access.h"
#include "shard/errand.h"
#include "output/sending.h"
#include "shard/hold.h"
#include "shard/server.h"
#include "workers/work.h"

jz_send_status jz_ws_send(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length)
{
    return jz_ws_send_with(ws, kind, bytes, length, JZ_COMPRESSION_AUTOMATIC);
}

static JZ_NEVER_INLINED jz_send_status send_anyhow(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                                                   jz_compression compression)
{
    jz_shard *shard = jz_own_shard_in_order(ws);
    if (JZ_LIKELY(shard != NULL)) {
        jz_connection *connection = jz_slots_find(&shard->slots, ws);
        return connection != NULL ? jz_connection_send(&shard->turn, connection, kind, bytes, length, compression)
                                  : JZ_SEND_CLOSED;
    }
    shard = jz_enter_open_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    bool may_be_sent = kind <= JZ_MESSAGE_BINARY || (kind <= JZ_MESSAGE_PONG && length <= JZ_MAX_CONTROL_PAYLOAD);
    jz_send_status status = may_be_sent ? jz_errand_send(shard, ws, kind, bytes, length, compression) : JZ_SEND_DROPPED;
    if (status == JZ_SEND_QUEUED)
        jz_wait_for_queued(ws);
    jz_leave_shard(ws);
    return status;
}

jz_send_status jz_ws_send_with(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                               jz_compression compression)
{
    jz_shard *shard = jz_current_shard;
    if (shard != NULL && shard->turn.current != NULL &&
        jz_shard_handle_of(shard, shard->turn.current).value == ws.value && !jz_loop_has_letters(&shard->turn.loop) &&
        jz_connection_answer(&shard->turn, shard->turn.current, kind, bytes, length))
        return JZ_SEND_SENT;
    return send_anyhow(ws, kind, bytes, length, compression);
}

/*
 * A handler has ended a connection of its own loop, but the errand waits behind others. For the handler the connection
 * has ended already: deliver nothing more to it, and accept nothing more for it.
 */
static void silence(jz_ws ws)
{
    jz_shard *own = jz_own_shard(ws);
    jz_connection *connection = own != NULL ? jz_slots_find(&own->slots, ws) : NULL;
    if (connection == NULL || !jz_connection_is_writable(connection))
        return;
    jz_hold_begin(own, connection, JZ_HOLD_WORK);
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_ration_look_soon(&own->ration);
    jz_turn_mark_dirty(&own->turn, connection);
}

/*
 * A handler has ended a connection, as far as an errand can. If it is a worker's own, messages that wait are not run;
 * nor where the peer was first (CLOSED), as the handler of a loop hears of a message before the peer's end is seen.
 */
static void follow_ending(jz_ws ws, jz_send_status status)
{
    if (status == JZ_SEND_DROPPED)
        return;
    if (jz_current_work != NULL && jz_current_work->ws.value == ws.value)
        jz_current_work->has_ended_it = true;
    if (status == JZ_SEND_QUEUED)
        silence(ws);
}

static jz_send_status close_by_errand(jz_ws ws, uint16_t code, jz_text reason)
{
    jz_shard *shard = jz_enter_open_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    jz_send_status status = jz_errand_close(shard, ws, JZ_CAUSE_APPLICATION, code, reason);
    jz_leave_shard(ws);
    return status;
}

jz_send_status jz_ws_close(jz_ws ws, uint16_t code, const char *reason, size_t reason_length)
{
    jz_shard *shard = jz_own_shard_in_order(ws);
    if (shard != NULL) {
        jz_connection *connection = jz_slots_find(&shard->slots, ws);
        return connection != NULL ? jz_connection_close(&shard->turn, connection, JZ_CAUSE_APPLICATION, code,
                                                        (jz_text){reason, reason_length})
                                  : JZ_SEND_CLOSED;
    }
    if (jz_close_code_to_send(code) == 0 || !jz_utf8_is_valid((const uint8_t *)reason, reason_length))
        return jz_ws_is_open(ws) ? JZ_SEND_DROPPED : JZ_SEND_CLOSED;
    jz_send_status status = close_by_errand(ws, code, (jz_text){reason, reason_length});
    follow_ending(ws, status);
    return status;
}

/* Whether a connection can still be ended. In its close event it cannot, on the loop and on workers alike. */
static bool has_yet_to_end(const jz_shard *shard, jz_ws ws)
{
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    if (connection == NULL || jz_handle_is(shard, ws, JZ_VISIBLE_LEAVING))
        return false;
    return shard != jz_current_shard || !jz_connection_is_told_of_its_end(connection);
}

/* Also if closing has begun, and jz_ws_is_open is false: waiting for the peer may take long. */
static jz_send_status terminate_by_errand(jz_ws ws)
{
    jz_shard *shard = jz_enter_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    jz_send_status status = has_yet_to_end(shard, ws) ? jz_errand_terminate(shard, ws) : JZ_SEND_CLOSED;
    jz_leave_shard(ws);
    return status;
}

jz_send_status jz_ws_terminate(jz_ws ws)
{
    jz_shard *shard = jz_own_shard_in_order(ws);
    if (shard != NULL) {
        jz_connection *connection = jz_slots_find(&shard->slots, ws);
        return connection != NULL ? jz_connection_terminate(&shard->turn, connection) : JZ_SEND_CLOSED;
    }
    jz_send_status status = terminate_by_errand(ws);
    follow_ending(ws, status);
    return status;
}

bool jz_ws_is_open(jz_ws ws)
{
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return false;
    bool result = jz_handle_is_open(shard, ws);
    jz_leave_reached_shard(ws, shard);
    return result;
}

static jz_send_status set_paused(jz_ws ws, bool is_paused)
{
    jz_shard *shard = jz_own_shard_in_order(ws);
    if (shard != NULL) {
        jz_connection *connection = jz_slots_find(&shard->slots, ws);
        return connection != NULL ? jz_connection_pause(&shard->turn, connection, is_paused) : JZ_SEND_CLOSED;
    }
    shard = jz_enter_open_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    jz_send_status status = jz_errand_pause(shard, ws, is_paused);
    if (status == JZ_SEND_QUEUED)
        jz_wait_for_queued(ws);
    jz_leave_shard(ws);
    return status;
}

jz_send_status jz_ws_pause_reading(jz_ws ws)
{
    return set_paused(ws, true);
}

jz_send_status jz_ws_resume_reading(jz_ws ws)
{
    return set_paused(ws, false);
}

static size_t buffered_amount(const jz_shard *shard, jz_ws ws)
{
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    if (connection == NULL)
        return 0;
    size_t amount = atomic_load_explicit(&connection->buffered_amount, memory_order_acquire);
    return jz_slots_find(&shard->slots, ws) == connection ? amount : 0;
}

size_t jz_ws_buffered_amount(jz_ws ws)
{
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return 0;
    size_t result = buffered_amount(shard, ws);
    jz_leave_reached_shard(ws, shard);
    return result;
}

size_t jz_ws_remote_address(jz_ws ws, char text[JZ_REMOTE_ADDRESS_SIZE])
{
    jz_address address;
    bool is_known = jz_reach_peer(ws, &address);
    text[0] = '\0';
    return is_known ? jz_address_format(&address, text, JZ_REMOTE_ADDRESS_SIZE) : 0;
}

/* The path of its route; NULL if it is not a WebSocket, or if another thread may change it now. */
static const char *route_of(const jz_shard *shard, jz_ws ws)
{
    const jz_connection *connection = jz_current_shard == shard ? jz_slots_find(&shard->slots, ws) : NULL;
    return connection != NULL && connection->phase == JZ_PHASE_WEBSOCKET ? jz_connection_route(connection)->path : NULL;
}

void jz_ws_log_about(jz_ws ws, jz_log_level level, const char *text, size_t length, const char *route,
                     const char *cause)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return;
    jz_log_about about = {.address = jz_ws_remote_address(ws, address) > 0 ? address : NULL,
                          .nobody = "a client that has left",
                          .route = route != NULL ? route : route_of(shard, ws),
                          .cause = cause};
    jz_peer_log_tell_text(shard, level < JZ_LOG_ERROR ? level : JZ_LOG_ERROR, &about, text, length);
    jz_leave_reached_shard(ws, shard);
}

void jz_ws_log(jz_ws ws, jz_log_level level, const char *text, size_t length)
{
    jz_ws_log_about(ws, level, text, length, NULL, NULL);
}
