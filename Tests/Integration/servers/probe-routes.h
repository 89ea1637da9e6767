/* The routes of the probe server: behaviour that the integration tests ask for and the benchmark servers do not show.
 */
#ifndef PROBE_ROUTES_H
#define PROBE_ROUTES_H

#include <jazzy.h>

/* Registers every route, with these options, and every page. Returns JZ_OK, or another status with `error` filled in.
 */
jz_status probe_register_routes(jz_server *server, const jz_route_options *options, jz_error *error);

#endif
