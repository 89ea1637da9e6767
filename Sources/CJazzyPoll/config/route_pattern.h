/*
 * Paths of routes with parameters. In "/room/:id" the segment ":id" matches any one non-empty segment. A
 * last segment such as "*rest" is a catch-all: behind "/files/" it matches one or more segments, all that is left of
 * the path.
 *
 * The first segment that a catch-all matches is not empty, and none of them has an encoded slash. So its decoded value
 * has the segments that the path has, none of which is "." or "..", and never looks like an absolute path.
 */
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
 * escape. Also whether its parameters and its catch-all are well-formed: each is a whole segment, with a unique name of
 * letters, digits and '_'; there are at most JZ_MAX_PARAMETERS, and nothing behind a catch-all. If not, `*why` says
 * what is required; it is static.
 */
bool jz_route_pattern_is_valid(const char *path, const char **why);

/* Whether a valid path has parameters, or a catch-all, which counts as one; and whether it has a catch-all. */
bool jz_route_pattern_has_parameters(const char *path);
bool jz_route_pattern_has_catch_all(const char *path);

/* Whether a valid pattern matches a request's path. If so, fills in the parameters. */
bool jz_route_pattern_match(const char *pattern, jz_text path, jz_route_parameters *parameters);

/* Whether two valid patterns match the same paths: they differ at most in the names of parameters. */
bool jz_route_pattern_is_same(const char *a, const char *b);

/* The length in bytes of the shortest path that a pattern matches. */
size_t jz_route_pattern_shortest_path(const char *pattern);

/* Whether `general` matches every path that `special` matches. Both are valid and normal, and have no catch-all. */
bool jz_route_pattern_covers(const char *general, const char *special);

/*
 * Whether `a` is tried before `b`: at the first segment where they differ it has a text and `b` has none, or it has a
 * parameter where `b` has its catch-all. So the longest prefix goes first. Texts that differ have some order, too. Both
 * are valid, and have a catch-all.
 */
bool jz_route_pattern_goes_before(const char *a, const char *b);

#endif
