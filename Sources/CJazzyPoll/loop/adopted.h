/* Descriptors of connections that were accepted elsewhere, if at all. */
#ifndef JAZZY_LOOP_ADOPTED_H
#define JAZZY_LOOP_ADOPTED_H

#include <stdbool.h>

#include "codec/address.h"
#include "jazzy/error.h"
#include "loop/socket.h"

typedef struct jz_adopted {
    bool is_socket;
    jz_address address; /* of the peer; all zero: none */
} jz_adopted;

/*
 * Finds out what the descriptor is. Without a transport it has to be a stream socket that is connected, else anything
 * that a loop can watch: INVALID_ADDRESS.
 */
jz_status jz_adopted_examine(int descriptor, bool has_transport, jz_adopted *adopted, jz_error *error);

/* Sets what accepted sockets inherit from their listener, and what accepting sets. On failure it stays open. */
jz_status jz_adopted_prepare(int descriptor, const jz_adopted *adopted, const jz_listening *listening, jz_error *error);

#endif
