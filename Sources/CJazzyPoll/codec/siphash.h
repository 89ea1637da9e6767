/*
 * SipHash (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012): a hash for tables whose keys come
 * from untrusted peers. Without its 128-bit key nobody can find inputs that collide.
 */
#ifndef JAZZY_CODEC_SIPHASH_H
#define JAZZY_CODEC_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct jz_siphash_key {
    uint64_t words[2];
} jz_siphash_key;

/* SipHash-1-3: one round for every eight bytes and three at the end, as usual for hash tables. */
uint64_t jz_siphash(const jz_siphash_key *key, const void *bytes, size_t length);

/* SipHash-2-4: the same code with more rounds. The paper has an example of it, for tests. */
uint64_t jz_siphash_2_4(const jz_siphash_key *key, const void *bytes, size_t length);

#endif
