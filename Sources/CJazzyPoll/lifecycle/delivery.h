/* Delivers events and notices to a route's handler, at once or through its workers; counts and logs them. */
#ifndef JAZZY_LIFECYCLE_DELIVERY_H
#define JAZZY_LIFECYCLE_DELIVERY_H

#include "connection/connection.h"
#include "config/routes.h"
#include "shard/shard.h"

/* Private to jz_deliver: delivers other events than messages, and everything where the route is not plain. */
void jz_deliver_anything(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message);

static inline void jz_deliver(jz_shard *shard, jz_connection *connection, const jz_event *event,
                              const jz_message *message)
{
    const jz_route *route = jz_connection_route(connection);
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY && route->is_plain) {
        jz_count_received(&shard->turn.counters, message->kind, message->length);
        route->handler(route->context, jz_shard_handle_of(shard, connection), event, message);
    } else {
        jz_deliver_anything(shard, connection, event, message);
    }
}

/* Delivers the open event; the handler can ask for the request, of which this is known. */
void jz_deliver_open(jz_shard *shard, jz_connection *connection, jz_text head, bool is_secure);

/* Its handler has sent what waits in the mailbox (jz_shard.has_queued): what follows is delivered once that is done. */
void jz_deliver_after_queued(jz_shard *shard, jz_connection *connection);

/* Calls the route's `drained` and `dropped`, if they are due. Outside of handlers only. */
void jz_deliver_notices(jz_shard *shard, jz_connection *connection);

#endif
