/* Whether a server is alive, and whether it should get new clients. */
#ifndef JAZZY_SERVER_HEALTH_H
#define JAZZY_SERVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/server.h"

typedef struct jz_health {
    bool is_live;
    bool is_ready;
    const char *state; /* "running", "draining", "stopping" or "stuck" */
} jz_health;

/* From any thread. */
jz_health jz_health_of(const jz_server *server);

/* The same for what is known of a server. `lag_ns`: how long the slowest loop has been in its current iteration. */
jz_health jz_health_judge(bool stops, bool drains, uint64_t lag_ns);

#endif
