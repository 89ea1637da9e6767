#include "tables/siphash.h"

#include "jazzy/compiler.h"

enum { WORD = 8 };

typedef struct state {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
} state;

static JZ_ALWAYS_INLINED uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

/* Little-endian on every machine; compilers turn this into one load. */
static JZ_ALWAYS_INLINED uint64_t read_word(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24 |
           (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 | (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* The paper's SipRound. */
static JZ_ALWAYS_INLINED void mix(state *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static JZ_ALWAYS_INLINED void take_word(state *s, uint64_t word, unsigned rounds)
{
    s->v3 ^= word;
    mix(s, rounds);
    s->v0 ^= word;
}

/* The bytes behind the last whole word, and in the top byte the whole length. */
static JZ_ALWAYS_INLINED uint64_t last_word(const uint8_t *bytes, size_t length)
{
    size_t left = length % WORD;
    uint64_t word = (uint64_t)length << 56;
    if (left > 0 && length >= WORD) /* one load, which overlaps the last whole word */
        return word | read_word(bytes + length - WORD) >> (WORD - left) * 8;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)bytes[i] << i * 8;
    return word;
}

static JZ_ALWAYS_INLINED uint64_t hash(const uint64_t key[2], const void *start, size_t length, unsigned rounds,
                                       unsigned last_rounds)
{
    const uint8_t *bytes = start;
    state s = {key[0] ^ UINT64_C(0x736F6D6570736575), key[1] ^ UINT64_C(0x646F72616E646F6D),
               key[0] ^ UINT64_C(0x6C7967656E657261), key[1] ^ UINT64_C(0x7465646279746573)};
    for (size_t i = 0; i + WORD <= length; i += WORD)
        take_word(&s, read_word(bytes + i), rounds);
    take_word(&s, last_word(bytes, length), rounds);
    s.v2 ^= 0xFF;
    mix(&s, last_rounds);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t jz_redis_siphash(const uint64_t key[2], const void *bytes, size_t length)
{
    return hash(key, bytes, length, 1, 3);
}

uint64_t jz_redis_siphash_2_4(const uint64_t key[2], const void *bytes, size_t length)
{
    return hash(key, bytes, length, 2, 4);
}
