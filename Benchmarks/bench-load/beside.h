/* What disturbs a server while messages are sent to it by the clock. It never waits, and takes little time at once. */
#ifndef JAZZY_BENCH_BESIDE_H
#define JAZZY_BENCH_BESIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

typedef struct beside beside;

/* As the settings say, perhaps nothing; others connect for so many seconds. */
beside *beside_create(const settings *settings, double seconds);

/* A small step of each. `now`: by clock_ns. Ends the program if the server fails one of them. */
void beside_step(beside *beside, uint64_t now);

/* Whether all others have connected, and of the rest each was answered. */
bool beside_is_done(const beside *beside);

/* Ends all connections. Returns how many others have connected. */
size_t beside_end(beside *beside);

#endif
