/*
 * Finds the addresses of a host. What is no address itself is looked up on a thread of its own, because that may take
 * long and cannot be interrupted: the broker's thread goes on meanwhile, and may give up waiting. There are at most
 * JZ_REDIS_MOST_LOOKUPS such threads in a process.
 */
#ifndef JAZZY_REDIS_LINK_RESOLVER_H
#define JAZZY_REDIS_LINK_RESOLVER_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

enum { JZ_REDIS_MOST_LOOKUPS = 64 };

typedef struct jz_redis_resolution jz_redis_resolution;

/* NULL: no memory, descriptor or thread, or too many look-ups hang. */
jz_redis_resolution *jz_redis_resolve(const char *host, uint16_t port);

/* The descriptor to poll for input until it is done. */
int jz_redis_resolution_descriptor(const jz_redis_resolution *resolution);

bool jz_redis_resolution_is_done(jz_redis_resolution *resolution);

/* Once done: the addresses, NULL where there are none and `failure` says why. They live as long as the resolution. */
const struct addrinfo *jz_redis_resolution_addresses(const jz_redis_resolution *resolution, const char **failure);

/* At any time; NULL is allowed. */
void jz_redis_resolution_free(jz_redis_resolution *resolution);

#endif
