/* A number that a peer cannot guess. */
#ifndef JAZZY_LOOP_RANDOM_H
#define JAZZY_LOOP_RANDOM_H

#include <stdint.h>

uint64_t jz_random(void);

#endif
