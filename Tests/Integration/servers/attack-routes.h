/* Routes whose handlers do what handlers had better not do, and routes that limit the rate of messages. */
#ifndef PROBE_ATTACK_ROUTES_H
#define PROBE_ATTACK_ROUTES_H

#include <jazzy.h>

/* Registers them all. Returns JZ_OK, or another status with `error` filled in. `server` has to outlive its running. */
jz_status attack_register_routes(jz_server *server, jz_error *error);

#endif
