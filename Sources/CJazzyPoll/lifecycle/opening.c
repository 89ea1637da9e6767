#include "lifecycle/opening.h"

#include "loop/socket.h"
#include "lifecycle/delivery.h"
#include "lifecycle/measuring.h"
#include "lifecycle/pacing.h"
#include "shard/server.h"
#include "lifecycle/watch.h"
#include "workers/work.h"

/*
 * Prepares where the events and the state of the connection go. False when there is no memory: there are no events
 * then.
 */
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

static void open_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted)
{
    const jz_route *route = accepted->route;
    if (route->options.kernel_send_limit != 0)
        jz_socket_limit_unsent(jz_link_descriptor(&shard->turn.links, connection->link),
                               route->options.kernel_send_limit);
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_OPEN, memory_order_release);
    jz_deliver_open(shard, connection, accepted->head, accepted->is_secure);
}

void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted)
{
    const jz_route *route = accepted->route;
    jz_buffer head = connection->head; /* the session takes its place */
    connection->phase = JZ_PHASE_WEBSOCKET;
    connection->is_websocket = true;
    jz_admission_end_handshake(&shard->server->admission);
    jz_session_init(&connection->session, &shard->routes[route->number].settings);
    jz_session_use_deflate(&connection->session, &accepted->deflate);
    jz_timer_cancel(&shard->turn.loop.timers, &connection->timer);
    jz_watch_begin(shard, connection);
    jz_count(&shard->turn.counters.websockets_total, 1);
    jz_measuring_opened(shard, connection);
    if (!jz_pacing_begin(shard, connection)) /* it ends after its open event */
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    if (prepare_delivery(shard, connection, route, accepted->state))
        open_websocket(shard, connection, accepted);
    else
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    jz_buffer_free(&head);
}
