/*
 * Messages of topics with history that are missing here: whoever gets every message of such a topic is closed, and
 * comes back. From any thread. What is posted later, such as the next message, or a replay, reaches no loop before
 * this.
 */
#ifndef JAZZY_SHARD_GAP_H
#define JAZZY_SHARD_GAP_H

#include <stdbool.h>

#include "codec/text.h"
#include "jazzy/server.h"

/*
 * Of one topic, and of all topics. False: no memory, and nothing was done; it is tried again for all topics within a
 * second, until it succeeds.
 */
bool jz_gap_tell(jz_server *server, jz_text topic);
bool jz_gap_tell_of_all(jz_server *server);

/* Tries again, if that is due. */
void jz_gap_try_again(jz_server *server);

#endif
