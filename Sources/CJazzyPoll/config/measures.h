/*
 * Times that are measured for an operator, if the server has a page for metrics: of handlers, WebSockets and pings.
 * The first routes are measured each, all further ones together, so that the page does not grow without bounds.
 */
#ifndef JAZZY_CONFIG_MEASURES_H
#define JAZZY_CONFIG_MEASURES_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/compiler.h"
#include "loop/histogram.h"

enum { JZ_MOST_MEASURED_ROUTES = 64 };

/* Of one route, or of all routes behind the first. */
typedef struct jz_route_measures {
    const char *route;      /* its path, or "others" */
    jz_histogram handler;   /* of the messages that a jz_sampling takes, how long the handler took for one */
    jz_histogram websocket; /* from the open event to the close event */
} jz_route_measures;

extern const jz_bounds jz_handler_bounds;
extern const jz_bounds jz_websocket_bounds;
extern const jz_bounds jz_ping_bounds;
extern const jz_bounds jz_timer_bounds;

/* Takes about one of 64, at irregular intervals, so that no rhythm is missed. All zero: takes nearly none. */
typedef struct jz_sampling {
    uint32_t left;
    uint32_t seed;
} jz_sampling;

/* Takes the next one. */
static inline void jz_sampling_begin(jz_sampling *sampling)
{
    sampling->left = 1;
}

/* Private to jz_sampling_takes. */
void jz_sampling_renew(jz_sampling *sampling);

/* Two instructions for each that it does not take. */
static inline bool jz_sampling_takes(jz_sampling *sampling)
{
    if (JZ_LIKELY(--sampling->left != 0))
        return false;
    jz_sampling_renew(sampling);
    return true;
}

#endif
