/* Options: checked, and kept. */
#ifndef JAZZY_CONFIG_OPTIONS_H
#define JAZZY_CONFIG_OPTIONS_H

#include <stdbool.h>

#include "codec/address.h"
#include "jazzy/error.h"
#include "jazzy/options.h"

/* These check every option. */
jz_status jz_options_check(const jz_options *options, jz_error *error);
jz_status jz_route_options_check(const jz_route_options *options, jz_error *error);

/* Reads the trusted proxies, of which there are options->trusted_proxy_count, into as many networks. */
jz_status jz_options_parse_proxies(const jz_options *options, jz_network *networks, jz_error *error);

/*
 * What a route keeps: copies of the lists, and the server's where an option is left to it. False when there is no
 * memory: nothing was changed.
 */
bool jz_route_options_adopt(jz_route_options *kept, const jz_route_options *given, const jz_options *server);

#endif
