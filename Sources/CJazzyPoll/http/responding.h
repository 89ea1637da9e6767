/* HTTP responses: pages and refusals; and the end of connections that are not WebSockets. */
#ifndef JAZZY_HTTP_RESPONDING_H
#define JAZZY_HTTP_RESPONDING_H

#include "connection/connection.h"
#include "http/refusal.h"
#include "http/response.h"
#include "shard/shard.h"

enum { JZ_REFUSAL_BODY_SIZE = 320 };

/* The response to a refused request. Its body says what was wrong, but never contains what the peer sent. */
jz_response jz_http_response_of(jz_refusal refusal, const char *detail, char body[JZ_REFUSAL_BODY_SIZE]);

/* Sends a response, and finishes the connection unless the response keeps it alive. */
void jz_http_respond(jz_shard *shard, jz_connection *connection, const jz_response *response);

/* A response was appended as a whole: the connection finishes, or awaits the next request. */
void jz_http_conclude(jz_shard *shard, jz_connection *connection, bool keeps_alive);

/*
 * Sets the timer for the next request, if the connection waits for one. Call it when a response was appended, and when
 * it was sent.
 */
void jz_http_await_request(jz_shard *shard, jz_connection *connection);

/* Counts a refusal, sends its response, and finishes the connection. */
void jz_http_refuse(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* The same with a detail; and the same without counting. */
void jz_http_refuse_detail(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail);
void jz_http_answer_refused(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail);

/*
 * For a socket that does not become a connection: sends a response if that is possible without waiting, and closes it.
 */
void jz_http_turn_away(jz_shard *shard, int descriptor, jz_refusal refusal);

/* Frees what a connection that is not a WebSocket owns: an incomplete head, or a question. */
void jz_http_leave(jz_shard *shard, jz_connection *connection);

/* The same, and then jz_shard_finish. */
void jz_http_finish(jz_shard *shard, jz_connection *connection, bool lingers);

#endif
