/* The servers of the process, by the server number in their connections' handles. From any thread. */
#ifndef JAZZY_SHARD_REGISTRY_H
#define JAZZY_SHARD_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/server.h"

/*
 * Reserves a server number, 1 to JZ_MAX_SERVERS, and returns the first generation of its slots: higher than all that
 * earlier servers with this number had. Returns 0 if all numbers are taken. The server can be found only after
 * jz_registry_publish.
 */
uint8_t jz_registry_reserve(uint32_t *first_generation);
void jz_registry_publish(uint8_t number, jz_server *server);

/* Removes a server and waits until no thread uses it any more. Then its memory may be freed. */
void jz_registry_withdraw(uint8_t number);

/* Frees a number. `next_generation`: the first generation of its next server's slots. */
void jz_registry_release(uint8_t number, uint32_t next_generation);

/*
 * The server with a number, NULL if there is none. Unless NULL, call jz_registry_leave soon: jz_registry_withdraw waits
 * for it.
 */
jz_server *jz_registry_enter(uint8_t number);
void jz_registry_leave(uint8_t number);

#endif
