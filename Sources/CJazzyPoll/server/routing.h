/* Adding routes of any kind to a server. */
#ifndef JAZZY_SERVER_ROUTING_H
#define JAZZY_SERVER_ROUTING_H

#include "config/routes.h"
#include "shard/server.h"

/* INVALID_STATE if the server runs already. */
jz_status jz_server_require_time_for_routes(jz_server *server, jz_error *error);

/* Checks the path and the state, and finds or adds the route. */
jz_status jz_server_add_route(jz_server *server, const char *path, jz_route **route, jz_error *error);

/* Lets only these clients read the page with this path, which was registered before. */
jz_status jz_server_limit_page(jz_server *server, const char *path, const jz_audience *audience, jz_error *error);

#endif
