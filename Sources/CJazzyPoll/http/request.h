/* A request for a WebSocket, as the upgrade hook gets it. */
#ifndef JAZZY_HTTP_REQUEST_H
#define JAZZY_HTTP_REQUEST_H

#include "codec/address.h"
#include "codec/request_head.h"
#include "jazzy/request.h"
#include "config/route_pattern.h"
#include "transport/properties.h"

struct jz_request {
    const jz_request_head *head;
    const jz_route_parameters *parameters;
    jz_address client;
    const char *route; /* its path */
    bool is_secure;
    bool is_passed_on;               /* jz_client_is_passed_on */
    const jz_properties *properties; /* NULL: none */
};

#endif
