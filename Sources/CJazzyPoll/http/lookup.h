/* Finds the route of a request's path, and the values of the route's parameters. */
#ifndef JAZZY_HTTP_LOOKUP_H
#define JAZZY_HTTP_LOOKUP_H

#include <stdbool.h>

#include "codec/text.h"
#include "config/routes.h"

typedef struct jz_lookup {
    const jz_route *route;          /* NULL if there is none */
    jz_route_parameters parameters; /* if there is a route; the values are decoded */
    const char *fault;              /* what is wrong with the path, and what was expected; NULL if nothing */
    char *decoded;                  /* memory of the values, if the path had to be normalised or decoded */
} jz_lookup;

/*
 * Finds the route of a path as a client sent it, in any equivalent spelling (RFC 3986 §6.2.2). False when there is no
 * memory. Free the result with jz_lookup_free.
 */
bool jz_lookup_route(const jz_routes *routes, jz_text path, jz_lookup *lookup);
void jz_lookup_free(jz_lookup *lookup);

/*
 * The values of a route's parameters in a path that led to the route, decoded. `decoded` has room for
 * JZ_NORMAL_PATH_SIZE(path.length) bytes, to which the values refer.
 */
void jz_lookup_parameters(const char *route, jz_text path, char *decoded, jz_route_parameters *parameters);

#endif
