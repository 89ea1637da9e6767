/* Whether a client may read a page for operators (jazzy/audience.h). */
#ifndef JAZZY_HTTP_AUDIENCE_H
#define JAZZY_HTTP_AUDIENCE_H

#include "connection/connection.h"
#include "http/request.h"
#include "jazzy/audience.h"
#include "shard/shard.h"

/* Whether the request is one of this audience. */
bool jz_audience_admits(const jz_audience *audience, const jz_request *request);

/* What a client is told that is not admitted: a clause, static. */
const char *jz_audience_objection(const jz_audience *audience);

typedef enum jz_admittance {
    JZ_ADMITTED, /* also where the route has no audience */
    JZ_KEPT_OUT,
    JZ_CLIENT_UNKNOWN /* it is not known who the client is, and it has been refused for that */
} jz_admittance;

/* The same for a request for a route's page. */
jz_admittance jz_audience_judge(jz_shard *shard, jz_connection *connection, const jz_route *route,
                                const jz_request_head *head, const jz_route_parameters *parameters);

#endif
