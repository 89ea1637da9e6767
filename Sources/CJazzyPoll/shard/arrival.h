/*
 * An accepted socket, or an adopted descriptor, that is not a connection yet: it was let in and counted where it was
 * accepted or adopted, and is on its way to its shard.
 */
#ifndef JAZZY_SHARD_ARRIVAL_H
#define JAZZY_SHARD_ARRIVAL_H

#include <stdbool.h>

#include "codec/address.h"
#include "jazzy/server.h"
#include "jazzy/statistics.h"

typedef struct jz_server jz_server;

typedef struct jz_arrival {
    int descriptor;
    jz_listen_options listening; /* of where it was accepted */
    bool counts_by_address;      /* in the server's admission */
    bool is_no_socket;           /* nothing comes but through its transport */
    bool is_adopted;             /* so that others may have it, too */
    jz_address address;          /* of the peer: a client, or a proxy */
} jz_arrival;

/* Lets it in, and counts it. Otherwise returns false, and why. From any thread. */
bool jz_arrival_let_in(jz_server *server, jz_arrival *arrival, jz_refusal *why);

/* It ended before it became a connection: removes it from the counts. From any thread. */
void jz_arrival_uncount(jz_server *server, const jz_arrival *arrival);

/* The server ends: removes it from the counts, and closes it. From any thread. */
void jz_arrival_give_up(jz_server *server, const jz_arrival *arrival);

#endif
