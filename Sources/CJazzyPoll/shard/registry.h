/* The servers of the process, by the number in their connections' handles. From any thread. */
#ifndef JAZZY_SHARD_REGISTRY_H
#define JAZZY_SHARD_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "jazzy/server.h"

/*
 * Gives a server a number, 1 to JZ_MAX_SERVERS, and the generation that its slots begin with: beyond all that servers
 * with this number had before. Returns 0 when all numbers are taken. The server is not found before it is published.
 */
uint8_t jz_registry_reserve(uint32_t *first_generation);
void jz_registry_publish(uint8_t number, jz_server *server);

/* Takes a server out and waits until no thread uses it any more. Then its memory may go. */
void jz_registry_withdraw(uint8_t number);

/* Gives a number back. `next_generation` is what its next server's slots begin with. */
void jz_registry_release(uint8_t number, uint32_t next_generation);

/* The server with a number, NULL if there is none. Unless NULL, call jz_registry_leave soon: withdrawing waits. */
jz_server *jz_registry_enter(uint8_t number);
void jz_registry_leave(uint8_t number);

#endif
