#include "connection.h"

#include <string.h>

#include "../codec/big_endian.h"
#include "http.h"
#include "output.h"
#include "routes.h"
#include "sending.h"
#include "server.h"
#include "shard.h"
#include "work.h"

static uint64_t token_of(const jz_connection *connection)
{
    return (uint64_t)atomic_load_explicit(&connection->generation, memory_order_relaxed) << JZ_SLOT_BITS |
           connection->slot;
}

void jz_connection_mark_dirty(jz_shard *shard, jz_connection *connection)
{
    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = shard->dirty;
    shard->dirty = connection;
}

static void remember_peer(jz_connection *connection, const jz_address *address)
{
    /* Released, as whatever other threads read: who sees it also sees that the slot has a new generation. */
    for (size_t i = 0; i < 2; i++)
        atomic_store_explicit(&connection->peer_ip[i], jz_read_uint64(address->ip + i * 8), memory_order_release);
    atomic_store_explicit(&connection->peer_port, address->port, memory_order_release);
}

void jz_connection_accept(jz_shard *shard, int descriptor, const jz_address *address)
{
    jz_connection *connection = jz_slots_take(&shard->slots);
    if (connection == NULL) {
        jz_server_log(shard->server, JZ_LOG_ERROR, "no memory for another connection: refused one");
        jz_socket_close(descriptor);
        return;
    }
    connection->descriptor = descriptor;
    connection->phase = JZ_PHASE_HEAD;
    connection->head = (jz_buffer){0};
    connection->interest = JZ_READABLE;
    remember_peer(connection, address);
    if (!jz_poll_add(shard->loop.poll, descriptor, JZ_READABLE, token_of(connection))) {
        jz_server_log(shard->server, JZ_LOG_ERROR, "the kernel watches no more connections: refused one");
        connection->phase = JZ_PHASE_FREE;
        jz_slots_give_back(&shard->slots, connection);
        jz_socket_close(descriptor);
        return;
    }
    shard->connection_count++;
    jz_timer_set(&shard->loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
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
    if (route->execution == JZ_EXECUTION_LOOP && state != NULL && route->release_state != NULL)
        route->release_state(state);
    jz_topics_unsubscribe_all(&shard->topics, connection);
    jz_session_free(&connection->session);
}

/* Ends a connection for good. Its close event has been delivered, or it never was a WebSocket. */
static void release(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_HEAD)
        jz_buffer_free(&connection->head);
    else if (connection->phase == JZ_PHASE_WEBSOCKET)
        leave_websocket(shard, connection);
    jz_output_discard(connection);
    jz_timer_cancel(&shard->loop.timers, &connection->timer);
    jz_socket_close(connection->descriptor); /* which also takes it out of the poll */

    connection->phase = JZ_PHASE_FREE;
    connection->broken = JZ_FAILURE_NONE;
    connection->is_blocked = false;
    connection->lingers = false;
    connection->close_is_timed = false;
    connection->is_websocket = false;
    connection->is_paused = false;
    atomic_store_explicit(&connection->is_open, false, memory_order_relaxed);
    atomic_store_explicit(&connection->buffered_amount, 0, memory_order_relaxed);
    shard->connection_count--;
    if (!connection->is_dirty)
        jz_slots_give_back(&shard->slots, connection);
    jz_shard_resume_accepting(shard);
}

static void follow_session_state(jz_connection *connection)
{
    if (!jz_session_is_open(&connection->session))
        atomic_store_explicit(&connection->is_open, false, memory_order_relaxed);
}

static void hand_to_workers(jz_connection *connection, const jz_event *event, const jz_message *message)
{
    if (connection->work == NULL)
        return;
    switch (jz_work_add(connection->work, event, message)) {
    case JZ_WORK_ADDED:
        break;
    case JZ_WORK_FULL:
        connection->is_paused = true;
        break;
    case JZ_WORK_OUT_OF_MEMORY:
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        if (event->type == JZ_EVENT_OPEN) { /* nobody has heard of it: it ends without events */
            jz_work_free(connection->work);
            connection->work = NULL;
        }
        break;
    }
    if (event->type == JZ_EVENT_CLOSE)
        connection->work = NULL;
}

