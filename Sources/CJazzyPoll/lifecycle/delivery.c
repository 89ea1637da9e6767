#include "lifecycle/delivery.h"

#include <stdlib.h>

#include "config/routes.h"
#include "lifecycle/measuring.h"
#include "lifecycle/pacing.h"
#include "output/sending.h"
#include "shard/errand.h"
#include "shard/hold.h"
#include "workers/work.h"

static void follow_session_state(jz_connection *connection)
{
    if (!jz_session_is_open(&connection->session))
        atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
}

/* For who looks: a transport, such as TLS, says why it has lost the connection. */
static JZ_NEVER_INLINED void keep_failure(jz_shard *shard, const jz_connection *connection, const jz_address *peer,
                                          jz_failure failure)
{
    char why[JZ_LOG_LINE_SIZE];
    bool is_explained = failure == JZ_FAILURE_TRANSPORT && jz_link_is_channel(connection->link) &&
                        jz_links_explain(&shard->turn.links, connection->link, why, sizeof why);
    const jz_happening happening = {.kind = JZ_INCIDENT_FAILED,
                                    .close_code = jz_failure_close_code(failure),
                                    .reason = jz_failure_name(failure),
                                    .text = is_explained ? why : jz_failure_text(failure),
                                    .route = jz_connection_route(connection)->path,
                                    .peer = peer};
    jz_incidents_note(&shard->incidents, &happening);
}

/* Keeps an end that is not as it should be, for who looks. Failures are kept already, but do not say what came first.
 */
static JZ_NEVER_INLINED void keep_end(jz_shard *shard, const jz_connection *connection, const jz_event *event)
{
    bool is_limited = event->cause == JZ_CAUSE_BACKPRESSURE || event->cause == JZ_CAUSE_MESSAGE_RATE;
    bool is_missed = !event->was_clean && event->cause != JZ_CAUSE_APPLICATION && event->failure == JZ_FAILURE_NONE;
    if (!is_limited && !is_missed)
        return;
    jz_address peer = jz_connection_peer(connection);
    const jz_happening happening = {.kind = JZ_INCIDENT_CLOSED,
                                    .close_code = event->close_code,
                                    .reason = jz_close_cause_name(event->cause),
                                    .text = jz_close_cause_text(event->cause),
                                    .route = jz_connection_route(connection)->path,
                                    .peer = &peer};
    jz_incidents_note(&shard->incidents, &happening);
}

/* §7.1.7: the side that fails a connection should log why. */
static void note_failure(jz_shard *shard, const jz_connection *connection, jz_failure failure)
{
    jz_address peer = jz_connection_peer(connection);
    jz_count(&shard->turn.counters.failures[failure], 1);
    keep_failure(shard, connection, &peer, failure);
    if (failure == JZ_FAILURE_TRANSPORT)
        return;
    const jz_log_about about = {.route = jz_connection_route(connection)->path,
                                .cause = jz_failure_name(failure),
                                .is_peers_fault = failure != JZ_FAILURE_OUT_OF_MEMORY};
    jz_peer_log_tell(shard, &peer, &about, "failed: %s", jz_failure_text(failure));
}

static void note_close(jz_shard *shard, jz_connection *connection, const jz_event *event)
{
    connection->ended_cleanly = event->was_clean;
    jz_count(&shard->turn.counters.closes[jz_closes_index(event->close_code)], 1);
    jz_count(&shard->turn.counters.causes[event->cause], 1);
    jz_count(&shard->turn.counters.websockets_ended, 1);
    jz_measuring_closed(shard, connection);
    keep_end(shard, connection, event);
}

static void note(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message)
{
    if (JZ_LIKELY(event->type == JZ_EVENT_MESSAGE)) {
        jz_count_received(&shard->turn.counters, message->kind, message->length);
        /* The session has answered the ping. */
        if (message->kind == JZ_MESSAGE_PING)
            jz_count_sent(&shard->turn.counters, JZ_MESSAGE_PONG, message->length);
        else if (message->kind == JZ_MESSAGE_PONG)
            jz_measuring_ponged(shard, connection);
    } else if (event->type == JZ_EVENT_ERROR) {
        note_failure(shard, connection, event->failure);
    } else if (event->type == JZ_EVENT_CLOSE) {
        note_close(shard, connection, event);
    }
}

/* Handles the result of adding to a connection's work. */
static void follow_work(jz_shard *shard, jz_connection *connection, jz_work_result result)
{
    if (result == JZ_WORK_FULL)
        jz_hold_begin(shard, connection, JZ_HOLD_WORK);
    else if (result == JZ_WORK_OUT_OF_MEMORY)
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
}

