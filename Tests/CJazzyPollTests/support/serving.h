/* Servers that run on free ports of 127.0.0.1, with the routes of a test. */
#ifndef JAZZY_TESTS_SERVING_H
#define JAZZY_TESTS_SERVING_H

#include <stddef.h>
#include <stdint.h>

#include "jazzy.h"
#include "jazzy/broker.h"

typedef struct serving_route {
    const char *path;
    jz_handler handler;
    void *context;
    const jz_route_options *options; /* NULL: the defaults */
} serving_route;

/* The defaults, but that many loops, over which connections are spread evenly, and receive buffers of 16 KiB. */
jz_options serving_options(uint32_t threads);

/* Asserts that it succeeds. The caller destroys the server. */
jz_server *serving_start(const jz_options *options, const serving_route *routes, size_t count);

/*
 * The same with one route, and a history of all topics that begin with "room/"; by a broker, or NULL. `kept`: NULL for
 * the defaults.
 */
jz_server *serving_start_with_history(const jz_options *options, const jz_broker *broker,
                                      const jz_history_options *kept, const serving_route *route);

/* How many descriptors this process has open. */
size_t serving_descriptors(void);

/* Lets so much time pass by the clock (clock.h), and a server's only loop end what is over then. */
void serving_let_pass(jz_server *server, uint64_t by_ms);

#endif