static void deliver(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message)
{
    follow_session_state(connection);
    const jz_route *route = jz_connection_route(connection);
    if (JZ_LIKELY(route->execution == JZ_EXECUTION_LOOP))
        route->handler(route->context, jz_shard_handle_of(shard, connection), event, message);
    else
        hand_to_workers(connection, event, message);
}

void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_route *route,
                                   const jz_deflate_agreement *deflate)
{
    jz_timer_cancel(&shard->loop.timers, &connection->timer);
    jz_buffer_free(&connection->head);
    connection->phase = JZ_PHASE_WEBSOCKET;
    connection->is_websocket = true;
    jz_session_init(&connection->session, &shard->routes[route->number].settings);
    jz_session_use_deflate(&connection->session, deflate);
    atomic_store_explicit(&connection->is_open, true, memory_order_release);

    if (route->execution == JZ_EXECUTION_WORKERS) {
        connection->work = jz_work_create(&shard->server->workers, jz_shard_handle_of(shard, connection), route);
        if (connection->work == NULL) {
            /* Nobody has heard of it: it ends without events. */
            connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
            return;
        }
    }
    const jz_event event = {.type = JZ_EVENT_OPEN, .close_reason = ""};
    const jz_message message = {.kind = JZ_MESSAGE_TEXT, .bytes = (const uint8_t *)""};
    deliver(shard, connection, &event, &message);
}

void jz_connection_finish(jz_shard *shard, jz_connection *connection, bool lingers)
{
    if (connection->phase == JZ_PHASE_HEAD)
        jz_buffer_free(&connection->head);
    else if (connection->phase == JZ_PHASE_WEBSOCKET)
        leave_websocket(shard, connection);
    connection->phase = JZ_PHASE_FINISHING;
    connection->is_paused = false;
    connection->lingers = lingers;
    jz_timer_set(&shard->loop.timers, &connection->timer, shard->server->options.close_timeout_ms);
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
            deliver(shard, connection, &event, &message);
    }
    release(shard, connection);
}

static void take_frames(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    jz_event event = {.type = JZ_EVENT_OPEN};
    jz_message message;
    while (connection->broken == JZ_FAILURE_NONE) {
        jz_buffer *output = jz_output_open(shard, connection);
        if (output == NULL) {
            connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
            break;
        }
        if (!jz_session_next(&connection->session, input, output, &event, &message))
            break;
        deliver(shard, connection, &event, &message);
    }
    jz_output_appended(shard, connection);
    if (connection->broken == JZ_FAILURE_NONE && jz_session_has_ended(&connection->session)) {
        /* After a failure the peer may still be sending, and a reset must not overtake our close frame. */
        bool lingers = event.type == JZ_EVENT_CLOSE && !event.was_clean;
        jz_connection_finish(shard, connection, lingers);
    }
}

static void take_input(jz_shard *shard, jz_connection *connection, jz_input input)
{
    shard->current = connection;
    if (connection->phase == JZ_PHASE_HEAD)
        jz_http_take(shard, connection, &input);
    if (connection->phase == JZ_PHASE_WEBSOCKET)
        take_frames(shard, connection, &input);
    if (connection->subscriptions != NULL)
        jz_output_defer(shard, connection);
    else
        jz_output_flush(shard, connection);
    shard->current = NULL;
}

/* The peer will send no more. What is to be sent to it still is. */
static void take_end_of_input(jz_shard *shard, jz_connection *connection)
{
    switch (connection->phase) {
    case JZ_PHASE_WEBSOCKET:
        jz_session_end(&connection->session, JZ_FAILURE_NONE);
        take_input(shard, connection, (jz_input){0});
        connection->lingers = false;
        break;
    case JZ_PHASE_HEAD:
        jz_connection_finish(shard, connection, false);
        break;
    case JZ_PHASE_LINGERING:
        lose(shard, connection, JZ_FAILURE_NONE);
        break;
    default:
        break;
    }
}

