#include "config/routes.h"

#include <stdlib.h>
#include <string.h>

#include "config/strings.h"

/* A route may lead nowhere if adding its handler or page failed. */
static bool leads_somewhere(const struct jz_route *route)
{
    return route->handler != NULL || jz_route_has_page(route);
}

static int compare(jz_text a, const struct jz_route *route)
{
    if (a.length != route->path_length)
        return a.length < route->path_length ? -1 : 1;
    return memcmp(a.start, route->path, a.length);
}

/* The position of the first route without parameters whose path is not less than `path`. */
static size_t position_of(const jz_routes *routes, jz_text path)
{
    size_t low = 0;
    size_t high = routes->exact_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(path, routes->routes[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const jz_routes *routes, size_t position, jz_text path)
{
    return position < routes->exact_count && compare(path, routes->routes[position]) == 0;
}

const struct jz_route *jz_routes_find_exact(const jz_routes *routes, jz_text path)
{
    size_t position = position_of(routes, path);
    return is_at(routes, position, path) && leads_somewhere(routes->routes[position]) ? routes->routes[position] : NULL;
}

const struct jz_route *jz_routes_find(const jz_routes *routes, jz_text path, jz_route_parameters *parameters)
{
    const struct jz_route *exact = jz_routes_find_exact(routes, path);
    parameters->count = 0;
    if (exact != NULL)
        return exact;
    for (size_t i = routes->exact_count; i < routes->count; i++) {
        const struct jz_route *route = routes->routes[i];
        if (leads_somewhere(route) && jz_route_pattern_match(route->path, path, parameters))
            return route;
    }
    return NULL;
}

static void free_page(jz_page *page)
{
    if (page == NULL)
        return;
    free(page->content_type);
    free(page->body);
    free(page);
}

static void free_route(struct jz_route *route)
{
    if (route == NULL)
        return;
    free_page(route->page);
    jz_files_free(route->files);
    jz_strings_free(route->options.allowed_origins, route->options.allowed_origin_count);
    jz_strings_free(route->options.subprotocols, route->options.subprotocol_count);
    free(route->has_refused_origin);
    free(route->path);
    free(route);
}

/* The position of the first route with a catch-all, behind all others. */
static size_t first_catch_all(const jz_routes *routes)
{
    return routes->count - routes->catch_all_count;
}

static struct jz_route *find_same_pattern(const jz_routes *routes, const char *path)
{
    for (size_t i = routes->exact_count; i < routes->count; i++) {
        if (jz_route_pattern_is_same(routes->routes[i]->path, path))
            return routes->routes[i];
    }
    return NULL;
}

/* Adds a route at this position. NULL when there is no memory. */
static struct jz_route *insert(jz_routes *routes, size_t position, jz_text path)
{
    struct jz_route *route = calloc(1, sizeof *route);
    char *copy = jz_string_copy(path);
    struct jz_route **grown = realloc(routes->routes, (routes->count + 1) * sizeof *grown);
    if (grown != NULL)
        routes->routes = grown;
    _Atomic bool *has_refused_origin = calloc(1, sizeof *has_refused_origin);
    if (route == NULL || copy == NULL || grown == NULL || has_refused_origin == NULL) {
        free(has_refused_origin);
        free(copy);
        free(route);
        return NULL;
    }
    route->path = copy;
    route->has_refused_origin = has_refused_origin;
    route->path_length = path.length;
    route->number = routes->count;
    memmove(grown + position + 1, grown + position, (routes->count - position) * sizeof *grown);
    grown[position] = route;
    routes->count++;
    return route;
}

const struct jz_route *jz_routes_find_covering(const jz_routes *routes, const char *pattern)
{
    if (!jz_route_pattern_has_parameters(pattern) || jz_route_pattern_has_catch_all(pattern) ||
        find_same_pattern(routes, pattern) != NULL)
        return NULL;
    for (size_t i = routes->exact_count; i < first_catch_all(routes); i++) {
        const struct jz_route *route = routes->routes[i];
        if (leads_somewhere(route) && jz_route_pattern_covers(route->path, pattern))
            return route;
    }
    return NULL;
}

static struct jz_route *add_catch_all(jz_routes *routes, const char *path)
{
    size_t position = first_catch_all(routes);
    while (position < routes->count && !jz_route_pattern_goes_before(path, routes->routes[position]->path))
        position++;
    struct jz_route *route = insert(routes, position, jz_text_of(path));
    if (route != NULL)
        routes->catch_all_count++;
    return route;
}

static struct jz_route *add_pattern(jz_routes *routes, const char *path)
{
    struct jz_route *same = find_same_pattern(routes, path);
    if (same != NULL)
        return same;
    return jz_route_pattern_has_catch_all(path) ? add_catch_all(routes, path)
                                                : insert(routes, first_catch_all(routes), jz_text_of(path));
}

struct jz_route *jz_routes_add(jz_routes *routes, const char *path)
{
    if (jz_route_pattern_has_parameters(path))
        return add_pattern(routes, path);
    jz_text text = jz_text_of(path);
    size_t position = position_of(routes, text);
    if (is_at(routes, position, text))
        return routes->routes[position];
    struct jz_route *route = insert(routes, position, text);
    if (route != NULL)
        routes->exact_count++;
    return route;
}

static size_t numbers_of(const struct jz_route *route)
{
    return route->first_number > 0 ? 1 + route->options.subprotocol_count : 0;
}

size_t jz_routes_count_numbers(const jz_routes *routes)
{
    size_t count = 0;
    for (size_t i = 0; i < routes->count; i++)
        count += numbers_of(routes->routes[i]);
    return count;
}

const struct jz_route *jz_routes_find_number(const jz_routes *routes, size_t number)
{
    for (size_t i = 0; i < routes->count; i++) {
        const struct jz_route *route = routes->routes[i];
        if (number >= route->first_number && number - route->first_number < numbers_of(route))
            return route;
    }
    return NULL;
}

uint16_t jz_route_number_of(const jz_route *route, jz_text subprotocol)
{
    for (size_t i = 0; i < route->options.subprotocol_count; i++) {
        if (jz_text_equals(subprotocol, jz_text_of(route->options.subprotocols[i])))
            return (uint16_t)(route->first_number + 1 + i);
    }
    return (uint16_t)route->first_number;
}

const char *jz_route_subprotocol_of(const jz_route *route, size_t number)
{
    return number > route->first_number ? route->options.subprotocols[number - route->first_number - 1] : "";
}

jz_page *jz_page_create(const char *content_type, const void *body, size_t length)
{
    jz_page *page = calloc(1, sizeof *page);
    if (page == NULL)
        return NULL;
    page->content_type = jz_string_copy(jz_text_of(content_type));
    page->body = malloc(length > 0 ? length : 1);
    page->length = length;
    if (page->content_type == NULL || page->body == NULL) {
        free_page(page);
        return NULL;
    }
    if (length > 0)
        memcpy(page->body, body, length);
    return page;
}

bool jz_routes_need_workers(const jz_routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        const jz_route *route = routes->routes[i];
        if (route->options.execution == JZ_EXECUTION_WORKERS || route->page_options.execution == JZ_EXECUTION_WORKERS)
            return true;
    }
    return false;
}

bool jz_routes_have_files(const jz_routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        if (routes->routes[i]->files != NULL)
            return true;
    }
    return false;
}

