#include "shard/kept_input.h"

#include <stdlib.h>
#include <string.h>

#include "shard/shard.h"

enum { FIRST_CAPACITY = 16, KEEP_UP_TO = 1024 /* tokens: a larger list is freed when it is empty */ };

static bool make_room(jz_kept_input *kept)
{
    if (kept->count < kept->capacity)
        return true;
    size_t capacity = kept->capacity > 0 ? kept->capacity * 2 : FIRST_CAPACITY;
    uint64_t *grown = realloc(kept->tokens, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    kept->tokens = grown;
    kept->capacity = capacity;
    return true;
}

void jz_kept_input_note(jz_shard *shard, jz_connection *connection)
{
    jz_kept_input *kept = &shard->kept_input;
    if (make_room(kept)) {
        kept->tokens[kept->count++] = jz_connection_token(connection);
    } else {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        jz_turn_mark_dirty(&shard->turn, connection);
    }
}

void jz_kept_input_end_turn(jz_shard *shard)
{
    jz_kept_input *kept = &shard->kept_input;
    kept->due = kept->count;
    shard->turn.loop.is_hurried = kept->count > 0 || shard->turn.put_off != NULL;
    if (kept->count == 0 && kept->capacity > KEEP_UP_TO)
        jz_kept_input_free(kept);
}

void jz_kept_input_free(jz_kept_input *kept)
{
    free(kept->tokens);
    *kept = (jz_kept_input){0};
}
