/* Answers over HTTP: pages, refusals, and how a connection that is no WebSocket comes to its end. */
#ifndef JAZZY_HTTP_RESPONDING_H
#define JAZZY_HTTP_RESPONDING_H

#include "connection/connection.h"
#include "http/refusal.h"
#include "http/response.h"
#include "shard/shard.h"

enum { JZ_REFUSAL_BODY_SIZE = 320 };

/* The answer to what is refused. Its body says in words what was wrong, but never what the peer sent. */
jz_response jz_http_response_of(jz_refusal refusal, const char *detail, char body[JZ_REFUSAL_BODY_SIZE]);

/* Answers, and finishes the connection unless the response keeps it alive. */
void jz_http_respond(jz_shard *shard, jz_connection *connection, const jz_response *response);

/*
 * Times the wait for the next request of a connection that is kept, if that is what it waits for: where an answer has
 * been appended, and where it has been sent.
 */
void jz_http_await_request(jz_shard *shard, jz_connection *connection);

/* Counts a refusal, answers with what it says, and finishes the connection. */
void jz_http_refuse(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* The same, saying more than the reason does; and without counting. */
void jz_http_refuse_detail(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail);
void jz_http_answer_refused(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail);

/* To a socket that does not become a connection: answers as well as can be without waiting, and closes it. */
void jz_http_turn_away(jz_shard *shard, int descriptor, jz_refusal refusal);

/* Gives back what a connection has while it is no WebSocket and has not finished: what came of a head, a question. */
void jz_http_leave(jz_shard *shard, jz_connection *connection);

/* The same, and no more input is taken: see jz_shard_finish. */
void jz_http_finish(jz_shard *shard, jz_connection *connection, bool lingers);

#endif
