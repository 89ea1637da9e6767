/* What HTTP there is: the request heads that come before a WebSocket, and pages from memory. */
#ifndef JAZZY_SERVER_HTTP_H
#define JAZZY_SERVER_HTTP_H

#include "connection.h"
#include "refusal.h"
#include "response.h"
#include "shard.h"

/* Takes request heads from the input and answers them, until it is used up or the connection changes its phase. */
void jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input);

/*
 * Times the wait for the next request of a connection that is kept, if that is what it waits for: where an answer has
 * been appended, and where it has been sent.
 */
void jz_http_await_request(jz_shard *shard, jz_connection *connection);

/* Answers, and finishes the connection unless the response keeps it alive. */
void jz_http_respond(jz_shard *shard, jz_connection *connection, const jz_response *response);

/* Counts a refusal, answers with what it says, and finishes the connection. */
void jz_http_refuse(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* The same, saying more than the reason does; and without counting. */
void jz_http_refuse_detail(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail);
void jz_http_answer_refused(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail);

/* To a socket that does not become a connection: answers as well as can be without waiting, and closes it. */
void jz_http_turn_away(jz_shard *shard, int descriptor, jz_refusal refusal);

#endif
