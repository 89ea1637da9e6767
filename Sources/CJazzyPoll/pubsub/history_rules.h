/* The rules of a history: how much is kept of the topics with a prefix. The longest prefix of a topic counts. */
#ifndef JAZZY_PUBSUB_HISTORY_RULES_H
#define JAZZY_PUBSUB_HISTORY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "jazzy/history.h"

typedef struct jz_history_rule {
    jz_text prefix; /* owned */
    uint64_t head;  /* its first eight bytes, or what it has of them, */
    uint64_t mask;  /* and which bits these are: so most topics are told apart without looking further */
    uint32_t keep;
    uint32_t ticks; /* how long, in ticks of the timers */
    size_t bytes;
    jz_history_options options; /* as it was asked for */
} jz_history_rule;

/* All zero: none. */
typedef struct jz_history_rules {
    size_t count;
    jz_history_rule all[JZ_MAX_HISTORIES]; /* the longest prefix first */
} jz_history_rules;

/* There has to be room. False when there is no memory. */
bool jz_history_rules_add(jz_history_rules *rules, jz_text prefix, const jz_history_options *options);

/* Whether there is one for exactly this prefix. */
bool jz_history_rules_have(const jz_history_rules *rules, jz_text prefix);

/* The number of the rule for a topic; -1: there is none. */
int jz_history_rules_find(const jz_history_rules *rules, jz_text topic);

void jz_history_rules_free(jz_history_rules *rules);

#endif
