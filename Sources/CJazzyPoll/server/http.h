/* What HTTP there is: the request heads that come before a WebSocket, and pages from memory. */
#ifndef JAZZY_SERVER_HTTP_H
#define JAZZY_SERVER_HTTP_H

#include "connection.h"
#include "refusal.h"
#include "response.h"
#include "shard.h"

/* Takes request heads from the input and answers them, until it is used up or the connection changes its phase. */
void jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input);

/* Answers, and finishes the connection unless the response keeps it alive. */
void jz_http_respond(jz_shard *shard, jz_connection *connection, const jz_response *response);

/* Counts a refusal, answers with what it says, and finishes the connection. */
void jz_http_refuse(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* The same for what has been counted and told already. */
void jz_http_answer_refused(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* To a socket that does not become a connection: answers as well as can be without waiting, and closes it. */
void jz_http_turn_away(jz_shard *shard, int descriptor, jz_refusal refusal);

#endif
