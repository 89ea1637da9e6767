/* From the path of a request to its route, and to the values of the route's parameters. */
#ifndef JAZZY_HTTP_LOOKUP_H
#define JAZZY_HTTP_LOOKUP_H

#include <stdbool.h>

#include "codec/text.h"
#include "config/routes.h"

typedef struct jz_lookup {
    const jz_route *route;          /* NULL where there is none */
    jz_route_parameters parameters; /* where there is one; the values are decoded */
    const char *fault;              /* what is wrong with the path, and what was expected; NULL where nothing is */
    char *decoded;                  /* in which the values lie, where the path is not as it is decoded */
} jz_lookup;

/*
 * Finds the route of a path that a client sent, in whichever of the equivalent ways of writing it (RFC 3986 §6.2.2).
 * False when there is no memory. Free what was found.
 */
bool jz_lookup_route(const jz_routes *routes, jz_text path, jz_lookup *lookup);
void jz_lookup_free(jz_lookup *lookup);

#endif
