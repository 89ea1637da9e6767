/* The connections with kept input (jz_session_keep), which continue in the next loop iterations. */
#ifndef JAZZY_SHARD_KEPT_INPUT_H
#define JAZZY_SHARD_KEPT_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "connection/connection.h"

typedef struct jz_shard jz_shard;

/* All zero: no connections. */
typedef struct jz_kept_input {
    uint64_t *tokens; /* of the connections, oldest first; tokens of connections that are gone are skipped */
    size_t count;
    size_t capacity;
    size_t due; /* tokens at the front that were there when the iteration began */
} jz_kept_input;

/*
 * Adds a connection that has kept input: it continues in the next iteration. If there is no memory, marks it as broken.
 */
void jz_kept_input_note(jz_shard *shard, jz_connection *connection);

/*
 * The iteration ends: all noted connections are due in the next one, which begins without waiting, as it does for
 * output that was put off.
 */
void jz_kept_input_end_turn(jz_shard *shard);

void jz_kept_input_free(jz_kept_input *kept);

#endif
