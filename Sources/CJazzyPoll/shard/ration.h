/*
 * How much of a loop iteration one connection may use, so that others are served, too: a number of messages, and a
 * time. Input beyond that is kept for later iterations (kept_input.h).
 */
#ifndef JAZZY_SHARD_RATION_H
#define JAZZY_SHARD_RATION_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/compiler.h"

typedef struct jz_shard jz_shard;

enum { JZ_RATION_FIRST_LOOK = 4 }; /* messages: reads with fewer, which are nearly all, do not read the clock */

/* For the connection that is being read. */
typedef struct jz_ration {
    uint32_t until_look; /* messages until the next look at the clock */
    uint32_t interval;   /* messages between two looks: more while they are quick; the first number before the first */
    uint32_t taken;      /* messages up to the last look */
    uint64_t began_ns;   /* the first look */
} jz_ration;

static inline void jz_ration_begin(jz_ration *ration)
{
    ration->until_look = ration->interval = JZ_RATION_FIRST_LOOK;
}

/* The connection may have to stop: look after this message. */
static inline void jz_ration_look_soon(jz_ration *ration)
{
    ration->until_look = 1;
}

/* Call after each message: whether to look now. */
static inline bool jz_ration_is_due(jz_ration *ration)
{
    return --ration->until_look == 0;
}

/* Looks at the clock: whether the connection has used up its share of the iteration. */
bool jz_ration_is_over(jz_shard *shard);

#endif
