/* Requests that were answered already, from copies of their heads. */
#ifndef JAZZY_HTTP_KEPT_REQUEST_H
#define JAZZY_HTTP_KEPT_REQUEST_H

#include "codec/address.h"
#include "codec/text.h"
#include "jazzy/request.h"
#include "transport/properties.h"

/* What a request is made of, borrowed. */
typedef struct jz_request_source {
    jz_text head;
    const char *route; /* its path */
    jz_address client;
    bool is_secure;
    bool is_passed_on;
    const jz_properties *properties; /* NULL: none */
} jz_request_source;

/*
 * Parses the head of a request once more; it refers to all of the source. NULL when there is no memory. The result is
 * one block of memory, to be freed with `free`.
 */
jz_request *jz_request_again(const jz_request_source *source);

/* Copies the source. NULL when there is no memory. */
jz_kept_request *jz_request_keep(const jz_request_source *source);

#endif
