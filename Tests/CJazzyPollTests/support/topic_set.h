/* The topics that a broker was told of: checks its calls, without using any data of the server. */
#ifndef JAZZY_TESTS_TOPIC_SET_H
#define JAZZY_TESTS_TOPIC_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "pubsub/hash_table.h"

typedef struct topic_set {
    jz_hash_table table;
} topic_set;

void topic_set_init(topic_set *set);
void topic_set_clear(topic_set *set);

/* False: it was there. */
bool topic_set_add(topic_set *set, const char *topic, size_t length);

/* False: it was not there. */
bool topic_set_remove(topic_set *set, const char *topic, size_t length);

bool topic_set_has(const topic_set *set, const char *topic, size_t length);

#endif
