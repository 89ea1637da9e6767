/* The routes of the measured servers. */
#ifndef JAZZY_BENCH_ROUTES_H
#define JAZZY_BENCH_ROUTES_H

#include <jazzy.h>

/* /echo returns each message unchanged, /fan sends each message to every connection of the route. */
jz_status bench_add_routes(jz_server **server, const jz_route_options *options, jz_error *error);

/* The same, but each message takes a millisecond in which the handler waits: /slow on the loop, /slow-worker. */
jz_status bench_add_slow_routes(jz_server *server, jz_error *error);

#endif
