/* One request for a page that is made for it: its handler is asked, and its answer is sent. */
#ifndef JAZZY_HTTP_EXCHANGE_H
#define JAZZY_HTTP_EXCHANGE_H

#include "codec/request_head.h"
#include "config/route_pattern.h"
#include "connection/connection.h"
#include "http/page_job.h"
#include "session/answer.h"
#include "session/session.h"
#include "shard/shard.h"

/* Requests behind one that is to be answered, in bytes. With more the connection ends behind the answer. */
enum { JZ_MOST_PIPELINED = 64 * 1024 };

struct jz_exchange {
    const jz_route *route;
    struct jz_transfer *transfer; /* of a file; NULL: the application answers */
    jz_page_job *job;             /* on a worker, that calls the handler; NULL: there is none */
    uint32_t number;   /* of all exchanges of the shard, so that a late answer does not answer a later request */
    jz_answer *answer; /* NULL until there is one */
    jz_buffer rest;    /* what the client sent behind the request */
    bool was_called;   /* the handler, on the loop */
    bool is_head;
    bool keeps_alive;
    bool says_keep_alive;
    bool has_dropped; /* some of what the client sent behind the request */
    bool is_resting;  /* it is answered, and `rest` waits for its turn */
    bool is_noted;    /* which comes in the next iteration */
};

/* A request for a page, borrowed. */
typedef struct jz_asked {
    const jz_request_head *head;
    const jz_route_parameters *parameters;
    jz_text text; /* the head, as it came */
    bool keeps_alive;
} jz_asked;

/* NULL when there is no memory. */
jz_exchange *jz_exchange_create(jz_shard *shard, const jz_route *route, const jz_asked *asked);
void jz_exchange_free(jz_exchange *exchange);

/* The connection enters JZ_PHASE_ASKING with the exchange, or leaves it, and is then as before the request. */
void jz_exchange_enter(jz_connection *connection, jz_exchange *exchange);
jz_exchange *jz_exchange_leave(jz_connection *connection);

/* Whether the connection is kept for the next request behind the answer that is about to be sent. */
bool jz_exchange_goes_on_behind(const jz_shard *shard, const jz_connection *connection, const jz_exchange *exchange);

/* Calls the page's handler. If it answers at once, so does this; otherwise the connection enters JZ_PHASE_ASKING. */
void jz_exchange_ask(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_asked *asked);

/*
 * After answers: keeps further requests for the next iteration, so that no client keeps the loop to itself. The
 * connection enters JZ_PHASE_ASKING.
 */
void jz_exchange_rest(jz_shard *shard, jz_connection *connection, jz_input *input);

/* Whether the connection has an answered request, and further ones that wait. */
bool jz_exchange_is_resting(const jz_connection *connection);

/* Whether it has that, or a file is on its way to the peer: no answer is awaited. */
bool jz_exchange_is_sending(const jz_connection *connection);

/* Ends the rest: gives what waited, which the caller frees. The connection is in JZ_PHASE_HEAD again. */
jz_buffer jz_exchange_take_rest(jz_connection *connection);

/* Keeps what the client sends meanwhile. */
void jz_exchange_keep_input(jz_connection *connection, jz_input *input);

/* Takes ownership of an answer, on the shard's own thread. LATE: the caller still owns it. */
jz_answer_status jz_exchange_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer);

/* Sends the answer, if there is one. Outside of handlers only, because it calls the page's `ended`. */
void jz_exchange_proceed(jz_shard *shard, jz_connection *connection);

/* Output was sent: takes care that what waits for that goes on. */
void jz_exchange_follow(jz_shard *shard, jz_connection *connection);

/* The handler took too long: answers 503. The server stops: the connection ends, unless its answer is on its way. */
void jz_exchange_time_out(jz_shard *shard, jz_connection *connection);
void jz_exchange_stop(jz_shard *shard, jz_connection *connection, bool lingers);

/* Frees the exchange; the connection leaves JZ_PHASE_ASKING. */
void jz_exchange_discard(jz_shard *shard, jz_connection *connection);

#endif
