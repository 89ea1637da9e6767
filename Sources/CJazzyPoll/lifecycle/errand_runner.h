/* Carries out errands on their loop. */
#ifndef JAZZY_LIFECYCLE_ERRAND_RUNNER_H
#define JAZZY_LIFECYCLE_ERRAND_RUNNER_H

#include "shard/errand.h"
#include "shard/shard.h"

/*
 * Carries out a letter's errand, on the shard's own thread, and frees it. A handler may be running, whose call runs
 * earlier errands first: parts that may call the application (the log, the release of a state) are left to
 * jz_errand_run_later.
 */
void jz_errand_run(jz_shard *shard, jz_letter *letter);
void jz_errand_run_later(jz_shard *shard, jz_letter *letter);

/*
 * Closes a connection whose closer was told that it will be closed: if there is no memory for a close frame, it ends
 * without one.
 */
void jz_connection_close_or_break(jz_shard *shard, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                  jz_text reason);

/* The same, but behind what its handler has said, if that waits in the mailbox. */
void jz_connection_close_behind(jz_shard *shard, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                jz_text reason);

#endif
