/* The parts of a look at a server (include/jazzy/insight.h). All from any thread. */
#ifndef JAZZY_SERVER_LOOKS_H
#define JAZZY_SERVER_LOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "jazzy/insight.h"
#include "shard/server.h"

/*
 * Fills in look->topics_ns and topics_period, and `topics`, which has room for `most`; and lets the loops count on.
 * Returns how many there are. False: there is no memory.
 */
bool jz_look_at_topics(jz_server *server, jz_look *look, jz_topic_look *topics, size_t most);

/* The slowest receivers of all loops, the slowest first. Returns how many there are, at most `most`. */
size_t jz_look_at_receivers(const jz_server *server, jz_receiver_look *receivers, size_t most);

/* How many incidents all loops together keep at most. */
size_t jz_kept_incidents_of(const jz_server *server);

/* Fills in look->incidents_total, and all kept incidents, the last first. Returns how many there are. */
size_t jz_look_at_incidents(jz_server *server, jz_look *look, jz_incident *incidents);

#endif
