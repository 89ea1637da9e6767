/* Events and notices on their way to a route's handler: at once, or to its workers. Counted, and told to the log. */
#ifndef JAZZY_SERVER_DELIVERY_H
#define JAZZY_SERVER_DELIVERY_H

#include "connection.h"
#include "shard.h"

void jz_deliver(jz_shard *shard, jz_connection *connection, const jz_event *event, const jz_message *message);

/* Tells the route what became of output that backed up, where it wants to know. Outside of handlers only. */
void jz_deliver_notices(jz_shard *shard, jz_connection *connection);

#endif
