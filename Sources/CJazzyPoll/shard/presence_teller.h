/*
 * The thread that tells who has come and who has left (jazzy/presence.h). It runs while the server runs, if anybody
 * watches; so what watches do delays no event loop. It sleeps until something changes, waits for the time that changes
 * are gathered, and tells them all.
 */
#ifndef JAZZY_SHARD_PRESENCE_TELLER_H
#define JAZZY_SHARD_PRESENCE_TELLER_H

#include <stddef.h>
#include <stdint.h>

#include "pubsub/presence.h"
#include "workers/workers.h"

typedef struct jz_presence_teller jz_presence_teller;

/*
 * Whoever waits for the server's workers on this thread would wait for itself, as on theirs: it is taken for one of
 * them. NULL when there is no memory.
 */
jz_presence_teller *jz_presence_teller_create(jz_presence *presence, const jz_workers *workers, size_t stack_size);

/* The server begins to run. */
jz_status jz_presence_teller_begin(jz_presence_teller *teller, jz_error *error);

/* Adds a watch, before the server runs or while it does. From any thread. */
jz_status jz_presence_teller_watch(jz_presence_teller *teller, const jz_presence_watch *watch, uint64_t *number,
                                   jz_error *error);

/* All members have left: tells that, and ends the thread. */
void jz_presence_teller_finish(jz_presence_teller *teller);

/* NULL does nothing. */
void jz_presence_teller_destroy(jz_presence_teller *teller);

#endif
