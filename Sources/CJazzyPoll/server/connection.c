#include "connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../codec/big_endian.h"
#include "delivery.h"
#include "ending.h"
#include "expiry.h"
#include "handshake.h"
#include "http.h"
#include "output.h"
#include "progress.h"
#include "reading.h"
#include "routes.h"
#include "sending.h"
#include "server.h"
#include "shard.h"
#include "watch.h"
#include "work.h"

static_assert((int)JZ_FAILURE_COUNT <= (int)JZ_BROKEN_OFF,
              "a failure fits into a connection's five bits, as does none");

void jz_connection_set_peer(jz_connection *connection, const jz_address *address)
{
    /* Released, as whatever other threads read: who sees it also sees that the slot has a new generation. */
    for (size_t i = 0; i < 2; i++)
        atomic_store_explicit(&connection->peer_ip[i], jz_read_uint64(address->ip + i * 8), memory_order_release);
    atomic_store_explicit(&connection->peer_port, address->port, memory_order_release);
}

jz_address jz_connection_peer(const jz_connection *connection)
{
    jz_address address;
    for (size_t i = 0; i < 2; i++)
        jz_write_uint64(address.ip + i * 8, atomic_load_explicit(&connection->peer_ip[i], memory_order_acquire));
    address.port = atomic_load_explicit(&connection->peer_port, memory_order_acquire);
    return address;
}

bool jz_connection_count_address(jz_shard *shard, jz_connection *connection)
{
    jz_address peer = jz_connection_peer(connection);
    if (connection->counts_by_address || !jz_server_limits(shard->server, &peer))
        return true;
    connection->counts_by_address = jz_admission_count_address(&shard->server->admission, &peer);
    return connection->counts_by_address;
}

/* Gives back what a connection has while it is no WebSocket and has not finished. */
static void leave_handshake(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_ASKING)
        jz_handshake_discard(shard, connection);
    if (connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY)
        jz_buffer_free(&connection->head);
}

/* It is no WebSocket any more: its handler has been told, and nothing more of it is read. */
static void leave_websocket(jz_shard *shard, jz_connection *connection)
{
    const jz_route *route = jz_connection_route(connection);
    void *state = connection->state;
    /* Work is freed by the worker that runs its close event. */
    connection->state = NULL;
    /* What releases the state may use the connection, but finds none there and can set none. */
    connection->phase = JZ_PHASE_FINISHING;
    if (route->options.execution == JZ_EXECUTION_LOOP)
        jz_route_release_state(route, state);
    if (!jz_connection_is_leaving(connection))
        jz_topics_unsubscribe_all(&shard->topics, connection);
    jz_session_free(&connection->session);
}

static void leave_phase(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_WEBSOCKET)
        leave_websocket(shard, connection);
    else
        leave_handshake(shard, connection);
}

/* Leaves the slot as it is for the next connection, but for what no connection has. */
static void reset(jz_connection *connection)
{
    connection->broken = JZ_FAILURE_NONE;
    connection->is_blocked = false;
    connection->lingers = false;
    connection->close_is_timed = false;
    connection->is_websocket = false;
    connection->is_behind = false;
    connection->is_paused = false;
    connection->is_pinged = false;
    connection->is_backed_up = false;
    connection->drop_is_due = false;
    connection->drop_was_told = false;
    connection->ended_cleanly = false;
    connection->counts_by_address = false;
    connection->was_answered = false;
    connection->timer.tag = 0;
    atomic_store_explicit(&connection->buffered_amount, 0, memory_order_relaxed);
}

static void free_slot(jz_shard *shard, jz_connection *connection)
{
    connection->phase = JZ_PHASE_FREE;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    atomic_store_explicit(&connection->subprotocol, 0, memory_order_relaxed);
    shard->connection_count--;
    if (!connection->is_dirty)
        jz_slots_give_back(&shard->slots, connection);
}

/* Ends a connection for good. Its close event has been delivered, or it never was a WebSocket. */
static void release(jz_shard *shard, jz_connection *connection)
{
    leave_phase(shard, connection);
    jz_ending_count(shard, connection);
    if (connection->counts_by_address) {
        jz_address peer = jz_connection_peer(connection);
        jz_admission_uncount_address(&shard->server->admission, &peer);
    }
    jz_ending_leave(shard->server, !connection->is_websocket);
    jz_output_discard(&shard->turn, connection);
    jz_timer_cancel(&shard->turn.loop.timers, &connection->timer);
    jz_poll_remove(shard->turn.loop.poll, connection->descriptor);
    jz_socket_end(connection->descriptor);
    reset(connection);
    if (jz_connection_is_leaving(connection))
        connection->phase = JZ_PHASE_LEAVING;
    else
        free_slot(shard, connection);
    jz_accepting_resume(shard);
}

void jz_connection_left(jz_shard *shard, jz_connection *connection)
{
    jz_topics_unsubscribe_all(&shard->topics, connection);
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    if (connection->phase == JZ_PHASE_LEAVING)
        free_slot(shard, connection);
}

