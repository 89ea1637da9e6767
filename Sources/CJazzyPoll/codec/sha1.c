#include "codec/sha1.h"

#include <string.h>

#include "codec/big_endian.h"
#include "jazzy/compiler.h"
#include "codec/processor.h"
#include "codec/sha1_x86.h"

enum { BLOCK_LENGTH = 64 };

static uint32_t rotate_left(uint32_t word, unsigned count)
{
    return word << count | word >> (32 - count);
}

/* a to e of FIPS 180-4 §6.1.2. */
typedef struct variables {
    uint32_t a, b, c, d, e;
} variables;

/* One of 80 steps; `mixed` is made of b, c and d in another way in each quarter of the steps. */
static JZ_ALWAYS_INLINED void take_step(variables *v, uint32_t mixed, uint32_t word)
{
    uint32_t next = rotate_left(v->a, 5) + mixed + v->e + word;
    v->e = v->d;
    v->d = v->c;
    v->c = rotate_left(v->b, 30);
    v->b = v->a;
    v->a = next;
}

/* FIPS 180-4 §6.1.2. */
static void take_block_portable(uint32_t state[5], const uint8_t block[BLOCK_LENGTH])
{
    uint32_t schedule[80];
    for (size_t t = 0; t < 16; t++)
        schedule[t] = jz_read_uint32(block + t * 4);
    for (size_t t = 16; t < 80; t++)
        schedule[t] = rotate_left(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);

    variables v = {state[0], state[1], state[2], state[3], state[4]};
    for (size_t t = 0; t < 20; t++)
        take_step(&v, ((v.b & v.c) | (~v.b & v.d)) + UINT32_C(0x5A827999), schedule[t]);
    for (size_t t = 20; t < 40; t++)
        take_step(&v, (v.b ^ v.c ^ v.d) + UINT32_C(0x6ED9EBA1), schedule[t]);
    for (size_t t = 40; t < 60; t++)
        take_step(&v, ((v.b & v.c) | (v.b & v.d) | (v.c & v.d)) + UINT32_C(0x8F1BBCDC), schedule[t]);
    for (size_t t = 60; t < 80; t++)
        take_step(&v, (v.b ^ v.c ^ v.d) + UINT32_C(0xCA62C1D6), schedule[t]);
    state[0] += v.a;
    state[1] += v.b;
    state[2] += v.c;
    state[3] += v.d;
    state[4] += v.e;
}

static void take_block(uint32_t state[5], const uint8_t block[BLOCK_LENGTH])
{
#ifdef JZ_HAS_SHA
    if (jz_vectors_in_use() != JZ_VECTORS_PORTABLE && JZ_HAS_SHA) {
        jz_sha1_take_block_x86(state, block);
        return;
    }
#endif
    take_block_portable(state, block);
}

void jz_sha1(const uint8_t *bytes, size_t length, uint8_t digest[JZ_SHA1_LENGTH])
{
    uint32_t state[5] = {UINT32_C(0x67452301), UINT32_C(0xEFCDAB89), UINT32_C(0x98BADCFE), UINT32_C(0x10325476),
                         UINT32_C(0xC3D2E1F0)};
    size_t position = 0;
    for (; length - position >= BLOCK_LENGTH; position += BLOCK_LENGTH)
        take_block(state, bytes + position);

    /* The rest, a one bit, zeros, and the length in bits: one block or two (§5.1.1). */
    uint8_t last[2 * BLOCK_LENGTH] = {0};
    size_t rest = length - position;
    if (rest > 0)
        memcpy(last, bytes + position, rest);
    last[rest] = 0x80;
    size_t last_length = rest + 9 <= BLOCK_LENGTH ? BLOCK_LENGTH : 2 * BLOCK_LENGTH;
    jz_write_uint64(last + last_length - 8, (uint64_t)length * 8);
    for (size_t block = 0; block < last_length; block += BLOCK_LENGTH)
        take_block(state, last + block);

    for (size_t i = 0; i < 5; i++)
        jz_write_uint32(digest + i * 4, state[i]);
}
