/* What is sent to a connection, on its own loop: messages, publications, closing. None of it calls a handler. */
#ifndef JAZZY_SERVER_SENDING_H
#define JAZZY_SERVER_SENDING_H

#include "connection.h"
#include "publication.h"
#include "shard.h"

jz_send_status jz_connection_send(jz_shard *shard, jz_connection *connection, jz_message_kind kind, const void *bytes,
                                  size_t length, jz_compression compression);
jz_send_status jz_connection_close(jz_shard *shard, jz_connection *connection, uint16_t code, const char *reason,
                                   size_t reason_length);
jz_send_status jz_connection_subscribe(jz_shard *shard, jz_connection *connection, jz_text topic);

/* Gives a publication to every subscriber on this shard but `sender`, which may be no connection (zero). */
void jz_shard_publish(jz_shard *shard, jz_text topic, jz_publication *publication, jz_ws sender);

#endif
