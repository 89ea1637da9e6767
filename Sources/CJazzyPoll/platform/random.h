/* A number that a peer cannot guess. */
#ifndef JAZZY_PLATFORM_RANDOM_H
#define JAZZY_PLATFORM_RANDOM_H

#include <stdint.h>

uint64_t jz_random(void);

#endif
