/* Events and notices on their way to a route's handler: at once, or to its workers. Counted, and told to the log. */
#ifndef JAZZY_SERVER_DELIVERY_H
#define JAZZY_SERVER_DELIVERY_H

#include "connection.h"
#include "routes.h"
#include "shard.h"

void jz_deliver(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message);

/* Private to jz_deliver_message. */
extern const jz_event jz_message_event;
void jz_deliver_message_to_workers(jz_connection *connection, const jz_message *message);

/* The same for a data message of an open session. */
static inline void jz_deliver_message(jz_shard *shard, jz_connection *connection, const jz_message *message)
{
    jz_count_received(&shard->counters, message->kind, message->length);
    const jz_route *route = jz_connection_route(connection);
    if (JZ_LIKELY(route->options.execution == JZ_EXECUTION_LOOP))
        route->handler(route->context, jz_shard_handle_of(shard, connection), &jz_message_event, message);
    else
        jz_deliver_message_to_workers(connection, message);
}

/* Tells the route what became of output that backed up, where it wants to know. Outside of handlers only. */
void jz_deliver_notices(jz_shard *shard, jz_connection *connection);

#endif
