/* Connections that are refused before they are WebSockets: counted by reason, told to the log, and answered. */
#ifndef JAZZY_HTTP_REFUSAL_H
#define JAZZY_HTTP_REFUSAL_H

#include "connection/connection.h"
#include "jazzy/statistics.h"
#include "shard/shard.h"

/* The HTTP status that answers it; 0 where it is not answered. */
int jz_refusal_status(jz_refusal refusal);

/* What its answer and the log say where nothing more is known: a clause, static. */
const char *jz_refusal_detail(jz_refusal refusal);

/*
 * Counts it and tells the log. `detail` is a clause that says more than the reason does: which field or rule was wrong,
 * and what was expected; NULL: there is no more to say. What the peer sent is no part of it.
 */
void jz_refusal_note(jz_shard *shard, const jz_address *peer, jz_refusal refusal);
void jz_refusal_note_of(jz_shard *shard, const jz_connection *connection, jz_refusal refusal);
void jz_refusal_note_detail(jz_shard *shard, const jz_connection *connection, jz_refusal refusal, const char *detail);

#endif
