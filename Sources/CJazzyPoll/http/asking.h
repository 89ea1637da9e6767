/* What a connection in JZ_PHASE_ASKING waits for: the answer to a handshake, or a page. */
#ifndef JAZZY_HTTP_ASKING_H
#define JAZZY_HTTP_ASKING_H

#include "http/exchange.h"
#include "http/handshake.h"

/* Whether it is the application that has to do something; otherwise the peer has to take what is sent. */
bool jz_asking_waits_for_application(const jz_connection *connection);

/* Takes ownership of an answer, on the shard's own thread. LATE: the caller still owns it. */
jz_answer_status jz_asking_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer);

/* The answer has not come in time. */
void jz_asking_time_out(jz_shard *shard, jz_connection *connection);

/* The server stops. `lingers`: as for jz_http_finish, if the answer is on its way. */
void jz_asking_stop(jz_shard *shard, jz_connection *connection, bool lingers);

/* Frees what is asked for; the connection leaves the phase. */
void jz_asking_discard(jz_shard *shard, jz_connection *connection);

#endif
