/* What HTTP there is: the request heads that come before a WebSocket, and pages from memory. */
#ifndef JAZZY_SERVER_HTTP_H
#define JAZZY_SERVER_HTTP_H

#include "connection.h"
#include "shard.h"

/* Takes request heads from the input and answers them, until it is used up or the connection changes its phase. */
void jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input);

/* The request head took too long: answers 408 and finishes the connection. */
void jz_http_time_out(jz_shard *shard, jz_connection *connection);

#endif