static jz_phase first_phase(const jz_shard *shard, const jz_address *address)
{
    bool has_proxy_header = shard->server->options.client_address == JZ_CLIENT_ADDRESS_PROXY_PROTOCOL &&
                            jz_server_trusts(shard->server, address);
    return has_proxy_header ? JZ_PHASE_PROXY : JZ_PHASE_HEAD;
}

bool jz_connection_begin(jz_shard *shard, const jz_arrival *arrival)
{
    jz_connection *connection = jz_slots_take(&shard->slots);
    if (connection == NULL)
        return false;
    if (!jz_poll_add(shard->turn.loop.poll, arrival->descriptor, JZ_READABLE, jz_connection_token(connection))) {
        jz_slots_give_back(&shard->slots, connection);
        return false;
    }
    connection->descriptor = arrival->descriptor;
    connection->phase = first_phase(shard, &arrival->address) & 7;
    connection->head = (jz_buffer){0};
    connection->interest = JZ_READABLE;
    connection->counts_by_address = arrival->counts_by_address;
    jz_connection_set_peer(connection, &arrival->address);
    shard->connection_count++;
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
    return true;
}

/* Where the events of the connection go, and its state. False when there is no memory: nobody will hear of it. */
static bool prepare_delivery(jz_shard *shard, jz_connection *connection, const jz_route *route, void *state)
{
    if (route->options.execution == JZ_EXECUTION_LOOP) {
        connection->state = state;
        return true;
    }
    connection->work = jz_work_create(&shard->server->workers, jz_shard_handle_of(shard, connection), route);
    if (connection->work != NULL) {
        connection->work->state = state;
        return true;
    }
    jz_route_release_state(route, state);
    return false;
}

void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_route *route,
                                   const jz_deflate_agreement *deflate, void *state)
{
    jz_buffer_free(&connection->head);
    connection->phase = JZ_PHASE_WEBSOCKET;
    connection->is_websocket = true;
    jz_admission_end_handshake(&shard->server->admission);
    jz_session_init(&connection->session, &shard->routes[route->number].settings);
    jz_session_use_deflate(&connection->session, deflate);
    jz_timer_cancel(&shard->turn.loop.timers, &connection->timer);
    jz_watch_begin(shard, connection);
    jz_count(&shard->turn.counters.websockets_total, 1);
    if (!prepare_delivery(shard, connection, route, state)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    if (route->options.kernel_send_limit != 0)
        jz_socket_limit_unsent(connection->descriptor, route->options.kernel_send_limit);
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_OPEN, memory_order_release);
    const jz_event event = {.type = JZ_EVENT_OPEN, .close_reason = ""};
    const jz_message message = {.kind = JZ_MESSAGE_TEXT, .bytes = (const uint8_t *)""};
    jz_deliver(shard, connection, &event, &message);
}

void jz_connection_finish(jz_shard *shard, jz_connection *connection, bool lingers)
{
    leave_phase(shard, connection);
    connection->phase = JZ_PHASE_FINISHING;
    connection->is_behind = false;
    connection->is_paused = false;
    connection->lingers = lingers;
    connection->timer.tag = 0;
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, jz_ending_close_timeout(shard));
}

/* Tells the handler how it ended, and ends it at once. */
static void lose(jz_shard *shard, jz_connection *connection, jz_failure failure)
{
    if (connection->phase == JZ_PHASE_WEBSOCKET) {
        jz_session_end(&connection->session, failure);
        jz_input nothing = {0};
        jz_event event;
        jz_message message;
        while (jz_session_next(&connection->session, &nothing, NULL, &event, &message))
            jz_deliver(shard, connection, &event, &message);
    }
    release(shard, connection);
}

void jz_connection_cut_off(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_WEBSOCKET && shard->course == JZ_COURSE_CUTTING_OFF)
        jz_session_blame(&connection->session, JZ_CAUSE_STOPPING);
    lose(shard, connection, JZ_FAILURE_NONE);
}

/* Whether the connection is open, and not to be read from. */
static bool is_held(const jz_connection *connection)
{
    return (connection->is_paused || connection->is_behind) && jz_session_is_open(&connection->session);
}

static void read_if_wanted(jz_shard *shard, jz_connection *connection)
{
    bool is_watched = (connection->interest & JZ_READABLE) != 0;
    if (!is_held(connection))
        jz_reading_receive(shard, connection);
    else if (is_watched) /* it was paused in this turn, by another's handler */
        return;
    else if (jz_socket_is_broken(connection->descriptor))
        connection->broken = JZ_FAILURE_TRANSPORT;
    /* The peer of a Unix domain socket has gone: this would be told again and again. */
    else if (jz_session_has_kept(&connection->session))
        jz_poll_remove(shard->turn.loop.poll, connection->descriptor);
    else
        jz_reading_receive(shard, connection);
}

