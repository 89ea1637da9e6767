/*
 * From a request for a WebSocket to the WebSocket, or to its refusal: what RFC 6455 asks, the origin, the subprotocol,
 * the address, and the upgrade hook, which may take its time.
 */
#ifndef JAZZY_HTTP_HANDSHAKE_H
#define JAZZY_HTTP_HANDSHAKE_H

#include "codec/request_head.h"
#include "session/upgrade.h"
#include "session/answer.h"
#include "connection/connection.h"
#include "config/route_pattern.h"
#include "shard/shard.h"

/* A handshake that waits for the upgrade hook. */
struct jz_question {
    const jz_route *route;
    jz_upgrade upgrade;
    jz_answer *answer;    /* NULL until there is one */
    jz_buffer rest;       /* what the client sent behind its request head */
    size_t offers_length; /* bytes of `offers` */
    char offers[];        /* the subprotocols that the client offers, each terminated */
};

/* On what terms a connection is to be a WebSocket. */
typedef struct jz_accepted {
    const jz_route *route;
    jz_deflate_agreement deflate;
    void *state; /* jz_ws_state; owned */
} jz_accepted;

/*
 * A request for a WebSocket on a route that has them. Returns true where it is accepted at once: the answer is written,
 * and whoever asked begins the WebSocket. Else it is refused, or the upgrade hook was asked.
 */
bool jz_handshake_take(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_request_head *head,
                       const jz_route_parameters *parameters, jz_accepted *accepted);

/* While the hook is asked: keeps what the client has sent already. */
void jz_handshake_keep_input(jz_shard *shard, jz_connection *connection, jz_input *input);

/* Takes over an answer that was given on the shard's own thread. LATE: it is not taken, and still the caller's. */
jz_answer_status jz_handshake_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer);

/*
 * Does what the answer says, if there is one. Outside of handlers only, for the route is told that the question is
 * over. Returns true when the connection is to be a WebSocket from here on, as
 * jz_handshake_take does, and what is to be read next then: the caller frees `rest`.
 */
bool jz_handshake_proceed(jz_shard *shard, jz_connection *connection, jz_buffer *rest, jz_accepted *accepted);

/* The upgrade hook is not waited for any longer: refuses, for 503 where the server stops. */
void jz_handshake_give_up(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* The upgrade hook took too long: answers 503. */
void jz_handshake_time_out(jz_shard *shard, jz_connection *connection);

/* Frees the question, and the answer with it. The connection is none any more that asks. */
void jz_handshake_discard(jz_shard *shard, jz_connection *connection);

#endif
