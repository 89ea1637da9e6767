/*
 * How much one connection may take of a turn of its loop, so that others get theirs: so many messages, or as many as go
 * into the time. What it has sent beyond that is kept, and taken in later turns (kept_input.h).
 */
#ifndef JAZZY_SHARD_RATION_H
#define JAZZY_SHARD_RATION_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/compiler.h"

typedef struct jz_shard jz_shard;

enum { JZ_RATION_FIRST_LOOK = 4 }; /* messages: a read with fewer, as nearly all are, costs no look at the clock */

/* Of the connection that is being read. */
typedef struct jz_ration {
    uint32_t until_look; /* messages until the clock is looked at */
    uint32_t interval;   /* between two looks: doubled each time */
    uint32_t taken;      /* messages up to the last look */
    uint64_t began_ns;   /* the first look */
} jz_ration;

static inline void jz_ration_begin(jz_ration *ration)
{
    ration->until_look = ration->interval = JZ_RATION_FIRST_LOOK;
}

/* Something has happened for which the connection may have to stop: it is looked at after this message. */
static inline void jz_ration_look_soon(jz_ration *ration)
{
    ration->until_look = 1;
}

/* After each message: whether it is time to look. */
static inline bool jz_ration_is_due(jz_ration *ration)
{
    return --ration->until_look == 0;
}

/* Looks: whether the connection has had its share of the turn. */
bool jz_ration_is_over(jz_shard *shard);

#endif
