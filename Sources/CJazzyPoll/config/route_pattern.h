/* Paths of routes with parameters: in "/room/:id" the segment ":id" matches any one non-empty segment. */
#ifndef JAZZY_CONFIG_ROUTE_PATTERN_H
#define JAZZY_CONFIG_ROUTE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

enum { JZ_MAX_PARAMETERS = 16 };

/* The values of a pattern's parameters in a request's path, in order. */
typedef struct jz_route_parameters {
    size_t count;
    struct {
        jz_text name;  /* points into the pattern */
        jz_text value; /* points into the path */
    } all[JZ_MAX_PARAMETERS];
} jz_route_parameters;

/*
 * Whether a request can have such a path: it has no '?', '#', white space, NUL or dot segment, and every '%' begins an
 * escape. Also whether its parameters are well-formed: each is a whole segment, with a unique name of letters, digits
 * and '_'; there are at most JZ_MAX_PARAMETERS. If not, `*why` says what is required; it is static.
 */
bool jz_route_pattern_is_valid(const char *path, const char **why);

/* Whether a path has parameters. */
bool jz_route_pattern_has_parameters(const char *path);

/* Whether a valid pattern matches a request's path. If so, fills in the parameters. */
bool jz_route_pattern_match(const char *pattern, jz_text path, jz_route_parameters *parameters);

/* Whether two patterns match the same paths: they differ at most in the names of parameters. */
bool jz_route_pattern_is_same(const char *a, const char *b);

/* The length in bytes of the shortest path that a pattern matches. */
size_t jz_route_pattern_shortest_path(const char *pattern);

/* Whether `general` matches every path that `special` matches. Both are valid and normal. */
bool jz_route_pattern_covers(const char *general, const char *special);

#endif
