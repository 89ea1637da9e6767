/*
 * A socket that was accepted, until it is a connection: let in and counted where it was accepted, and then on its way
 * to the shard that is to have it.
 */
#ifndef JAZZY_SHARD_ARRIVAL_H
#define JAZZY_SHARD_ARRIVAL_H

#include <stdbool.h>

#include "codec/address.h"
#include "jazzy/server.h"

typedef struct jz_server jz_server;

typedef struct jz_arrival {
    int descriptor;
    jz_listen_options listening; /* of where it was accepted */
    bool counts_by_address;      /* in the server's admission */
    jz_address address;          /* who connected: a client, or a proxy */
} jz_arrival;

/* It has gone before it was a connection: it is counted no more. From any thread. */
void jz_arrival_uncount(jz_server *server, const jz_arrival *arrival);

/* The server ends: it is counted no more, and closed. From any thread. */
void jz_arrival_give_up(jz_server *server, const jz_arrival *arrival);

#endif
