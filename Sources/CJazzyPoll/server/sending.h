/* What is sent to a connection, on its own loop: messages, publications, closing. None of it calls a handler. */
#ifndef JAZZY_SERVER_SENDING_H
#define JAZZY_SERVER_SENDING_H

#include "connection.h"
#include "publication.h"
#include "routes.h"
#include "server.h"
#include "shard.h"

/* The unsent bytes beyond which it takes no more. */
static inline size_t jz_connection_limit(const jz_shard *shard, const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET ? jz_connection_route(connection)->options.backpressure_limit
                                                   : shard->server->options.backpressure_limit;
}

jz_send_status jz_connection_send(jz_shard *shard, jz_connection *connection, jz_message_kind kind, const void *bytes,
                                  size_t length, jz_compression compression);
jz_send_status jz_connection_close(jz_shard *shard, jz_connection *connection, uint16_t code, const char *reason,
                                   size_t reason_length);
/* Sends a ping of ours, to see whether the peer is there. Without memory for it the peer gets another chance. */
void jz_connection_ping(jz_shard *shard, jz_connection *connection);

/* Reads no more, or goes on, as the connection's user wants it. */
jz_send_status jz_connection_pause(jz_shard *shard, jz_connection *connection, bool is_paused);

jz_send_status jz_connection_subscribe(jz_shard *shard, jz_connection *connection, jz_text topic);

/* Gives a publication to every subscriber on this shard but `sender`, which may be no connection (zero). */
void jz_shard_publish(jz_shard *shard, jz_text topic, jz_publication *publication, jz_ws sender);

#endif
