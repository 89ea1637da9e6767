/*
 * From a request for a WebSocket to the WebSocket, or to a refusal: the rules of RFC 6455, the origin, the subprotocol,
 * the address, and the upgrade hook, which may answer later.
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
    jz_answer *answer;    /* NULL until the hook has answered */
    jz_text head;         /* the request head as it came; empty if there was no memory to keep it */
    jz_buffer kept_head;  /* owns it, if the hook has not answered at once, or the head came in parts */
    jz_buffer rest;       /* bytes that the client sent behind its request head */
    bool is_secure;       /* jz_request_is_secure */
    size_t offers_length; /* bytes of `offers` */
    char offers[];        /* the subprotocols that the client offers, each NUL-terminated */
};

/*
 * The terms on which a connection becomes a WebSocket. The connection's `head` owns the request head, unless that is in
 * the loop's receive buffer.
 */
typedef struct jz_accepted {
    const jz_route *route;
    jz_deflate_agreement deflate;
    void *state;    /* jz_ws_state; owned */
    bool is_secure; /* jz_request_is_secure */
    jz_text head;   /* of the request, as it came; empty if there was no memory to keep it */
} jz_accepted;

/*
 * Handles a request for a WebSocket on a WebSocket route. Returns true if it is accepted at once: the answer is
 * written, and the caller begins the WebSocket. Otherwise it was refused, or the upgrade hook was called.
 */
bool jz_handshake_take(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_request_head *head,
                       const jz_route_parameters *parameters, jz_accepted *accepted);

/*
 * After the hook was called with a request: the head, for the handler of the open event. Takes what `buffer` owns, if
 * the head is in there; else copies it, unless the hook has answered at once.
 */
void jz_handshake_keep_head(jz_connection *connection, jz_text head, jz_buffer *buffer);

/* While the hook has not answered: keeps what the client sends. */
void jz_handshake_keep_input(jz_shard *shard, jz_connection *connection, jz_input *input);

/* Takes ownership of an answer, on the shard's own thread. LATE: it was not taken, and the caller still owns it. */
jz_answer_status jz_handshake_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer);

/*
 * Carries out the answer, if there is one. Outside of handlers only, because it calls the route's upgrade_ended.
 * Returns true if the connection becomes a WebSocket, as jz_handshake_take does; `rest` is then its first input. The
 * caller frees `rest`.
 */
bool jz_handshake_proceed(jz_shard *shard, jz_connection *connection, jz_buffer *rest, jz_accepted *accepted);

/* Stops waiting for the upgrade hook, because of `refusal`; when the server stops, the client gets a 503. */
void jz_handshake_give_up(jz_shard *shard, jz_connection *connection, jz_refusal refusal);

/* The upgrade hook took too long: answers 503. */
void jz_handshake_time_out(jz_shard *shard, jz_connection *connection);

/* Frees the question and its answer; the connection leaves JZ_PHASE_ASKING. */
void jz_handshake_discard(jz_shard *shard, jz_connection *connection);

#endif
