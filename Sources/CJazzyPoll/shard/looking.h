/* The period that topics are counted in, for all who look at a server (include/jazzy/insight.h). */
#ifndef JAZZY_SHARD_LOOKING_H
#define JAZZY_SHARD_LOOKING_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/insight.h"

typedef struct jz_looking {
    pthread_mutex_t lock; /* guards all that follows. Taken by those who look, and by no loop */
    uint64_t began_ns;    /* when the period that runs began; 0: none does */
    /* The period before, for a look that comes soon after another: */
    uint64_t period; /* its number; 0: there is none */
    uint64_t period_ns;
    size_t count;
    jz_topic_look topics[JZ_MOST_LOOKED_AT]; /* the busiest first */
} jz_looking;

#endif
