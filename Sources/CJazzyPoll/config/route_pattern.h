/* Paths of routes with parameters: in "/room/:id" the segment ":id" stands for any one segment that is not empty. */
#ifndef JAZZY_CONFIG_ROUTE_PATTERN_H
#define JAZZY_CONFIG_ROUTE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

enum { JZ_MAX_PARAMETERS = 16 };

/* What a request's path has in place of a pattern's parameters, in their order. */
typedef struct jz_route_parameters {
    size_t count;
    struct {
        jz_text name;  /* points into the pattern */
        jz_text value; /* points into the path */
    } all[JZ_MAX_PARAMETERS];
} jz_route_parameters;

/*
 * Whether a request can have such a path: there is no '?', '#', white space, NUL or dot segment, and every '%' begins
 * an escape. And whether its parameters are well-formed: each is a whole segment, and has a name of letters, digits and
 * '_' that no other has; there are at most JZ_MAX_PARAMETERS. If not, `*why` says what has to be; it is static.
 */
bool jz_route_pattern_is_valid(const char *path, const char **why);

/* Whether a path has parameters. */
bool jz_route_pattern_has_parameters(const char *path);

/* Whether a pattern that is valid matches a request's path. Fills in the parameters where it does. */
bool jz_route_pattern_match(const char *pattern, jz_text path, jz_route_parameters *parameters);

/* Whether two patterns match the same paths: they are equal but for the names of parameters. */
bool jz_route_pattern_is_same(const char *a, const char *b);

/* The fewest bytes that a path has which a pattern matches. */
size_t jz_route_pattern_shortest_path(const char *pattern);

/* Whether a pattern matches every path that another does. Both are valid and normal. */
bool jz_route_pattern_covers(const char *general, const char *special);

#endif
