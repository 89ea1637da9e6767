/* Numbers that nobody can guess. From any thread. */
#ifndef JAZZY_REDIS_TABLES_RANDOM_H
#define JAZZY_REDIS_TABLES_RANDOM_H

#include <stdint.h>

uint64_t jz_redis_random(void);

#endif
