/*
 * The routes of a server, found by path: exact paths first, then patterns in the order of registration, then patterns
 * with a catch-all, those with the longest prefix first.
 */
#ifndef JAZZY_CONFIG_ROUTES_H
#define JAZZY_CONFIG_ROUTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "config/files.h"
#include "jazzy/audience.h"
#include "jazzy/page.h"
#include "jazzy/server.h"
#include "config/measures.h"
#include "config/route_pattern.h"

/* A page that is served from memory. */
typedef struct jz_page {
    char *content_type;
    uint8_t *body;
    size_t length;
} jz_page;

/* What a path leads to: a page, a WebSocket handler, or both. */
typedef struct jz_route {
    char *path; /* a path, or a pattern with parameters; normal (codec/path.h) */
    size_t path_length;
    size_t number;      /* from 0, in the order in which routes were added */
    jz_handler handler; /* NULL: no WebSocket here */
    void *context;
    bool is_plain;            /* its handler gets every message at once: it runs on the loop, and no rate is limited */
    jz_route_options options; /* complete: defaults of the server are filled in; the lists are copies, see strings.h */
    size_t first_number;      /* of its connections: see jz_routes_find_number; 0: no WebSocket here */
    jz_page *page;            /* NULL: no page with fixed content here */
    jz_page_handler page_handler; /* NULL: no page that is made for each request */
    void *page_context;
    jz_files *files;                  /* NULL: no page that is a file */
    jz_audience audience;             /* of the page, */
    bool has_audience;                /* if it is not for everybody */
    jz_page_options page_options;     /* complete, like `options` */
    _Atomic bool *has_refused_origin; /* and logged how to allow that origin */
    jz_route_measures *measures;      /* NULL: nothing is measured. Further routes share those of the last one. */
} jz_route;

/* Whether there is a page of any kind. */
static inline bool jz_route_has_page(const jz_route *route)
{
    return route->page != NULL || route->page_handler != NULL || route->files != NULL;
}

/* Releases a connection's state. NULL does nothing. */
static inline void jz_route_release_state(const jz_route *route, void *state)
{
    if (state != NULL && route->options.release_state != NULL)
        route->options.release_state(state);
}

/* All zero: no routes. */
typedef struct jz_routes {
    struct jz_route **routes; /* those without parameters, sorted by path; then the patterns in the order in which they
                                 were added; then those with a catch-all, longest prefix first */
    size_t count;
    size_t exact_count;          /* those without parameters */
    size_t catch_all_count;      /* those with a catch-all */
    jz_page *not_found;          /* for paths that lead nowhere; NULL: a short text */
    jz_route_measures *measures; /* NULL: nothing is measured */
    size_t measured_count;       /* how many of them are used */
} jz_routes;

/*
 * The route with exactly this path, which must be normal (codec/path.h); patterns do not count. NULL if there is none.
 */
const struct jz_route *jz_routes_find_exact(const jz_routes *routes, jz_text path);

/* The same, patterns included. Fills in `parameters` if there is a route. */
const struct jz_route *jz_routes_find(const jz_routes *routes, jz_text path, jz_route_parameters *parameters);

/*
 * The pattern that hides `pattern`, because it was added before and matches all of its paths, and more; NULL if there
 * is none. Paths without parameters are never hidden: they come before all patterns. Neither are catch-alls: each
 * matches paths with more segments than any pattern before it.
 */
const struct jz_route *jz_routes_find_covering(const jz_routes *routes, const char *pattern);

/*
 * Finds or adds the route of a path that begins with '/' and is a valid pattern; copies the path. Also finds a pattern
 * that differs only in the names of parameters: the route's path then differs. NULL when there is no memory.
 */
struct jz_route *jz_routes_add(jz_routes *routes, const char *path);

/*
 * A number says which route a connection has, and which subprotocol: each WebSocket route has `first_number` for
 * connections whose subprotocol it does not list, and the next ones for each that it lists. From 1 to JZ_MAX_NUMBER.
 */
#define JZ_MAX_NUMBER UINT16_MAX

/* How many numbers are taken. */
size_t jz_routes_count_numbers(const jz_routes *routes);

/* The route with a number that is taken. */
const struct jz_route *jz_routes_find_number(const jz_routes *routes, size_t number);

/* The number of connections of a route with this subprotocol. */
uint16_t jz_route_number_of(const jz_route *route, jz_text subprotocol);

/* The subprotocol of a number of this route; "" if the route does not list it. */
const char *jz_route_subprotocol_of(const jz_route *route, size_t number);

/* Copies a page. NULL when there is no memory. */
jz_page *jz_page_create(const char *content_type, const void *body, size_t length);

/* Whether any route runs on workers, and whether any has files. */
bool jz_routes_need_workers(const jz_routes *routes);
bool jz_routes_have_files(const jz_routes *routes);

/*
 * Lets the handlers and WebSockets of all routes be measured. False when there is no memory; it may be tried again.
 * `measures` is then an array of JZ_MOST_MEASURED_ROUTES + 1: of the first routes with a WebSocket, in the order in
 * which they were added, and of all others.
 */
bool jz_routes_measure(jz_routes *routes);

void jz_routes_free(jz_routes *routes);

#endif
