/*
 * SipHash (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012): a hash for tables whose keys
 * strangers choose. Who does not know its 128-bit key cannot find bytes that fall together, whatever else he knows.
 */
#ifndef JAZZY_CODEC_SIPHASH_H
#define JAZZY_CODEC_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct jz_siphash_key {
    uint64_t words[2];
} jz_siphash_key;

/* SipHash-1-3: one round for each eight bytes, and three at the end, which is what tables take. */
uint64_t jz_siphash(const jz_siphash_key *key, const void *bytes, size_t length);

/* SipHash-2-4, of which the paper has an example: the same code with more rounds. */
uint64_t jz_siphash_2_4(const jz_siphash_key *key, const void *bytes, size_t length);

#endif