static struct jz_route *find_next_number(const jz_routes *routes, size_t after)
{
    struct jz_route *next = NULL;
    for (size_t i = 0; i < routes->count; i++) {
        struct jz_route *route = routes->routes[i];
        if (route->first_number > after && (next == NULL || route->first_number < next->first_number))
            next = route;
    }
    return next;
}

bool jz_routes_measure(jz_routes *routes)
{
    if (routes->measures == NULL)
        routes->measures = calloc(JZ_MOST_MEASURED_ROUTES + 1, sizeof *routes->measures);
    if (routes->measures == NULL)
        return false;
    size_t number = 0;
    routes->measures[JZ_MOST_MEASURED_ROUTES].route = "others";
    for (size_t i = 0; i < routes->count; i++)
        routes->routes[i]->measures = &routes->measures[JZ_MOST_MEASURED_ROUTES];
    for (size_t i = 0; i < JZ_MOST_MEASURED_ROUTES; i++) {
        struct jz_route *route = find_next_number(routes, number);
        if (route == NULL)
            break;
        route->measures = &routes->measures[i];
        route->measures->route = route->path;
        routes->measured_count = i + 1;
        number = route->first_number;
    }
    if (find_next_number(routes, number) != NULL)
        routes->measured_count = JZ_MOST_MEASURED_ROUTES + 1;
    return true;
}

void jz_routes_free(jz_routes *routes)
{
    for (size_t i = 0; i < routes->count; i++)
        free_route(routes->routes[i]);
    free_page(routes->not_found);
    free(routes->measures);
    free(routes->routes);
    *routes = (jz_routes){0};
}
