/* A server that runs on a free port of 127.0.0.1, with one WebSocket route, "/", that writes a journal. */
#ifndef JAZZY_TESTS_SERVED_H
#define JAZZY_TESTS_SERVED_H

#include "journal.h"

typedef struct served {
    jz_server *server;
    uint16_t port;
    journal journal;
} served;

/* The defaults, but one thread: one loop, so that everything happens in one order. */
jz_options served_options(void);

/* `options` NULL: these; `route` NULL: the defaults. The journal must be all zero, except for what it should do. */
void served_start(served *served, const jz_options *options, const jz_route_options *route);

/* Stops the server in order, which closes every connection that is left, and destroys it. */
void served_finish(served *served);

#endif
