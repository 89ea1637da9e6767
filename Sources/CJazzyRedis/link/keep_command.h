/*
 * The command by which a message is kept and published: EVALSHA of a script (history/scripts.h), its two keys, and its
 * arguments, of which the last is the sequence before this one: it may be taken out later.
 */
#ifndef JAZZY_REDIS_LINK_KEEP_COMMAND_H
#define JAZZY_REDIS_LINK_KEEP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much is kept of a topic. */
typedef struct jz_redis_bounds {
    size_t keep;
    uint64_t for_ms;
    size_t bytes;
} jz_redis_bounds;

/* Not more than Redis is to keep and to answer. */
jz_redis_bounds jz_redis_bounds_of(size_t keep, uint64_t for_ms, size_t bytes);

typedef struct jz_redis_script_call {
    const char *topic;
    size_t topic_length;
    const char *channel; /* NULL: that of the topic */
    size_t channel_length;
    const uint8_t *header; /* or marker */
    size_t header_length;
    const void *bytes;
    size_t length;
    uint64_t epoch; /* to begin with */
    jz_redis_bounds bounds;
    uint64_t before; /* the sequence */
} jz_redis_script_call;

/* How long the command that keeps a message is. False: Redis takes no message that is so long. */
bool jz_redis_keep_plan(size_t prefix_length, const jz_redis_script_call *call, size_t *size);
/* Writes so many bytes. */
void jz_redis_keep_write(const char *prefix, size_t prefix_length, const jz_redis_script_call *call, char *to);

/* Has the written command, which ends here, come whatever came before it. */
void jz_redis_keep_forget_before(char *end);

/* The same for the command that fetches, with the script itself, because that is seldom called. */
bool jz_redis_fetch_plan(size_t prefix_length, const jz_redis_script_call *call, size_t *size);
void jz_redis_fetch_write(const char *prefix, size_t prefix_length, const jz_redis_script_call *call, char *to);

/* Writes the command that loads the script by which messages are kept; NULL: nothing. Returns its length. */
size_t jz_redis_load_write(char *to);

#endif
