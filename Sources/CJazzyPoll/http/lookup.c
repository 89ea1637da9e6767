#include "http/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "codec/path.h"
#include "codec/query.h"

static bool has_escapes(jz_text path)
{
    return memchr(path.start, '%', path.length) != NULL;
}

/* In a normal path every '%' begins an escape. */
static bool has_nul(jz_text path)
{
    jz_text before;
    while (jz_text_take_until(&path, '%', &before)) {
        if (path.start[0] == '0' && path.start[1] == '0')
            return true;
    }
    return false;
}

/* Whether an asterisk begins a segment there: in a route it would begin a catch-all, and is written as an escape. */
static bool is_first_asterisk(const char *path, size_t position)
{
    return position > 0 && path[position] == '*' && path[position - 1] == '/';
}

/* Writes such asterisks of a normal path as routes have them. There is room: each was one byte of the path as sent. */
static size_t escape_first_asterisks(char *path, size_t length)
{
    size_t escaped = length;
    for (size_t i = 0; i < length; i++)
        escaped += is_first_asterisk(path, i) ? 2 : 0;
    for (size_t from = length, to = escaped; to > from;) {
        from--;
        if (is_first_asterisk(path, from))
            memcpy(path + (to -= 3), "%2A", 3);
        else
            path[--to] = path[from];
    }
    return escaped;
}

/* Writes a path as those of routes are. `normal` has room for JZ_NORMAL_PATH_SIZE(path.length) bytes. */
static jz_text normalise(jz_text path, char *normal)
{
    return (jz_text){normal, escape_first_asterisks(normal, jz_path_normalise(path, normal))};
}

/* Decodes the values in place, in `decoded`; they do not become longer. */
static void decode_parameters(jz_route_parameters *parameters, char *decoded)
{
    for (size_t i = 0; i < parameters->count; i++) {
        jz_text *value = &parameters->all[i].value;
        char *start = decoded + (value->start - decoded);
        /* Cannot fail: a normal path is well encoded. */
        (void)jz_percent_decode_text(*value, false, start, &value->length);
    }
}

bool jz_lookup_route(const jz_routes *routes, jz_text path, jz_lookup *lookup)
{
    *lookup = (jz_lookup){.route = jz_routes_find_exact(routes, path)};
    /* The routes' paths are normal, so a path that is found as sent need not be normalised. */
    if (lookup->route != NULL || path.start[0] != '/')
        return true;
    if (!jz_path_is_normal(path) || has_escapes(path) || memchr(path.start, '*', path.length) != NULL) {
        lookup->decoded = malloc(JZ_NORMAL_PATH_SIZE(path.length));
        if (lookup->decoded == NULL)
            return false;
        path = normalise(path, lookup->decoded);
    }
    if (has_nul(path))
        lookup->fault = "the path has a NUL, as %00";
    else
        lookup->route = jz_routes_find(routes, path, &lookup->parameters);
    if (lookup->route != NULL && lookup->decoded != NULL)
        decode_parameters(&lookup->parameters, lookup->decoded);
    return true;
}

void jz_lookup_free(jz_lookup *lookup)
{
    free(lookup->decoded);
}

void jz_lookup_parameters(const char *route, jz_text path, char *decoded, jz_route_parameters *parameters)
{
    path = normalise(path, decoded);
    if (jz_route_pattern_match(route, path, parameters))
        decode_parameters(parameters, decoded);
}
