/*
 * What was asked on the subscribed connection and is not wholly answered: each SUBSCRIBE or UNSUBSCRIBE with its
 * topics, in their order. Redis acknowledges each topic by its name, but refuses a command as a whole, and says of an
 * error nothing but its place among the answers.
 */
#ifndef JAZZY_REDIS_TOPICS_ASKED_H
#define JAZZY_REDIS_TOPICS_ASKED_H

#include <stdbool.h>
#include <stddef.h>

#include "topics/topics.h"

typedef struct jz_redis_command_asked {
    struct jz_redis_command_asked *next;
    bool is_subscribe;
    size_t count;
    size_t answered;
    jz_redis_topic *topics[]; /* which stay, because they have an answer outstanding */
} jz_redis_command_asked;

/* All zero: nothing was asked. */
typedef struct jz_redis_asked {
    jz_redis_command_asked *first;
    jz_redis_command_asked *last;
} jz_redis_asked;

/* A command for these topics is sent, at least one. False: no memory. */
bool jz_redis_asked_add(jz_redis_asked *asked, bool is_subscribe, jz_redis_topic *const *topics, size_t count);

/* One topic of the oldest command was acknowledged. False: nothing was asked. */
bool jz_redis_asked_answered(jz_redis_asked *asked);

/* The oldest command was refused: takes it, to be freed by the caller. NULL: it is none that Redis refuses as a whole.
 */
jz_redis_command_asked *jz_redis_asked_refused(jz_redis_asked *asked);

/* The connection is gone. */
void jz_redis_asked_clear(jz_redis_asked *asked);

#endif
