/* Connections of which input was kept (jz_session_keep): they go on in the next turns of the loop. */
#ifndef JAZZY_SHARD_KEPT_INPUT_H
#define JAZZY_SHARD_KEPT_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "connection/connection.h"

typedef struct jz_shard jz_shard;

/* All zero is none. */
typedef struct jz_kept_input {
    uint64_t *tokens; /* those of the connections, oldest first; one that is gone by then is passed over */
    size_t count;
    size_t capacity;
    size_t due; /* those at the front that were there when the turn began */
} jz_kept_input;

/* Notes a connection that has kept input: it goes on in the next turn. Without memory to note it, it is broken. */
void jz_kept_input_note(jz_shard *shard, jz_connection *connection);

/* The turn ends: whoever is noted goes on in the next one, which does not wait for anything. */
void jz_kept_input_end_turn(jz_shard *shard);

void jz_kept_input_free(jz_kept_input *kept);

#endif