void jz_connection_ready(jz_shard *shard, jz_connection *connection, unsigned what)
{
    if ((what & JZ_WRITABLE) != 0) {
        connection->is_blocked = false;
        jz_watch_note_taken(shard, connection);
        jz_expiry_prolong(shard, connection);
    }
    if ((what & JZ_READABLE) != 0)
        read_if_wanted(shard, connection);
    /* Others may publish to a subscriber until the turn ends: then all of it goes with one system call. */
    if (connection->subscriptions != NULL)
        jz_turn_mark_dirty(&shard->turn, connection);
    else
        jz_connection_settle(shard, connection);
    if ((what & JZ_WRITABLE) != 0)
        jz_http_await_request(shard, connection);
}

/* The unsent bytes beyond which it takes no more. */
static size_t limit_of(const jz_shard *shard, const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET ? jz_connection_route(connection)->options.backpressure_limit
                                                   : shard->server->options.backpressure_limit;
}

/* Reading pauses while too much waits to be sent: a peer that does not read is not served, and TCP slows it down. */
static unsigned wanted_interest(const jz_shard *shard, const jz_connection *connection)
{
    unsigned interest = connection->is_blocked ? JZ_WRITABLE : 0;
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    bool reads = connection->phase != JZ_PHASE_FINISHING && connection->phase != JZ_PHASE_ASKING &&
                 buffered <= limit_of(shard, connection) / 2;
    /* Whoever closes has to see the answer. */
    if (is_held(connection))
        reads = false;
    return reads ? interest | JZ_READABLE : interest;
}

static void update_interest(jz_shard *shard, jz_connection *connection)
{
    unsigned interest = wanted_interest(shard, connection);
    if (interest == connection->interest)
        return;
    connection->interest = interest & 3;
    uint64_t token = jz_connection_token(connection);
    /* It may have been taken out of the poll: see read_if_wanted. */
    if (!jz_poll_change(shard->turn.loop.poll, connection->descriptor, interest, token) &&
        (errno != ENOENT || !jz_poll_add(shard->turn.loop.poll, connection->descriptor, interest, token)))
        lose(shard, connection, JZ_FAILURE_TRANSPORT);
}

/* What the hook has answered since, on whichever thread. */
static void follow_answer(jz_shard *shard, jz_connection *connection)
{
    jz_buffer rest;
    if (jz_handshake_proceed(shard, connection, &rest)) {
        jz_input input = {rest.bytes, rest.length};
        jz_reading_take_frames(shard, connection, &input);
        jz_reading_keep(shard, connection, &input);
        jz_buffer_free(&rest);
    }
}

/* Times the close handshake that was begun. */
static void follow_closing(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->session.state != JZ_SESSION_CLOSE_SENT ||
        connection->close_is_timed)
        return;
    connection->close_is_timed = true;
    connection->timer.tag = 0;
    /* Whoever closes has to see the answer, which may have come already. */
    if (jz_session_has_kept(&connection->session))
        jz_kept_input_note(shard, connection);
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, jz_ending_close_timeout(shard));
}

/* Whether there is nothing to do: as with nearly every connection that has had its messages and has answered them. */
static bool is_settled(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
           connection->unsent == NULL && jz_session_is_open(&connection->session) && !connection->is_backed_up &&
           !connection->drop_is_due && !connection->is_paused && !connection->is_behind &&
           connection->interest == JZ_READABLE;
}

void jz_connection_settle(jz_shard *shard, jz_connection *connection)
{
    if (JZ_LIKELY(is_settled(connection)) || !jz_connection_is_there(connection))
        return;
    if (connection->phase == JZ_PHASE_ASKING && connection->broken == JZ_FAILURE_NONE)
        follow_answer(shard, connection);
    jz_output_flush(&shard->turn, connection);
    if (is_settled(connection))
        return;
    if (connection->is_backed_up || connection->drop_is_due)
        jz_deliver_notices(shard, connection);
    if (connection->broken != JZ_FAILURE_NONE) {
        lose(shard, connection, connection->broken == JZ_BROKEN_OFF ? JZ_FAILURE_NONE : (jz_failure)connection->broken);
        return;
    }
    follow_closing(shard, connection);
    if (connection->phase == JZ_PHASE_FINISHING && connection->unsent == NULL) {
        if (!connection->lingers) {
            release(shard, connection);
            return;
        }
        jz_socket_finish_sending(connection->descriptor);
        connection->phase = JZ_PHASE_LINGERING;
    }
    update_interest(shard, connection);
}

void jz_connection_stop(jz_shard *shard, jz_connection *connection)
{
    const jz_farewell *farewell = &shard->server->farewell;
    /* A page may be on its way, and a request behind it be unread: to close then would destroy the page. */
    if (connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY)
        jz_connection_finish(shard, connection, jz_progress_is_awaited(connection));
    else if (connection->phase == JZ_PHASE_ASKING)
        jz_handshake_give_up(shard, connection, JZ_REFUSAL_UPGRADE_TIMEOUT);
    else if (connection->phase == JZ_PHASE_WEBSOCKET &&
             jz_connection_close(&shard->turn, connection, JZ_CAUSE_STOPPING, farewell->code,
                                 (jz_text){farewell->reason, farewell->reason_length}) == JZ_SEND_DROPPED)
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    jz_turn_mark_dirty(&shard->turn, connection);
}
