/*
 * A socket that was accepted, until it is a connection: let in and counted where it was accepted, and then on its way
 * to the shard that is to have it.
 */
#ifndef JAZZY_SERVER_ARRIVAL_H
#define JAZZY_SERVER_ARRIVAL_H

#include <stdbool.h>

#include "../codec/address.h"

typedef struct jz_shard jz_shard;
typedef struct jz_server jz_server;

typedef struct jz_arrival {
    int descriptor;
    bool counts_by_address; /* in the server's admission */
    jz_address address;     /* who connected: a client, or a proxy */
} jz_arrival;

/* Whether it is let in; then it is counted. If not, the socket is answered, where that is worth it, and closed. */
bool jz_arrival_let_in(jz_shard *shard, jz_arrival *arrival);

/* Makes it a connection of this shard, on its thread. Turns it away where there is no memory or descriptor for it. */
void jz_arrival_begin(jz_shard *shard, const jz_arrival *arrival);

/* There is no memory for it: it is counted no more, answered and closed, and that is noted. On the shard's thread. */
void jz_arrival_turn_away(jz_shard *shard, const jz_arrival *arrival);

/* The server ends: it is counted no more, and closed. From any thread. */
void jz_arrival_give_up(jz_server *server, const jz_arrival *arrival);

#endif
