/* How other threads wake the one that waits in poll: a pipe. */
#ifndef JAZZY_REDIS_LINK_BELL_H
#define JAZZY_REDIS_LINK_BELL_H

#include <stdbool.h>

typedef struct jz_redis_bell {
    int heard; /* the end to poll for input; -1: there is no bell */
    int rung;
} jz_redis_bell;

/* False with errno: there are no descriptors. */
bool jz_redis_bell_open(jz_redis_bell *bell);

/* From any thread. */
void jz_redis_bell_ring(const jz_redis_bell *bell);

/* Forgets how often it was rung. */
void jz_redis_bell_clear(const jz_redis_bell *bell);

void jz_redis_bell_close(jz_redis_bell *bell);

/* Has a descriptor never block, and not be inherited by other programs. */
void jz_redis_prepare_descriptor(int descriptor);

#endif
