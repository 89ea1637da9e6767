#include "lifecycle/releasing.h"

#include "lifecycle/delivery.h"
#include "lifecycle/ending.h"
#include "output/output.h"
#include "http/responding.h"
#include "shard/server.h"
#include "shard/stop_request.h"

/* The connection stops being a WebSocket: its handler got the close event, and no more input is read. */
static void leave_websocket(jz_shard *shard, jz_connection *connection)
{
    const jz_route *route = jz_connection_route(connection);
    void *state = connection->state;
    /* The worker that runs the close event frees the work. */
    connection->state = NULL;
    /* release_state may use the connection, but finds no state and can set none. */
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
        jz_http_leave(shard, connection);
}

void jz_connection_finish(jz_shard *shard, jz_connection *connection, bool lingers)
{
    leave_phase(shard, connection);
    jz_shard_finish(shard, connection, lingers);
}

/* Resets the fields for the slot's next connection. */
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
    atomic_store_explicit(&connection->number, 0, memory_order_relaxed);
    shard->connection_count--;
    if (!connection->is_dirty)
        jz_slots_give_back(&shard->slots, connection);
}

/* Ends the connection's link. If its channel was lost, logs why. */
static void end_link(jz_shard *shard, jz_connection *connection)
{
    jz_links *links = &shard->turn.links;
    char why[JZ_LOG_LINE_SIZE];
    if (jz_link_is_channel(connection->link) && jz_links_explain(links, connection->link, why, sizeof why)) {
        jz_address peer = jz_connection_peer(connection);
        const jz_log_about about = {.cause = jz_failure_name(JZ_FAILURE_TRANSPORT), .is_peers_fault = true};
        jz_peer_log_tell(shard, &peer, &about, "lost: %s", why);
        if (!connection->is_websocket)
            jz_incidents_note(&shard->incidents, &(jz_happening){.kind = JZ_INCIDENT_LOST,
                                                                 .reason = jz_failure_name(JZ_FAILURE_TRANSPORT),
                                                                 .text = why,
                                                                 .peer = &peer});
    }
    if (jz_link_is_channel(connection->link))
        jz_links_unwatch(links, shard->turn.loop.poll, connection->link);
    else
        jz_poll_remove(shard->turn.loop.poll, connection->link);
    jz_link_end(links, connection->link);
}

void jz_connection_release(jz_shard *shard, jz_connection *connection)
{
    leave_phase(shard, connection);
    if (jz_output_is_put_off(&shard->turn, connection))
        jz_output_flush_all(&shard->turn, connection);
    jz_ending_count(shard, connection);
    if (connection->counts_by_address) {
        jz_address peer = jz_connection_peer(connection);
        jz_admission_uncount_address(&shard->server->admission, &peer);
    }
    jz_server_leave(shard->server, !connection->is_websocket);
    jz_output_discard(&shard->turn, connection);
    jz_timer_cancel(&shard->turn.loop.timers, &connection->timer);
    end_link(shard, connection);
    reset(connection);
    if (jz_connection_is_leaving(connection))
        connection->phase = JZ_PHASE_LEAVING;
    else
        free_slot(shard, connection);
    jz_acceptor_resume(&shard->acceptor);
}

void jz_connection_left(jz_shard *shard, jz_connection *connection)
{
    jz_topics_unsubscribe_all(&shard->topics, connection);
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    if (connection->phase == JZ_PHASE_LEAVING)
        free_slot(shard, connection);
}

void jz_connection_lose(jz_shard *shard, jz_connection *connection, jz_failure failure)
{
    if (connection->phase == JZ_PHASE_WEBSOCKET) {
        jz_session_end(&connection->session, failure);
        jz_input nothing = {0};
        jz_event event;
        jz_message message;
        while (jz_session_next(&connection->session, &nothing, NULL, &event, &message))
            jz_deliver(shard, connection, &event, &message);
    }
    jz_connection_release(shard, connection);
}

/* A peer that has all that was sent is told that no more comes. A descriptor says so by itself, when it is closed. */
static void take_leave(jz_shard *shard, const jz_connection *connection)
{
    if (connection->unsent == NULL && connection->broken == JZ_FAILURE_NONE)
        (void)jz_link_tell_end(&shard->turn.links, connection->link);
}

void jz_connection_cut_off(jz_shard *shard, jz_connection *connection)
{
    take_leave(shard, connection);
    if (connection->phase == JZ_PHASE_WEBSOCKET && shard->course == JZ_COURSE_CUTTING_OFF)
        jz_session_blame(&connection->session, JZ_CAUSE_STOPPING);
    jz_connection_lose(shard, connection, JZ_FAILURE_NONE);
}
