/* How many cores this process may use. */
#ifndef JAZZY_PLATFORM_CORES_H
#define JAZZY_PLATFORM_CORES_H

#include <stdint.h>

/* At least 1. */
uint32_t jz_core_count(void);

#endif
