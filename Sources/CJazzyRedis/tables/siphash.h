/* SipHash-1-3: one round for every eight bytes and three at the end, as usual for hash tables. */
#ifndef JAZZY_REDIS_TABLES_SIPHASH_H
#define JAZZY_REDIS_TABLES_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t jz_redis_siphash(const uint64_t key[2], const void *bytes, size_t length);

/* SipHash-2-4: the same code with more rounds. The paper has an example of it, for tests. */
uint64_t jz_redis_siphash_2_4(const uint64_t key[2], const void *bytes, size_t length);

#endif
