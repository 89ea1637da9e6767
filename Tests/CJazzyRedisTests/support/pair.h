/* What most tests here begin with: a Redis of their own, and two servers that share their topics through it. */
#ifndef JAZZY_REDIS_TESTS_PAIR_H
#define JAZZY_REDIS_TESTS_PAIR_H

#include "support/node.h"
#include "support/redis_server.h"

extern redis_server redis;
extern node here;
extern node there;

/* A test's set-up and tear-down: Redis runs. */
int pair_set_up(void **state);
int pair_tear_down(void **state);

/* Both servers, with the options of every test. */
void start_both(void);
void finish_both(void);

#endif
