/*
 * The thread of a server's company (pubsub/presence_company.h): it takes what the broker delivers for it, and sends
 * what there is to send, when its time has come. A thread of its own, because nothing may hold up its heartbeats: event
 * loops do, and those who are told of members may block theirs. It runs while a server runs that has a broker.
 */
#ifndef JAZZY_SHARD_COMPANY_RUNNER_H
#define JAZZY_SHARD_COMPANY_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"
#include "jazzy/options.h"
#include "jazzy/websocket.h"
#include "pubsub/membership.h"
#include "pubsub/presence.h"

typedef struct jz_company_runner jz_company_runner;

/*
 * All must outlive it; of the options the limit of mailboxes holds for what waits for this thread. Before there are
 * members. NULL when there is no memory.
 */
jz_company_runner *jz_company_runner_create(jz_presence *presence, jz_membership *membership,
                                            const jz_options *options);

/* The server begins to run: its broker was started. NULL: there is none; likewise below. */
jz_status jz_company_runner_begin(jz_company_runner *runner, jz_error *error);

/* All members have left: tells the others, and ends the thread. The broker still runs. */
void jz_company_runner_finish(jz_company_runner *runner);
void jz_company_runner_destroy(jz_company_runner *runner);

/*
 * The broker delivers something on a hidden topic. It is copied. DROPPED: too much waits, or there is no memory; then
 * the others are asked again. CLOSED: the thread does not run. From any thread.
 */
jz_send_status jz_company_runner_deliver(jz_company_runner *runner, jz_text topic, const void *bytes, size_t length);

/* Messages to a hidden topic may have been lost; NULL: to any, because the broker is connected again. */
void jz_company_runner_missed(jz_company_runner *runner, const jz_text *topic);

#endif
