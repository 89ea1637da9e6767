/* Requests that were answered already, from copies of their heads. */
#ifndef JAZZY_HTTP_KEPT_REQUEST_H
#define JAZZY_HTTP_KEPT_REQUEST_H

#include "codec/address.h"
#include "codec/text.h"
#include "jazzy/request.h"

/*
 * Parses the head of a request for a route's path once more; it refers to both. NULL when there is no memory. The
 * result is one block of memory, to be freed with `free`.
 */
jz_request *jz_request_again(jz_text head, const char *route, const jz_address *client);

/* Copies a head and a route's path. NULL when there is no memory. */
jz_kept_request *jz_request_keep(jz_text head, const char *route, const jz_address *client);

#endif
