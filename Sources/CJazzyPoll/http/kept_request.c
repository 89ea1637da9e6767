#include "http/kept_request.h"

#include <stdlib.h>
#include <string.h>

#include "codec/path.h"
#include "http/lookup.h"
#include "http/request.h"

/* A request with all that it has beside its head. */
typedef struct jz_whole_request {
    jz_request request; /* first, so that a pointer to it is one to the block */
    jz_request_head head;
    jz_route_parameters parameters;
    char path[]; /* room for the path, decoded */
} jz_whole_request;

/* This is followed by the route's path with a NUL, and by the head. */
struct jz_kept_request {
    jz_request_source source; /* refers to what follows; owns its properties: */
    jz_properties *properties;
    char route[];
};

jz_request *jz_request_again(const jz_request_source *source)
{
    /* The server's own limits were checked when the head came. */
    static const jz_head_limits limits = {.max_length = JZ_MAX_HEAD_LENGTH, .max_headers = JZ_MAX_HEADERS};
    const char *route = source->route;
    bool has_parameters = jz_route_pattern_has_parameters(route);
    size_t room = has_parameters ? JZ_NORMAL_PATH_SIZE(source->head.length) : 0;
    jz_whole_request *whole = malloc(sizeof *whole + room);
    if (whole == NULL)
        return NULL;
    /* It did not fail before. */
    (void)jz_request_head_parse(source->head.start, source->head.length, &limits, &whole->head);
    whole->parameters.count = 0;
    if (has_parameters)
        jz_lookup_parameters(route, whole->head.path, whole->path, &whole->parameters);
    whole->request = (jz_request){.head = &whole->head,
                                  .parameters = &whole->parameters,
                                  .client = source->client,
                                  .route = route,
                                  .is_secure = source->is_secure,
                                  .is_passed_on = source->is_passed_on,
                                  .properties = source->properties};
    return &whole->request;
}

jz_kept_request *jz_request_keep(const jz_request_source *source)
{
    size_t route_size = strlen(source->route) + 1;
    jz_properties *properties = jz_properties_copy(source->properties);
    jz_kept_request *kept = malloc(sizeof *kept + route_size + source->head.length);
    if (kept == NULL || (properties == NULL && source->properties != NULL)) {
        free(properties);
        free(kept);
        return NULL;
    }
    kept->source = *source;
    kept->source.head.start = memcpy(kept->route + route_size, source->head.start, source->head.length);
    kept->source.route = memcpy(kept->route, source->route, route_size);
    kept->source.properties = kept->properties = properties;
    return kept;
}

jz_request *jz_kept_request_parse(const jz_kept_request *kept)
{
    return jz_request_again(&kept->source);
}

void jz_kept_request_free(jz_kept_request *kept)
{
    if (kept != NULL)
        free(kept->properties);
    free(kept);
}

void jz_request_free(jz_request *request)
{
    free(request);
}
