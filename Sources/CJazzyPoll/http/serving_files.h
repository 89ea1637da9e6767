/* The exchange of a request for a file: what the loop does with its transfer. */
#ifndef JAZZY_HTTP_SERVING_FILES_H
#define JAZZY_HTTP_SERVING_FILES_H

#include "http/exchange.h"

/* Has the file opened. The connection enters JZ_PHASE_ASKING, unless the path names nothing that may be served. */
void jz_file_ask(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_asked *asked);

/* The time of a connection with a file is over. Returns whether it was that which the file needed to settle. */
bool jz_file_has_settled(jz_shard *shard, jz_connection *connection);

/*
 * Sends what there is: the head of the response, and what was read. Returns whether the response is complete, or
 * another one was sent instead; the caller then ends the exchange.
 */
bool jz_file_send(jz_shard *shard, jz_connection *connection);

/* Has the next piece read, if the client has taken what was sent. */
void jz_file_go_on(jz_shard *shard, jz_connection *connection);

#endif
