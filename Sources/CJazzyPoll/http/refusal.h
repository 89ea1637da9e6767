/* Connections that are refused before they are WebSockets: counted by reason, logged, and answered. */
#ifndef JAZZY_HTTP_REFUSAL_H
#define JAZZY_HTTP_REFUSAL_H

#include "connection/connection.h"
#include "jazzy/statistics.h"
#include "shard/shard.h"

/* The HTTP status of the answer; 0 if there is none. */
int jz_refusal_status(jz_refusal refusal);

/* The default explanation for the answer and the log: a clause, static. */
const char *jz_refusal_detail(jz_refusal refusal);

/*
 * Count and log a refusal. `detail` is a clause that says more than the reason: which field or rule was wrong, and what
 * was expected; or NULL. It never contains what the peer sent.
 */
void jz_refusal_note(jz_shard *shard, const jz_address *peer, jz_refusal refusal);
void jz_refusal_note_of(jz_shard *shard, const jz_connection *connection, jz_refusal refusal);
void jz_refusal_note_detail(jz_shard *shard, const jz_connection *connection, jz_refusal refusal, const char *detail);
void jz_refusal_note_on(jz_shard *shard, const jz_connection *connection, const jz_route *route, jz_refusal refusal);

/* Only counts it, and keeps it for who looks: the caller logs it. `route` may be NULL, and so may `detail`. */
void jz_refusal_count(jz_shard *shard, const jz_address *peer, const char *route, jz_refusal refusal,
                      const char *detail);

#endif