static void read_socket(jz_shard *shard, jz_connection *connection)
{
    size_t received = 0;
    uint8_t *buffer = shard->loop.receive_buffer;
    switch (jz_socket_receive(connection->descriptor, buffer, shard->loop.receive_buffer_size, &received)) {
    case JZ_SOCKET_OK:
        take_input(shard, connection, (jz_input){buffer, received});
        break;
    case JZ_SOCKET_ENDED:
        take_end_of_input(shard, connection);
        break;
    case JZ_SOCKET_WOULD_BLOCK:
        break;
    default:
        connection->broken = JZ_FAILURE_TRANSPORT;
        break;
    }
}

/* Who goes on reading a page, however slowly, gets all of it: what is timed is that nothing moves. */
static void prolong_response(jz_shard *shard, jz_connection *connection)
{
    const jz_options *options = &shard->server->options;
    if (connection->is_websocket || connection->unsent == NULL || shard->is_stopping)
        return;
    jz_timer_set(&shard->loop.timers, &connection->timer,
                 connection->phase == JZ_PHASE_HEAD ? options->handshake_timeout_ms : options->close_timeout_ms);
}

void jz_connection_ready(jz_shard *shard, jz_connection *connection, unsigned what)
{
    if ((what & JZ_WRITABLE) != 0) {
        connection->is_blocked = false;
        prolong_response(shard, connection);
    }
    if ((what & JZ_READABLE) != 0)
        read_socket(shard, connection);
    /* Others may publish to a subscriber until the turn ends: then all of it goes with one system call. */
    if (connection->subscriptions != NULL)
        jz_connection_mark_dirty(shard, connection);
    else
        jz_connection_settle(shard, connection);
}

/* Reading pauses while too much waits to be sent: a peer that does not read is not served, and TCP slows it down. */
static unsigned wanted_interest(const jz_shard *shard, const jz_connection *connection)
{
    unsigned interest = connection->is_blocked ? JZ_WRITABLE : 0;
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    bool reads = connection->phase != JZ_PHASE_FINISHING && !connection->is_paused &&
                 buffered <= shard->server->options.backpressure_limit / 2;
    return reads ? interest | JZ_READABLE : interest;
}

static void update_interest(jz_shard *shard, jz_connection *connection)
{
    unsigned interest = wanted_interest(shard, connection);
    if (interest == connection->interest)
        return;
    connection->interest = interest & 3;
    if (!jz_poll_change(shard->loop.poll, connection->descriptor, interest, token_of(connection)))
        lose(shard, connection, JZ_FAILURE_TRANSPORT);
}

void jz_connection_resume_reading(jz_shard *shard, jz_connection *connection)
{
    connection->is_paused = false;
    jz_connection_mark_dirty(shard, connection);
}

void jz_connection_settle(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_FREE)
        return;
    jz_output_flush(shard, connection);
    if (connection->broken != JZ_FAILURE_NONE) {
        lose(shard, connection, (jz_failure)connection->broken);
        return;
    }
    if (connection->phase == JZ_PHASE_WEBSOCKET && connection->session.state == JZ_SESSION_CLOSE_SENT &&
        !connection->close_is_timed) {
        connection->close_is_timed = true;
        jz_timer_set(&shard->loop.timers, &connection->timer, shard->server->options.close_timeout_ms);
    }
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

void jz_connection_expired(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_HEAD && connection->head.length > 0) {
        jz_http_time_out(shard, connection);
        jz_connection_settle(shard, connection);
        return;
    }
    lose(shard, connection, JZ_FAILURE_NONE);
}

void jz_connection_stop(jz_shard *shard, jz_connection *connection)
{
    static const char reason[] = "the server stops";
    if (connection->phase == JZ_PHASE_HEAD)
        jz_connection_finish(shard, connection, false);
    else if (connection->phase == JZ_PHASE_WEBSOCKET &&
             jz_connection_close(shard, connection, JZ_CLOSE_GOING_AWAY, reason, strlen(reason)) == JZ_SEND_DROPPED)
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    jz_connection_mark_dirty(shard, connection);
}