static void hand_to_workers(jz_shard *shard, jz_connection *connection, const jz_event *event,
                            const jz_message *message)
{
    if (connection->work == NULL)
        return;
    /* Before a worker can run the close event, in which the connection must be leaving. */
    if (event->type == JZ_EVENT_CLOSE)
        atomic_store_explicit(&connection->visible, JZ_VISIBLE_LEAVING, memory_order_release);
    follow_work(shard, connection, jz_work_add(connection->work, event, message));
    if (event->type == JZ_EVENT_CLOSE)
        connection->work = NULL;
}

void jz_deliver_after_queued(jz_shard *shard, jz_connection *connection)
{
    shard->has_queued = false;
    if (!jz_errand_catch_up(shard, jz_shard_handle_of(shard, connection)) && !jz_connection_is_silenced(connection))
        jz_hold_end(shard, connection, JZ_HOLD_WORK);
}

/* The connection is behind. */
static JZ_NEVER_INLINED void stop_soon(jz_shard *shard, jz_connection *connection)
{
    if (shard->has_queued)
        jz_deliver_after_queued(shard, connection);
    jz_ration_look_soon(&shard->ration);
}

/* Whether it is a ping or a pong, which has been answered and counted, and the handler does not want to see them. */
static bool is_unwanted(const jz_route *route, const jz_event *event, const jz_message *message)
{
    return event->type == JZ_EVENT_MESSAGE && message->kind > JZ_MESSAGE_BINARY && !route->options.control_messages;
}

void jz_deliver_anything(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message)
{
    follow_session_state(connection);
    note(shard, connection, event, message);
    const jz_route *route = jz_connection_route(connection);
    if (event->type == JZ_EVENT_MESSAGE && route->options.message_rate.per_second > 0 &&
        !jz_pacing_admits(shard, connection, message->kind))
        return;
    if (is_unwanted(route, event, message))
        return;
    if (JZ_LIKELY(route->options.execution == JZ_EXECUTION_LOOP))
        route->handler(route->context, jz_shard_handle_of(shard, connection), event, message);
    else
        hand_to_workers(shard, connection, event, message);
    if (connection->is_behind)
        stop_soon(shard, connection);
}

/* What is known of the request goes along: when a worker runs the event, the receive buffer will have other bytes. */
static void hand_open_to_workers(jz_shard *shard, jz_connection *connection, jz_text head, bool is_secure)
{
    jz_properties *properties = jz_properties_take(&shard->turn.links, connection->link);
    jz_work_result result = jz_work_add_open(connection->work, head, is_secure, properties);
    follow_work(shard, connection, result);
    if (result == JZ_WORK_OUT_OF_MEMORY) {
        /* The handler was never called: the connection ends without events. */
        jz_work_free(connection->work);
        connection->work = NULL;
    }
}

void jz_deliver_open(jz_shard *shard, jz_connection *connection, jz_text head, bool is_secure)
{
    const jz_route *route = jz_connection_route(connection);
    jz_ws ws = jz_shard_handle_of(shard, connection);
    if (route->options.execution == JZ_EXECUTION_LOOP) {
        jz_first_request first = {
            .ws = ws, .route = route, .head = head, .is_secure = is_secure, .link = connection->link};
        shard->first_request = &first;
        route->handler(route->context, ws, &jz_open_event, &jz_no_message);
        shard->first_request = NULL;
        jz_first_request_free(&first);
    } else {
        hand_open_to_workers(shard, connection, head, is_secure);
    }
    if (connection->is_behind)
        stop_soon(shard, connection);
}

static void tell(jz_shard *shard, jz_connection *connection, jz_output_callback callback)
{
    const jz_route *route = jz_connection_route(connection);
    if (callback == NULL)
        return;
    shard->told = connection;
    if (route->options.execution == JZ_EXECUTION_LOOP)
        callback(route->context, jz_shard_handle_of(shard, connection));
    else if (connection->work != NULL)
        follow_work(shard, connection, jz_work_add_notice(connection->work, callback));
    shard->told = NULL;
    if (connection->is_behind)
        stop_soon(shard, connection);
}

/* Neither who has ended its connection hears of its output, nor who waits for what it has said itself. */
static bool may_be_told(const jz_shard *shard, const jz_connection *connection)
{
    return jz_connection_is_writable(connection) && !jz_hold_is_for_letters(shard, connection);
}

void jz_deliver_notices(jz_shard *shard, jz_connection *connection)
{
    if (!may_be_told(shard, connection))
        return;
    const jz_route_options *options = &jz_connection_route(connection)->options;
    if (connection->drop_is_due) {
        connection->drop_is_due = false;
        connection->drop_was_told = true;
        tell(shard, connection, options->dropped);
    }
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    if (connection->is_backed_up && buffered <= options->backpressure_limit / 2 && may_be_told(shard, connection)) {
        connection->is_backed_up = false;
        connection->drop_was_told = false;
        tell(shard, connection, options->drained);
    }
}
