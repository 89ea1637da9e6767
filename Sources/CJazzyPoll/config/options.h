/*
 * config/: what is chosen before a server runs: options, routes, log. Not here: anything that changes later.
 *
 * Options: checking them, and copying them.
 */
#ifndef JAZZY_CONFIG_OPTIONS_H
#define JAZZY_CONFIG_OPTIONS_H

#include <stdbool.h>

#include "codec/address.h"
#include "jazzy/error.h"
#include "jazzy/options.h"

/* Check every option. */
jz_status jz_options_check(const jz_options *options, jz_error *error);
jz_status jz_route_options_check(const jz_route_options *options, jz_error *error);

/* Parses the options->trusted_proxy_count trusted proxies into as many networks. */
jz_status jz_options_parse_proxies(const jz_options *options, jz_network *networks, jz_error *error);

/*
 * Makes the options that a route keeps: with copies of the lists, and the server's value where the route has none.
 * False when there is no memory: nothing was changed.
 */
bool jz_route_options_adopt(jz_route_options *kept, const jz_route_options *given, const jz_options *server);

#endif
