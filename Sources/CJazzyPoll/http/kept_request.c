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

/* One block: this is followed by the route's path with a NUL, and by the head. */
struct jz_kept_request {
    jz_address client;
    size_t head_length;
    const char *head;
    char route[];
};

jz_request *jz_request_again(jz_text head, const char *route, const jz_address *client)
{
    /* The server's own limits were checked when the head came. */
    static const jz_head_limits limits = {.max_length = JZ_MAX_HEAD_LENGTH, .max_headers = JZ_MAX_HEADERS};
    bool has_parameters = jz_route_pattern_has_parameters(route);
    size_t room = has_parameters ? JZ_NORMAL_PATH_SIZE(head.length) : 0;
    jz_whole_request *whole = malloc(sizeof *whole + room);
    if (whole == NULL)
        return NULL;
    (void)jz_request_head_parse(head.start, head.length, &limits, &whole->head); /* it did not fail before */
    whole->parameters.count = 0;
    if (has_parameters)
        jz_lookup_parameters(route, whole->head.path, whole->path, &whole->parameters);
    whole->request =
        (jz_request){.head = &whole->head, .parameters = &whole->parameters, .client = *client, .route = route};
    return &whole->request;
}

jz_kept_request *jz_request_keep(jz_text head, const char *route, const jz_address *client)
{
    size_t route_size = strlen(route) + 1;
    jz_kept_request *kept = malloc(sizeof *kept + route_size + head.length);
    if (kept == NULL)
        return NULL;
    kept->client = *client;
    kept->head = memcpy(kept->route + route_size, head.start, head.length);
    kept->head_length = head.length;
    memcpy(kept->route, route, route_size);
    return kept;
}

jz_request *jz_kept_request_parse(const jz_kept_request *kept)
{
    return jz_request_again((jz_text){kept->head, kept->head_length}, kept->route, &kept->client);
}

void jz_kept_request_free(jz_kept_request *kept)
{
    free(kept);
}

void jz_request_free(jz_request *request)
{
    free(request);
}
